"""What can go wrong, in the words of the product; only the edges turn these into status codes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cms.core.i18n import N_
from cms.core.sentences import Sentence


@dataclass(frozen=True)
class Problem:
    """One fault: a stable code, an English message to translate, and what fills its %(name)s places."""

    code: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return Sentence(self.message, self.params)


class SeedbedError(Exception):
    """Root of every error that people may be told about."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class NotFound(SeedbedError):
    """No such row, or none that the asker may see: the two must look the same."""

    def __init__(self, noun: str = "object") -> None:
        super().__init__(Problem("not_found", N_("There is no such %(noun)s."), {"noun": noun}))


class Invalid(SeedbedError):
    """Input that breaks a rule, told field by field; the key "" speaks of the whole."""

    def __init__(self, fields: Mapping[str, Problem]) -> None:
        super().__init__(next(iter(fields.values())))
        self.fields = dict(fields)


class Forbidden(SeedbedError):
    """The actor may not do this to this object."""


class Conflict(SeedbedError):
    """The object has moved on since the actor looked at it."""


class TryAgain(SeedbedError):
    """A channel sent nothing, provably; the same publication may be tried after the given time."""

    def __init__(self, reason: str, after: timedelta | None = None) -> None:
        super().__init__(Problem("try_again", reason))
        self.after = after


class Refused(SeedbedError):
    """A channel refused for good; trying again would change nothing."""

    def __init__(self, reason: str, *, pauses_account: bool = False) -> None:
        super().__init__(Problem("refused", reason))
        self.pauses_account = pauses_account  # it is the account that is refused, not the post


def invalid(field_name: str, code: str, message: str, **params: Any) -> Invalid:
    """Shorthand for the common case of one fault in one field."""
    return Invalid({field_name: Problem(code, message, params)})


def conflict(code: str, message: str, **params: Any) -> Conflict:
    """Shorthand: the object has moved on."""
    return Conflict(Problem(code, message, params))


def forbidden(code: str, message: str, **params: Any) -> Forbidden:
    """Shorthand: not this actor, or not on this object."""
    return Forbidden(Problem(code, message, params))
