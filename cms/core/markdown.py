"""Markdown in, safe HTML out: rendered, cleaned against a closed list, and read for what it holds."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import markdown
from pymdownx.slugs import slugify

from cms.core import markup
from cms.core.deadline import TookTooLong, time_limit
from cms.core.errors import Problem, invalid
from cms.core.i18n import N_
from cms.core.limits import most
from cms.core.markdown_dialect import HAN, Dialect
from cms.core.markup import Heading, Outline
from cms.core.sanitise import ImageResolver, clean
from cms.core.text import Unit, check_length, clean_text

EXCERPT_CHARACTERS = 120

_HAN_PER_MINUTE = 400
_WORDS_PER_MINUTE = 220


@dataclass(frozen=True)
class Rendered:
    """A text as readers see it, what was found in it, and what its author must be told was removed."""

    html: str
    headings: tuple[Heading, ...]
    images: tuple[str, ...]
    links: tuple[str, ...]
    removed: tuple[Problem, ...]
    plain_text: str
    excerpt: str
    reading_minutes: int


_EXTENSIONS = (
    "tables",
    "footnotes",
    "sane_lists",
    "toc",
    "pymdownx.superfences",
    "pymdownx.highlight",
    "pymdownx.tasklist",
    "pymdownx.betterem",
    "pymdownx.tilde",
)
_EXTENSION_CONFIGS = {
    "tables": {"use_align_attribute": True},
    "footnotes": {"BACKLINK_TITLE": ""},
    # The page's own title is the h1, so a text begins one level below.
    "toc": {"slugify": slugify(case="lower"), "baselevel": 2},
    "pymdownx.highlight": {"css_class": "highlight", "guess_lang": False},
    "pymdownx.betterem": {"smart_enable": "underscore"},
    "pymdownx.tilde": {"subscript": False},
}


def render(source: str, *, resolve_image: ImageResolver | None = None) -> Rendered:
    """Render Markdown to HTML that may be shown to anybody.

    `resolve_image` gets each picture's address as the author wrote it and gives the one to show,
    or None when there is no such picture: then its alternative text stands in its place.
    Raises Invalid `content_too_long` or `content_too_complex` for the field "body".
    """
    check_length("body", source, most("article_bytes"), unit=Unit.BYTES)
    try:
        with time_limit(most("article_seconds")):
            return _render(clean_text(source), resolve_image)
    except (TookTooLong, RecursionError):
        raise invalid(
            "body",
            "content_too_complex",
            N_("This text cannot be laid out: it has too many unclosed or nested marks."),
        ) from None


def _render(source: str, resolve_image: ImageResolver | None) -> Rendered:
    raw = _engine().convert(source)
    cleaned = clean(raw, resolve_image)
    before, after = markup.read(raw), markup.read(cleaned.html)
    return Rendered(
        html=cleaned.html,
        headings=tuple(after.headings),
        images=tuple(after.images),
        links=tuple(after.links),
        removed=tuple(_removed(before, after, cleaned.missing)),
        plain_text=after.plain_text,
        excerpt=excerpt(" ".join(after.paragraphs) or after.plain_text),
        reading_minutes=reading_minutes(after.plain_text),
    )


def _engine() -> markdown.Markdown:
    return markdown.Markdown(
        extensions=[*_EXTENSIONS, Dialect()], extension_configs=_EXTENSION_CONFIGS
    )


def _removed(before: Outline, after: Outline, missing: Sequence[str]) -> Iterator[Problem]:
    """What the cleaner took away, found by comparing, so that it holds whatever the lists say."""
    gone = before.tags - after.tags
    for tag in sorted(set(gone) - {"input", "img"}):
        yield Problem("removed_tag", N_("The element <%(name)s> was removed."), {"name": tag})
    if gone["input"] > before.attributes["input", "disabled"]:
        yield Problem("removed_tag", N_("The element <%(name)s> was removed."), {"name": "input"})
    for tag, name in sorted(before.attributes - after.attributes):
        if tag not in gone and (tag, name) not in {("a", "href"), ("img", "src")}:
            yield Problem(
                "removed_attribute",
                N_("The attribute %(name)s of <%(tag)s> was removed."),
                {"name": name, "tag": tag},
            )
    for href in _lost(before.links, after.links):
        yield Problem(
            "removed_link",
            N_("The link %(address)s was removed. Allowed are http, https, mailto and own pages."),
            {"address": href[:80]},
        )
    for address in dict.fromkeys(missing):
        yield Problem(
            "image_missing", N_("There is no picture %(address)s."), {"address": address[:80]}
        )
    if lost := gone["img"] - len(missing):
        yield Problem("removed_image", N_("Pictures removed: %(count)s."), {"count": lost})


def _lost(before: list[str], after: list[str]) -> list[str]:
    kept = set(after)
    return [address for address in dict.fromkeys(before) if address not in kept]


def excerpt(text: str, characters: int = EXCERPT_CHARACTERS) -> str:
    """The beginning of a text, cut where a sentence or at least a word ends."""
    text = " ".join(text.split())
    if len(text) <= characters:
        return text
    head = text[:characters]
    sentence = max(head.rfind(mark) for mark in "。！？")
    sentence = max(sentence, *(head.rfind(f"{mark} ") for mark in ".!?"))
    if sentence >= characters // 2:
        return head[: sentence + 1]
    if head[-1].isascii() and text[characters].isascii() and " " in head[characters // 2 :]:
        head = head[: head.rfind(" ")]
    return head.rstrip(" ,;:，、；：") + "…"


def reading_minutes(text: str) -> int:
    """Whole minutes of reading, Chinese counted by characters and the rest by words."""
    han = len(re.findall(HAN, text))
    words = len(re.findall(r"[A-Za-z0-9]+", text))
    return max(1, ceil(han / _HAN_PER_MINUTE + words / _WORDS_PER_MINUTE))
