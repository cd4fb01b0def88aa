"""The table of faults is true: every test that it names exists, and every test of faults is in it."""

import re

import pytest

from cms.core.config import ROOT
from schedules.rules import SWITCHABLE
from tests.guards.test_inputs import names_in

TABLE = (ROOT / "docs/faults.md").read_text()
ROWS = [row for row in TABLE.splitlines() if row.startswith("| ") and "| test |" not in row]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py(?:::\w+)+)`", TABLE)))
OURS = sorted((ROOT / "tests/faults").glob("test_*.py"))


@pytest.mark.parametrize("name", NAMED)
def test_the_named_test_exists(name):
    path, _, inside = name.partition("::")
    assert inside in set(names_in(ROOT / "tests" / path))


def test_every_row_names_one():
    assert len(ROWS) > 55
    assert [row for row in ROWS if not re.search(r"`[\w/]+\.py::", row)] == []


def test_every_rule_that_can_be_switched_off_is_proven_needed():
    assert sorted(re.findall(r"^\| `(\w+)` \|", TABLE, re.M)) == sorted(SWITCHABLE)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_what_was_written_for_the_table_stands_in_it(path):
    tests = {one for one in names_in(path) if one.startswith("test_")}
    assert {f"faults/{path.name}::{one}" for one in tests} <= set(NAMED)
