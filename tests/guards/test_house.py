"""The house's own rules, read off the source: one commit point, no queries in models, sizes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cms.core.config import ROOT
from cms.core.jobs import JOBS, QueueName
from cms.core.ticks import TICKS

PACKAGES = ("cms", "audience", "content_library", "schedules", "feedback")
LONGEST_MODULE = 400
LONGEST_FUNCTION = 40
LONGEST_TEMPLATE = 150
MAY_COMMIT = {"cms/core/db.py"}
FORBIDDEN_STEMS = {"utils", "util", "helpers", "helper", "manager", "misc", "common"}


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in modules():
        yield named(path), ast.parse(path.read_text())


def test_only_one_place_commits():
    commits = [
        f"{name}:{node.lineno}"
        for name, tree in trees()
        if name not in MAY_COMMIT
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
        # The search index's writer has a commit of its own kind.
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "writer")
    ]
    assert commits == []


def test_every_module_says_what_it_owns():
    silent = [name for name, tree in trees() if tree.body and not ast.get_docstring(tree)]
    assert silent == []


def test_modules_and_functions_keep_their_size():
    long = [
        named(path) for path in modules() if len(path.read_text().splitlines()) > LONGEST_MODULE
    ]
    long += [
        f"{name}:{node.name}"
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_templates_keep_their_size():
    long = [
        named(path)
        for path in sorted((ROOT / "templates").rglob("*.html"))
        if len(path.read_text().splitlines()) > LONGEST_TEMPLATE
    ]
    assert long == []


def test_no_drawers_for_odds_and_ends():
    assert [named(path) for path in modules() if path.stem in FORBIDDEN_STEMS] == []


def test_models_hold_no_queries():
    asking = [
        name
        for name, tree in trees()
        if name.endswith("models.py") or "/models/" in name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module == "cms.core.db"
        and {"session", "transaction"} & {alias.name for alias in node.names}
    ]
    assert asking == []


def test_no_import_hides_inside_a_function():
    hidden = [
        f"{name}:{inner.lineno}"
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_broad_excepts_record_what_they_catch():
    """Where everything is caught, the handler logs, records or raises: nothing is swallowed."""
    silent = []
    for name, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ExceptHandler) or not _is_broad(node):
                continue
            does = {
                part.attr if isinstance(part, ast.Attribute) else "raise"
                for part in ast.walk(node)
                if isinstance(part, ast.Attribute | ast.Raise)
            }
            if not does & {"exception", "error", "warning", "raise", "append", "record"}:
                silent.append(f"{name}:{node.lineno}")
    assert silent == []


def _is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id in ("Exception", "BaseException")
    )


@pytest.mark.usefixtures("application")
class TestBackground:
    def test_every_job_names_a_queue_that_a_worker_serves(self):
        assert JOBS, "no jobs are declared"
        assert {job.queue for job in JOBS.values()} <= set(QueueName)

    def test_jobs_live_behind_the_doors_called_jobs(self):
        doors = re.compile(r"[._]jobs\.|\.core\.")  # jobs.py, or carrier_jobs.py beside it
        strays = [name for name in [*JOBS, *TICKS] if not doors.search(name)]
        assert strays == []
