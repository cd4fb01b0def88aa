"""Sentences that remember how they were made, so that they can be told again in another language."""

from collections.abc import Callable, Mapping
from typing import Any

PLAIN = (str, int, float, bool, type(None))


class Sentence(str):
    """A filled English sentence that keeps its template and what filled it.

    It is a string like any other: whoever does not care about languages need not know.
    """

    message: str
    params: dict[str, Any]

    def __new__(cls, message: str, params: Mapping[str, Any] | None = None) -> "Sentence":
        """A sentence that is made of a sentence alone is that sentence."""
        if isinstance(message, Sentence) and not params:
            return message
        made = super().__new__(cls, message % dict(params) if params else message)
        made.message, made.params = message, dict(params or {})
        return made

    def __str__(self) -> str:
        """Itself: exceptions and `str()` on the way must not make it forget."""
        return self


def worded(message: str, params: Mapping[str, Any], say: Callable[[str], str]) -> str:
    """A sentence in the language that `say` speaks, with the sentences that fill it and lists of them."""
    text = say(message)
    if not params:  # what a carrier said may hold any sign; only our own templates are filled
        return text
    return text % {name: _filling(value, say) for name, value in params.items()}


def _filling(value: Any, say: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return worded(value["message"], value["params"], say)
    if isinstance(value, list):
        return " · ".join(str(_filling(one, say)) for one in value)
    return value


def sentence(message: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What `worded` makes a sentence of again."""
    return {"message": message, "params": dict(params or {})}


def parts_of(text: str) -> dict[str, Any]:
    """What a column or a log keeps beside the English text; empty when the text says it all."""
    if not isinstance(text, Sentence) or not text.params:
        return {}
    params = {
        name: value if isinstance(value, PLAIN) else str(value)
        for name, value in text.params.items()
    }
    return {"message": text.message, "params": params}
