"""What deploy/ promises exists: commands, settings, a worker for each queue, units that parse."""

import configparser
import re
import subprocess

import pytest
import yaml

from cms.core.config import ROOT, BadSettings, settings_from
from cms.core.jobs import QueueName

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = [service for service in COMPOSE["services"].values() if "build" in service]


def documented() -> set[str]:
    return set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(), re.M))


def test_every_setting_named_is_a_setting():
    example = re.findall(r"^([A-Z_]+)=", (DEPLOY / "seedbed.env.example").read_text(), re.M)
    composed = [name for service in OURS for name in service["environment"]]
    assert {*example, *composed} <= documented()


def test_every_command_is_a_command(application):
    known = set(application.cli.commands) | {"db"}
    words = [service["command"] for service in OURS]
    for command in words:
        if command[0] == "flask":
            assert command[3] in known, command
        else:
            assert command[:3] == ["python", "-m", "gunicorn"]


def test_every_queue_has_its_worker_apart():
    served = [service["command"][-1] for service in OURS if "worker" in service["command"]]
    assert sorted(served) == sorted(name.value for name in QueueName)


def unit(path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str
    parser.read(path)
    return parser


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_restarts_and_is_fenced_in(path):
    service = unit(path)["Service"]
    assert service["Restart"] == "always"
    assert service["User"] != "root"
    assert service["EnvironmentFile"] == "/etc/seedbed.env"
    assert service["ProtectSystem"] == "strict"


@pytest.mark.parametrize("instance", ["publish", "publish-2", "media"])
def test_the_worker_unit_takes_the_queue_from_its_name(instance):
    line = unit(DEPLOY / "systemd" / "seedbed-worker@.service")["Service"]["ExecStart"]
    # As systemd would read it: %i is the instance, %% a percent sign, $$ a dollar.
    line = line.replace("%i", instance).replace("%%", "%").replace("$$", "$")
    script = re.fullmatch(r"/bin/sh -c '(.+)'", line)[1].replace("exec /opt", "echo /opt")
    said = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.split()[-2:] == ["worker", instance.partition("-")[0]]


def test_no_secret_stands_in_the_example_and_as_it_is_it_starts_nothing(tmp_path):
    """Copied and not filled in, it says what is missing."""
    lines = re.findall(
        r"^([A-Z_]+)=(.*)$", (DEPLOY / "seedbed.env.example").read_text(), re.MULTILINE
    )
    given = dict(lines) | {"SEEDBED_HOME": str(tmp_path)}
    assert given["SEEDBED_SECRET_KEY"] == given["SEEDBED_CREDENTIAL_KEYS"] == ""
    with pytest.raises(BadSettings) as refused:
        settings_from(given)
    told = [fault.partition(":")[0] for fault in refused.value.faults]
    assert told == ["SEEDBED_SECRET_KEY", "SEEDBED_CREDENTIAL_KEYS"]


def test_containers_will_not_start_without_both_keys():
    for service in OURS:
        for name in ("SEEDBED_SECRET_KEY", "SEEDBED_CREDENTIAL_KEYS"):
            assert service["environment"][name].startswith(f"${{{name}:?")
