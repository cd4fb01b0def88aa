"""Everything that others made stands in the manifest, with its licence, unchanged."""

import hashlib
import json
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "static"
MANIFEST = json.loads((STATIC / "vendor" / "manifest.json").read_text())
OWN = {"img/mark.svg", "img/empty.svg"}


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"])
def test_vendored_file_is_the_one_we_recorded(entry: dict[str, str]) -> None:
    digest = hashlib.sha256((STATIC / entry["file"]).read_bytes()).hexdigest()
    assert digest == entry["sha256"], f"{entry['file']} changed; record why and its new hash"


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"])
def test_vendored_file_names_its_origin_and_carries_its_licence(entry: dict[str, str]) -> None:
    assert all(entry[key] for key in ("name", "version", "licence", "source"))
    assert len((STATIC / entry["licence_file"]).read_text()) > 200


def test_nothing_foreign_stands_outside_the_manifest() -> None:
    recorded = {entry["file"] for entry in MANIFEST} | {"vendor/manifest.json"}
    recorded |= {entry["licence_file"] for entry in MANIFEST}
    vendored = {p.relative_to(STATIC).as_posix() for p in (STATIC / "vendor").rglob("*")
                if p.is_file()}  # fmt: skip
    images = {p.relative_to(STATIC).as_posix() for p in (STATIC / "img").rglob("*.svg")}
    assert vendored | images <= recorded | OWN


def test_templates_and_scripts_ask_only_for_icons_that_the_sprite_has() -> None:
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "img/icons.svg").read_text()))
    templates = STATIC.parent / "templates"
    asked = {
        (path.name, name)
        for path in templates.rglob("*.html")
        for name in re.findall(r"""\b(?:icon|draw_icon)\(['"]([a-z0-9-]+)['"]""", path.read_text())
        + re.findall(r"""\bicon=['"]([a-z0-9-]+)['"]""", path.read_text())
    }
    asked |= {
        (path.name, name)
        for path in (STATIC / "js").glob("*.js")
        for name in re.findall(r"""\bicon\(['"]([a-z0-9-]+)['"]""", path.read_text())
    }
    assert len(asked) > 10
    assert sorted(a for a in asked if a[1] not in sprite) == []
