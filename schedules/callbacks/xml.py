"""The carriers' XML as plain values: no document types, no entities, no depth without end."""

from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from schedules.callbacks.cipher import Unreadable

DEEPEST = 12


def parse(body: bytes) -> dict[str, Any]:
    """The children of the outermost element by name; what comes several times is a list.

    Raises Unreadable.
    """
    try:
        root = fromstring(body, forbid_dtd=True)
    except (DefusedXmlException, ParseError, ValueError, LookupError):
        raise Unreadable from None
    found = _value(root, 0)
    return found if isinstance(found, dict) else {}


def _value(element: Element, depth: int) -> Any:
    if depth > DEEPEST:
        raise Unreadable
    children = list(element)
    if not children:
        return element.text or ""
    found: dict[str, Any] = {}
    for child in children:
        value = _value(child, depth + 1)
        if child.tag not in found:
            found[child.tag] = value
        elif isinstance(found[child.tag], list):
            found[child.tag].append(value)
        else:
            found[child.tag] = [found[child.tag], value]
    return found
