"""Drawing many posts for one page: what all of them ask of the database is asked once."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Answer = TypeVar("Answer")

_known: ContextVar[dict[Hashable, Any] | None] = ContextVar("known", default=None)


@contextmanager
def asking_once() -> Iterator[None]:
    """For pages only: whatever sends asks anew each time. Inside another, it joins the outer one."""
    if _known.get() is not None:
        yield
        return
    mark = _known.set({})
    try:
        yield
    finally:
        _known.reset(mark)


def once(question: Hashable, ask: Callable[[], Answer]) -> Answer:
    """The answer to the question, out of memory inside `asking_once`."""
    known = _known.get()
    if known is None:
        return ask()
    if question not in known:
        known[question] = ask()
    answer: Answer = known[question]
    return answer
