"""The docs are true: settings and commands that exist are described, links lead somewhere."""

import re

import pytest

from cms.core.config import ROOT

DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_every_setting_is_described():
    source = (ROOT / "cms/core/config.py").read_text()
    read = set(re.findall(r'"((?:SEEDBED_|DATABASE_|REDIS_)[A-Z_]+|PORT|FAULT)"', source))
    told = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/settings.md").read_text(), re.M))
    assert read == told


def test_every_command_is_described(application):
    told = (ROOT / "docs/commands.md").read_text()
    missing = []
    for name, command in application.cli.commands.items():
        for inner in getattr(command, "commands", None) or {None: command}:
            words = f"flask {name} {inner}" if inner else f"flask {name}"
            if words not in told:
                missing.append(words)
    assert missing == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_decisions_are_numbered_once():
    numbers = [path.name[:4] for path in (ROOT / "docs/decisions").glob("*.md")]
    assert len(numbers) == len(set(numbers))
    assert all(number.isdigit() for number in numbers)
