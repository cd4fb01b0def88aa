"""Telling upwards: a lower floor states a past fact, upper floors listen in the same transaction."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

Event = TypeVar("Event")
_listeners: dict[type, list[Callable[[Any], None]]] = defaultdict(list)


def subscribe(event_type: type[Event], listener: Callable[[Event], None]) -> None:
    """Have the listener called for every such event; asking twice changes nothing."""
    if listener not in _listeners[event_type]:
        _listeners[event_type].append(listener)


def emit(event: object) -> None:
    """Tell every listener now, inside the caller's transaction; what they raise undoes it whole."""
    for listener in _listeners[type(event)]:
        listener(event)
