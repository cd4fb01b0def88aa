"""Fault points: where they are, when they fire, and that they cost nothing otherwise."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cms.core import faults
from cms.core.config import ROOT, settings_from
from cms.core.faults import FAULTS, FaultRaised, arm, fault

PLACE = "test.place"


@pytest.fixture(autouse=True)
def _declared(tmp_path: Path) -> Iterator[None]:
    faults.declare(PLACE)
    yield
    arm("", tmp_path)
    FAULTS.discard(PLACE)


def test_unarmed_places_do_nothing(tmp_path: Path) -> None:
    arm("", tmp_path)
    fault("no.such.place")
    assert not (tmp_path / "faults").exists()


def test_raise_on_the_nth_passage_only(tmp_path: Path) -> None:
    arm(f"{PLACE}:raise:2", tmp_path)
    fault(PLACE)
    with pytest.raises(FaultRaised, match=PLACE):
        fault(PLACE)
    fault(PLACE)


def test_an_undeclared_place_is_an_error_once_armed(tmp_path: Path) -> None:
    arm(f"{PLACE}:raise", tmp_path)
    with pytest.raises(LookupError):
        fault("no.such.place")


@pytest.mark.parametrize(
    "wish", ["x", "x:", ":raise", "x:explode", "x:raise:y", "x:sleep", "x:stop=3"]
)
def test_nonsense_is_refused(wish: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="FAULT"):
        arm(wish, tmp_path)


def test_misspelt_names_are_found(tmp_path: Path) -> None:
    arm(f"{PLACE}:raise,{PLACE}x:raise", tmp_path)
    assert faults.unknown() == [f"{PLACE}x"]


def test_a_kill_happens_once_per_data_directory(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from cms.core import faults\n"
        f"faults.declare('{PLACE}'); faults.arm('{PLACE}:kill9', Path(sys.argv[1]))\n"
        f"faults.fault('{PLACE}'); print('survived')\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            capture_output=True,
            cwd=ROOT,
            check=False,
        )
        for _ in range(2)
    ]
    assert [run.returncode for run in runs] == [-9, 0]
    assert list(faults.fired(tmp_path)) == [PLACE]


@pytest.mark.parametrize(("mode", "expected"), [("test", "a:raise"), ("production", "")])
def test_only_test_mode_honours_the_setting(mode: str, expected: str, tmp_path: Path) -> None:
    environ = {"SEEDBED_HOME": str(tmp_path), "SEEDBED_ENV": mode, "FAULT": "a:raise"}
    assert settings_from(environ).faults == expected


def test_every_place_in_the_source_is_declared_and_used() -> None:
    """Chaos tests enumerate FAULTS; a place missing there would never be tried."""
    passed, declared = set(), set()
    for package in ("cms", "audience", "content_library", "schedules", "feedback"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text()
            passed |= set(re.findall(r'\bfault\("([^"]+)"\)', text))
            for names in re.findall(r"\bdeclare\(([^)]*)\)", text):
                declared |= set(re.findall(r'"([a-z_]+\.[a-z_.]+)"', names))
    assert "worker.dequeued" in passed
    assert passed == declared
