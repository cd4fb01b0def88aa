"""The table of bad input is true: every test that it names exists, and every walk is in it."""

import ast
import re

import pytest

from cms.core.config import ROOT

TABLE = (ROOT / "docs/inputs.md").read_text()
NAMED = sorted(set(re.findall(r"`([\w/]+\.py(?:::\w+)+)`", TABLE)))


def names_in(path):
    """Every test of a file, with its class before it where it has one."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield from (f"{node.name}::{one.name}" for one in node.body if hasattr(one, "name"))


@pytest.mark.parametrize("name", NAMED)
def test_the_named_test_exists(name):
    path, _, inside = name.partition("::")
    assert inside in set(names_in(ROOT / "tests" / path))


def test_every_row_names_one():
    rows = [row for row in TABLE.splitlines() if row.startswith("| ") and "| test |" not in row]
    assert len(rows) > 90
    assert [row for row in rows if not re.search(r"`[\w/]+\.py::", row)] == []


@pytest.mark.parametrize("name", ["web/test_inputs_walk.py", "web/test_inputs_safety.py"])
def test_what_was_written_for_the_table_stands_in_it(name):
    tests = {one for one in names_in(ROOT / "tests" / name) if one.startswith("test_")}
    assert {f"{name}::{one}" for one in tests} <= set(NAMED)
