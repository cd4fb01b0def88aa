"""The one door for HTML written by people: a closed list of what may stay, everything else goes."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import nh3
from pygments.token import STANDARD_TYPES

ImageResolver = Callable[[str], str | None]

# Ids in a text get this prefix, so that they can never take the place of the page's own.
ANCHOR_PREFIX = "text-"

_ATTRIBUTES = {
    "*": {"id", "lang"},
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "abbr": {"title"},
    "details": {"open"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_TAG_NAMES = (
    "a abbr b blockquote br cite code dd del details div dl dt em figcaption figure h2 h3 h4 h5 h6 "
    "hr i img input ins kbd li mark ol p pre q rp rt ruby s samp small span strong sub summary sup "
    "table tbody td tfoot th thead tr u ul var"
)
_TAGS = frozenset(_TAG_NAMES.split())
_SWALLOWED = frozenset({"script", "style", "iframe", "object", "template", "noscript", "textarea"})
_CLASSES = {
    "div": {"highlight", "footnote"},
    "span": {name for name in STANDARD_TYPES.values() if name} | {"hll", "filename"},
    "ul": {"task-list"},
    "li": {"task-list-item"},
    "a": {"footnote-ref", "footnote-backref"},
}
_ALIGNMENTS = {"align": {"left", "right", "center"}}
_FORCED = {"img": {"loading": "lazy", "decoding": "async"}, "pre": {"tabindex": "0"}}


@dataclass(frozen=True)
class Cleaned:
    """Safe HTML, and the addresses of pictures that could not be found."""

    html: str
    missing: tuple[str, ...]


def clean(raw: str, resolve_image: ImageResolver | None = None) -> Cleaned:
    """Keep of the HTML what is on the lists; the resolver decides which pictures exist."""
    missing: list[str] = []

    def judge(tag: str, name: str, value: str) -> str | None:
        if name == "id":
            return ANCHOR_PREFIX + value
        if name == "href" and value.startswith("#"):
            return "#" + ANCHOR_PREFIX + value[1:]
        if name in {"href", "src"} and "\\" in value:
            return None  # browsers read a backslash as a slash, so it may lead to another site
        if (tag, name) == ("img", "src") and resolve_image:
            resolved = resolve_image(value)
            if resolved is None:
                missing.append(value)
            return resolved
        return value

    html = nh3.clean(
        raw,
        tags=_TAGS,
        clean_content_tags=_SWALLOWED,
        attributes=_ATTRIBUTES,
        attribute_filter=judge,
        link_rel="noopener nofollow",
        url_schemes={"http", "https", "mailto"},
        allowed_classes=_CLASSES,
        tag_attribute_values={
            "td": _ALIGNMENTS,
            "th": _ALIGNMENTS,
            "input": {"type": {"checkbox"}, "disabled": {""}, "checked": {""}},
        },
        set_tag_attribute_values=_FORCED,
    )
    html = _INPUT.sub(_task_box, html)
    return Cleaned(_IMG.sub(_without_source, html), tuple(missing))


# The cleaner writes every attribute as name="value" and escapes the quotes inside.
_INPUT = re.compile(r'<input((?: [a-z-]+="[^"]*")*)>')
_IMG = re.compile(r'<img((?: [a-z-]+="[^"]*")*)>')
_ALT = re.compile(r' alt="([^"]*)"')


def _task_box(match: re.Match[str]) -> str:
    """A task's box as a character: a form field in a text would want a label and do nothing."""
    if 'type="checkbox"' not in match[1]:
        return ""
    return f'<span class="task-box">{"☑" if "checked=" in match[1] else "☐"}</span>'


def _without_source(match: re.Match[str]) -> str:
    if ' src="' in match[1]:
        return match[0]
    alt = _ALT.search(match[1])
    return f'<span class="missing-image">{alt[1] if alt else ""}</span>'
