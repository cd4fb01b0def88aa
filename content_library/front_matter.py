"""One Markdown file as Hugo and Jekyll write it, or plain: taken apart into what an article needs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from math import isfinite
from pathlib import PurePosixPath
from typing import Any

from cms.core.errors import invalid
from cms.core.i18n import N_
from cms.core.limits import most
from cms.core.text import clean_line, clean_text
from cms.core.text_encoding import decode
from content_library.front_matter_dates import date_from
from content_library.front_matter_formats import BadFrontMatter, split

_EXCERPT = 80
_JEKYLL_NAME = re.compile(r"(?P<date>\d{4}-\d{1,2}-\d{1,2})-(?P<rest>.+)")
_LANGUAGE_NAME = re.compile(
    r"(?P<rest>.+)\.(?P<lang>zh|en|zh-[a-z]{2,4}|en-[a-z]{2})", re.IGNORECASE
)
_BUNDLE_NAMES = frozenset({"index", "_index", "readme"})
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_KNOWN = frozenset(
    {"title", "date", "publishdate", "tags", "tag", "categories", "category", "draft", "published"}
    | {"lang", "language", "locale", "summary", "description", "excerpt"}
    | {"cover", "image", "images", "thumbnail", "featured_image", "featuredimage", "banner"}
)

_NO_TEXT = N_("Line %(line)s: %(name)s should be one text: “%(excerpt)s”.")
_NO_FLAG = N_("Line %(line)s: %(name)s should be true or false: “%(excerpt)s”.")
_NO_LIST = N_("Line %(line)s: %(name)s should be a list of names: “%(excerpt)s”.")
_NO_DATE = N_("Line %(line)s: no date as in 2026-11-21 20:30: “%(excerpt)s”.")


@dataclass(frozen=True)
class Parsed:
    """What a file says. A date without a zone was read in the zone given."""

    title: str
    date: datetime | None
    tags: tuple[str, ...]
    categories: tuple[str, ...]
    draft: bool
    lang: str  # zh or en
    summary: str
    body: str
    cover: str  # a path or address as the author wrote it
    extra: dict[str, Any] = field(default_factory=dict)


def parse(content: bytes, *, file_name: str, zone: tzinfo = UTC) -> Parsed:
    """Take a Markdown file apart; `file_name` may be its path within the folder.

    Raises Invalid for "file": file_empty, file_too_large, bad_encoding, bad_front_matter, bad_date,
    with the line number and its first 80 characters.
    """
    if len(content) > most("import_file_bytes"):
        message = N_("This file has %(size)s bytes; up to %(limit)s are allowed.")
        limit = f"{most('import_file_bytes'):,}"
        raise invalid("file", "file_too_large", message, size=f"{len(content):,}", limit=limit)
    text = clean_text(decode(content))
    if not text.strip():
        raise invalid("file", "file_empty", N_("This file is empty. Choose another one."))
    try:
        values, body = split(text)
        return _parsed(_Values(values, text), body, file_name, zone)
    except BadFrontMatter as error:
        excerpt = _line_of(text, error.line)[:_EXCERPT]
        params = error.params | {"line": error.line, "excerpt": excerpt}
        raise invalid("file", error.code, error.message, **params) from error


def _line_of(text: str, number: int) -> str:
    lines = text.split("\n")
    return lines[min(number, len(lines)) - 1] if lines else ""


class _Values:
    """Front matter by lower-case name; asking says which types will do."""

    def __init__(self, values: Mapping[str, Any], source: str) -> None:
        self._values = {str(name).lower().strip(): value for name, value in values.items()}
        self._source = source

    def first(self, *names: str) -> Any:
        """The first of these that says anything."""
        return next(
            (self._values[n] for n in names if self._values.get(n) not in (None, "", [])), ""
        )

    def text(self, *names: str) -> str:
        value = self.first(*names)
        if isinstance(value, dict | list):
            raise BadFrontMatter(_NO_TEXT, self.line(*names), name=names[0])
        return clean_line(str(value))

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name).lower()
        if value in _TRUE or value in _FALSE:
            return value in _TRUE
        if value:
            raise BadFrontMatter(_NO_FLAG, self.line(name), name=name)
        return default

    def labels(self, many: str, single: str) -> tuple[str, ...]:
        """A list, or a text: parted at commas, else at spaces; the name in the singular is one label."""
        value = self.first(many)
        if not value:
            value = self.first(single)
            value = value if isinstance(value, list) else [value]
        if isinstance(value, str):
            value = (
                re.split(r"[,，、;；]", value) if re.search(r"[,，、;；]", value) else value.split()
            )
        if not isinstance(value, list) or any(isinstance(item, dict | list) for item in value):
            raise BadFrontMatter(_NO_LIST, self.line(many, single), name=many)
        labels = (clean_line(str(item)).lstrip("#").strip() for item in value)
        return tuple({label.casefold(): label for label in labels if label}.values())

    def moment(self, zone: tzinfo, *names: str) -> datetime | None:
        value = self.first(*names)
        if isinstance(value, str | date):
            found = date_from(value, zone)
            if found or not value:
                return found
        raise BadFrontMatter(_NO_DATE, self.line(*names), code="bad_date")

    def cover(self) -> str:
        value = self.first(
            "cover", "image", "featured_image", "featuredimage", "thumbnail", "banner"
        )
        value = value or self.first("images")
        if isinstance(value, dict):
            value = next((value[n] for n in ("image", "src", "path", "url") if value.get(n)), "")
        if isinstance(value, list):
            value = value[0]
        return clean_line(value) if isinstance(value, str) else ""

    def line(self, *names: str) -> int:
        """The line where the first of these names stands."""
        pattern = rf"^[\s{{\"'+]*(?:{'|'.join(map(re.escape, names))})[\"']?\s*[:=]"
        found = re.search(pattern, self._source, re.MULTILINE | re.IGNORECASE)
        return self._source.count("\n", 0, found.end()) + 1 if found else 1

    @property
    def unknown(self) -> dict[str, Any]:
        return {name: plain(value) for name, value in self._values.items() if name not in _KNOWN}


def plain(value: Any) -> Any:
    """The value in what every database's JSON knows: dates, infinities become text."""
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if value is None or isinstance(value, int | float | bool):
        return value
    return clean_text(str(value))


def _parsed(values: _Values, body: str, file_name: str, zone: tzinfo) -> Parsed:
    name = _Name.of(file_name)
    heading, without_heading = _first_heading(body)
    title = values.text("title") or heading or name.words
    if heading == title:
        body = without_heading  # the page shows the title already
    named = values.text("lang", "language", "locale").lower() or name.lang
    return Parsed(
        title=title,
        date=values.moment(zone, "date", "publishdate") or date_from(name.date, zone),
        tags=values.labels("tags", "tag"),
        categories=values.labels("categories", "category"),
        draft=values.flag("draft", False) or not values.flag("published", True),
        lang=named[:2] if named[:2] in {"zh", "en"} else guess_language(f"{title}\n{body}"),
        summary=values.text("summary", "description", "excerpt"),
        body=body.strip("\n"),
        cover=values.cover(),
        extra=values.unknown,
    )


@dataclass(frozen=True)
class _Name:
    """What a file's name says: Jekyll puts the date before it, Hugo the language behind it."""

    words: str
    date: str
    lang: str

    @classmethod
    def of(cls, file_name: str) -> "_Name":
        path = PurePosixPath(file_name.replace("\\", "/"))
        rest = re.sub(r"\.(?:md|markdown|mdown)$", "", path.name, flags=re.IGNORECASE)
        language = _LANGUAGE_NAME.fullmatch(rest)
        rest = language["rest"] if language else rest
        if rest.lower() in _BUNDLE_NAMES and path.parent.name:
            rest = path.parent.name
        jekyll = _JEKYLL_NAME.fullmatch(rest)
        words = re.sub(r"[-_\s]+", " ", jekyll["rest"] if jekyll else rest).strip()
        return cls(
            words, jekyll["date"] if jekyll else "", language["lang"].lower() if language else ""
        )


_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")


def _first_heading(body: str) -> tuple[str, str]:
    """The first heading's words, and the body without it where it opens the text; else the body."""
    lines = body.split("\n")
    fence = ""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark[1]
        if fence or mark:
            continue
        length, words = _heading_at(lines, number)
        if length:
            opens = not any(before.strip() for before in lines[:number])
            return words, "\n".join(lines[number + length :]) if opens else body
    return "", body


def _heading_at(lines: list[str], number: int) -> tuple[int, str]:
    """How many lines a heading takes here, and its words; 0 when there is none."""
    atx = _ATX.match(lines[number])
    if atx:
        return 1, _bare(atx[2])
    is_text = lines[number].strip() and not lines[number].startswith((" ", "\t", ">", "-", "|"))
    if is_text and number + 1 < len(lines) and _UNDERLINE.match(lines[number + 1]):
        is_alone = number == 0 or not lines[number - 1].strip()
        return (2, _bare(lines[number])) if is_alone else (0, "")
    return 0, ""


def _bare(words: str) -> str:
    """A heading's words without the marks around and inside them."""
    words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", words)
    words = re.sub(r"\{#[\w-]+\}\s*$", "", words)
    return clean_line(re.sub(r"\*\*|__|[*`]|~~|<[^<>]*>", "", words))


def guess_language(text: str) -> str:
    """zh when at least three tenths of the words are Chinese characters, else en."""
    han, words = len(_HAN.findall(text)), len(_LATIN_WORD.findall(text))
    return "zh" if han and han >= 0.3 * (han + words) else "en"
