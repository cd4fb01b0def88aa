"""What every kind of asset must be able to do: judge what was typed and freeze it for a version."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from cms.core.errors import Invalid, Problem, SeedbedError, invalid
from cms.core.i18n import N_
from cms.core.limits import most
from cms.core.text import check_filled, check_length, clean_line, clean_text
from content_library.models import Media

LANGUAGES = ("zh", "en")
LONGEST_SUMMARY = 500
LONGEST_ALT = 300
LONGEST_WORDS = 200  # source, rights, note


@dataclass(frozen=True)
class MediaUse:
    """A picture an asset shows: its role (cover, poster, inline) and its words for who cannot see."""

    media: Media
    role: str
    alt: str = ""


@dataclass(frozen=True)
class AssetFields:
    """Everything a person, or an importer, may say about an asset. Each kind takes what it knows.

    `images` says which picture (by sha256) an address written in the text stands for.
    """

    title: str
    summary: str = ""
    body: str = ""
    lang: str = "zh"
    url: str = ""
    duration: str = ""
    cover: MediaUse | None = None
    poster: MediaUse | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    rights: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    note: str = ""


@dataclass(frozen=True)
class Composed:
    """What a version will hold. `told`: what the author must hear was changed or taken away."""

    title: str
    summary: str
    lang: str
    body: str = ""
    html: str = ""
    content: dict[str, Any] = field(default_factory=dict)
    media: tuple[MediaUse, ...] = ()
    told: tuple[Problem, ...] = ()


class Kind(ABC):
    """A sort of asset. Members differ in what they ask for and in how it is shown."""

    slug: ClassVar[str]
    label: ClassVar[str]
    new_label: ClassVar[str]
    icon: ClassVar[str]

    def compose(self, fields: AssetFields) -> Composed:
        """Judge the fields and freeze them; raises Invalid with every fault found."""
        faults: dict[str, Problem] = {}
        title = clean_line(fields.title)
        summary = clean_text(fields.summary).strip()
        for name, check in (
            ("title", lambda: self._check_title(title)),
            ("summary", lambda: check_length("summary", summary, LONGEST_SUMMARY)),
            ("lang", lambda: _check_language(fields.lang)),
            ("valid_until", lambda: _check_dates(fields)),
            ("source", lambda: check_length("source", fields.source, LONGEST_WORDS)),
            ("rights", lambda: check_length("rights", fields.rights, LONGEST_WORDS)),
            ("note", lambda: check_length("note", fields.note, LONGEST_WORDS)),
        ):
            _gather(faults, name, check)
        composed: list[Composed] = []
        _gather(
            faults, "", lambda: composed.append(self._compose(fields, title=title, summary=summary))
        )
        if faults:
            raise Invalid(faults)
        return composed[0]

    @abstractmethod
    def _compose(self, fields: AssetFields, *, title: str, summary: str) -> Composed:
        """The kind's own part; title, summary, language and dates are judged already."""

    def plain_text(self, version_html: str, content: Mapping[str, Any]) -> str:
        """Words of the content beyond title and summary, for search and for taggers."""
        return str(content.get("words", ""))

    @staticmethod
    def _check_title(title: str) -> None:
        check_filled("title", title)
        check_length("title", title, most("title_characters"))


def checked_alt(use: MediaUse, field_name: str) -> str:
    """The picture's words; raises Invalid when there are none, or too many."""
    alt = clean_line(use.alt)
    if not alt:
        raise invalid(
            field_name,
            "alt_missing",
            N_("Say in a few words what the picture shows, for people who cannot see it."),
        )
    check_length(field_name, alt, LONGEST_ALT)
    return alt


def _gather(faults: dict[str, Problem], name: str, check: Any) -> None:
    try:
        check()
    except Invalid as error:
        for key, problem in error.fields.items():
            faults.setdefault(key or name, problem)
    except SeedbedError as error:
        faults.setdefault(name, error.problem)


def _check_language(lang: str) -> None:
    if lang not in LANGUAGES:
        raise invalid("lang", "bad_language", N_("Choose zh or en."))


def _check_dates(fields: AssetFields) -> None:
    if fields.valid_from and fields.valid_until and fields.valid_until < fields.valid_from:
        raise invalid("valid_until", "ends_before_start", N_("The last day lies before the first."))
