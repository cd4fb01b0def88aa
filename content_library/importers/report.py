"""What an import did, or would do: one line a file, and what it met that nobody knew."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath

from cms.core.errors import Problem


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class FileResult:
    """One file: what became of it, and what its author should hear."""

    path: PurePosixPath
    outcome: Outcome
    title: str = ""
    asset_id: int | None = None
    problems: tuple[Problem, ...] = ()


def picture_of(problem: Problem) -> str:
    """The address of the picture a problem is about, where its own words do not name it."""
    return "" if "%(address)s" in problem.message else str(problem.params.get("address", ""))


@dataclass
class Report:
    """All files in order. `unknown_tags`: words no tag answers to, and in how many files."""

    name: str
    is_dry_run: bool
    results: list[FileResult] = field(default_factory=list)
    unknown_tags: Counter[str] = field(default_factory=Counter)
    created_tags: list[str] = field(default_factory=list)

    def count(self, outcome: Outcome) -> int:
        return sum(result.outcome is outcome for result in self.results)

    @property
    def counts(self) -> dict[Outcome, int]:
        return {outcome: self.count(outcome) for outcome in Outcome}

    @property
    def with_problems(self) -> list[FileResult]:
        return [result for result in self.results if result.problems]
