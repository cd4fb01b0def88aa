"""What an Official Account is given of a post: an article, a set of pictures, or plain words."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from html import escape
from typing import Any

from cms.core.errors import Problem
from cms.core.i18n import N_
from cms.core.text import Unit, is_blank
from schedules import renditions
from schedules.channels.answers import Card, Rendered
from schedules.channels.official_account import COVER_LIMITS, INLINE_LIMITS
from schedules.envelopes import Outgoing, Picture

TITLE_CHARACTERS = 32
AUTHOR_CHARACTERS = 16
DIGEST_CHARACTERS = 128
CONTENT_CHARACTERS = 20_000
CONTENT_BYTES = 1_000_000
PICTURES_WORDS = 1_000  # beside a set of pictures; the account's console takes no more
MOST_PICTURES = 20
ADDRESS_CHARACTERS = 200  # of one of our pictures, once the carrier has named it

LONG_TITLE = N_("The title has %(count)s characters; an Official Account shows at most %(limit)s.")
LONG_AUTHOR = N_("The account's author has %(count)s characters; at most %(limit)s are taken.")
LONG_ARTICLE = N_(
    "The article is too long for an Official Account: %(count)s/%(limit)s characters."
)
NO_COVER = N_("An article needs a cover. Give the asset one, or the account a standing cover.")
SUMMARY_USED = N_("The asset's summary stands as the digest, since nothing was written here.")
STANDING_COVER = N_("The account's standing cover is used: the asset has none.")
LINKS_LOST = N_("%(count)s links in the article become plain words: articles lead nowhere else.")
PICTURES_LOST = N_("%(count)s pictures in the article lie elsewhere and are left out.")
PICTURES_UNUSED = N_("The pictures chosen for the post are not sent: the article has its own.")
LINK_BELOW = N_("“Read more” below the article leads to the tracked link.")
LINK_ADDED = N_("The tracked link is added as the last line.")

_OWN_IMAGE = re.compile(r'<img\b[^>]*? src="/media/([0-9a-f]{64})(?:/\w+)?"[^>]*>')
_ANY_IMAGE = re.compile(r"<img\b[^>]*>")
_OPENING_LINK = re.compile(r'<a\b[^>]*? href="(?!#)[^"]*"[^>]*>')
_ANY_LINK = re.compile(r"</?a\b[^>]*>")
_ALT = re.compile(r' alt="([^"]*)"')


class Form(StrEnum):
    ARTICLE = "news"
    PICTURES = "newspic"
    WORDS = "words"  # published as an article without pictures, mass sent as a text


@dataclass(frozen=True)
class Piece:
    """A post in the account's own form. `text` is what the planner's counter counts."""

    form: Form
    title: str
    text: str
    limit: int
    html: str = ""
    cover: Picture | None = None
    standing_cover: str = ""  # a media id of the account's library
    pictures: tuple[Picture, ...] = ()
    link: str = ""
    changes: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def library(self) -> tuple[Picture, ...]:
        """Our pictures that must lie in the account's library before."""
        return (*self.pictures, *((self.cover,) if self.cover else ()))

    def rendered(self) -> Rendered:
        """The same as the preview shows it."""
        has_card = self.form is Form.ARTICLE
        card = Card(self.title, self.link, self.text, self.cover) if has_card else None
        return Rendered(
            text=self.text,
            used=len(self.text),
            limit=self.limit,
            unit=Unit.CHARACTERS,
            pictures=self.pictures,
            card=card,
            title=self.title,
            html=self.html,
            changes=self.changes,
            problems=self.problems,
        )


@dataclass
class _Notes:
    changes: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def change(self, code: str, message: str, **params: Any) -> None:
        self.changes.append(Problem(code, message, params))

    def problem(self, code: str, message: str, **params: Any) -> None:
        self.problems.append(Problem(code, message, params))


def published(outgoing: Outgoing) -> Piece:
    """For publishing: an article stays one, pictures stay pictures, words become an article."""
    if _is_article(outgoing):
        return _article(outgoing)
    pictures = _own_pictures(outgoing)
    return _pictures(outgoing, pictures) if pictures else _worded_article(outgoing)


def mass_sent(outgoing: Outgoing, *, words_limit: int) -> Piece:
    """For sending to followers: the same, but words may go as they are."""
    if _is_article(outgoing):
        return _article(outgoing)
    pictures = _own_pictures(outgoing)
    return _pictures(outgoing, pictures) if pictures else _words(outgoing, words_limit)


def _is_article(outgoing: Outgoing) -> bool:
    return outgoing.kind == "article" and bool(outgoing.html)


def _own_pictures(outgoing: Outgoing) -> tuple[Picture, ...]:
    return outgoing.pictures or ((outgoing.cover,) if outgoing.cover else ())


def _article(outgoing: Outgoing) -> Piece:
    notes = _Notes()
    digest = outgoing.body
    if is_blank(digest) and outgoing.summary:
        digest = outgoing.summary[:DIGEST_CHARACTERS]
        notes.change("summary_used", SUMMARY_USED)
    html = _told_html(outgoing.html, notes)
    _judge_title(outgoing, notes)
    _judge_article(html, notes)
    cover = outgoing.cover or next(iter(outgoing.pictures), None)
    standing = _standing_cover(outgoing, cover, notes)
    notes.changes += _cuts(outgoing, html, cover)
    if outgoing.link:
        notes.change("link_below", LINK_BELOW)
    if any(picture != cover for picture in outgoing.pictures):
        notes.change("pictures_unused", PICTURES_UNUSED)
    return Piece(
        Form.ARTICLE,
        outgoing.title,
        digest,
        DIGEST_CHARACTERS,
        html=html,
        cover=cover,
        standing_cover=standing,
        link=outgoing.link,
        changes=tuple(notes.changes),
        problems=tuple(notes.problems),
    )


def _pictures(outgoing: Outgoing, pictures: tuple[Picture, ...]) -> Piece:
    notes = _Notes()
    _judge_title(outgoing, notes)
    notes.changes += renditions.changes(pictures, COVER_LIMITS)
    text = _with_link(outgoing, notes)
    return Piece(
        Form.PICTURES,
        outgoing.title,
        text,
        PICTURES_WORDS,
        pictures=pictures,
        changes=tuple(notes.changes),
        problems=tuple(notes.problems),
    )


def _words(outgoing: Outgoing, limit: int) -> Piece:
    notes = _Notes()
    text = _with_link(outgoing, notes)
    return Piece(Form.WORDS, outgoing.title, text, limit, changes=tuple(notes.changes))


def _worded_article(outgoing: Outgoing) -> Piece:
    """Nothing but articles and pictures can be published, and an article needs a cover."""
    notes = _Notes()
    _judge_title(outgoing, notes)
    standing = _standing_cover(outgoing, None, notes)
    if outgoing.link:
        notes.change("link_below", LINK_BELOW)
    return Piece(
        Form.WORDS,
        outgoing.title,
        outgoing.body,
        CONTENT_CHARACTERS - 1_000,  # room for the marks of its paragraphs
        html="".join(f"<p>{escape(line)}</p>" for line in outgoing.body.splitlines() if line),
        standing_cover=standing,
        link=outgoing.link,
        changes=tuple(notes.changes),
        problems=tuple(notes.problems),
    )


def _with_link(outgoing: Outgoing, notes: _Notes) -> str:
    if not outgoing.link:
        return outgoing.body
    notes.change("link_added", LINK_ADDED)
    return f"{outgoing.body}\n{outgoing.link}" if outgoing.body else outgoing.link


def _told_html(html: str, notes: _Notes) -> str:
    """The article without what the carrier would drop in silence."""
    lost = len(_OPENING_LINK.findall(html))
    if lost:
        notes.change("links_lost", LINKS_LOST, count=lost)
    html = _ANY_LINK.sub("", html)
    elsewhere = 0

    def judged(match: re.Match[str]) -> str:
        nonlocal elsewhere
        if _OWN_IMAGE.fullmatch(match[0]):
            return match[0]
        elsewhere += 1
        return ""

    html = _ANY_IMAGE.sub(judged, html)
    if elsewhere:
        notes.change("pictures_lost", PICTURES_LOST, count=elsewhere)
    return html


def _judge_title(outgoing: Outgoing, notes: _Notes) -> None:
    author = str(outgoing.settings.get("author", ""))
    for text, limit, code, message in (
        (outgoing.title, TITLE_CHARACTERS, "title_too_long", LONG_TITLE),
        (author, AUTHOR_CHARACTERS, "author_too_long", LONG_AUTHOR),
    ):
        if len(text) > limit:
            notes.problem(code, message, count=len(text), limit=limit)


def _judge_article(html: str, notes: _Notes) -> None:
    """Counted as if the carrier had named our pictures already, since it does so only later."""
    foreseen = shown_with(html, lambda sha: "x" * ADDRESS_CHARACTERS)
    if not fits(foreseen):
        notes.problem(
            "article_too_long",
            LONG_ARTICLE,
            count=f"{len(foreseen):,}",
            limit=f"{CONTENT_CHARACTERS:,}",
        )


def fits(html: str) -> bool:
    return len(html) < CONTENT_CHARACTERS and len(html.encode()) < CONTENT_BYTES


def _standing_cover(outgoing: Outgoing, cover: Picture | None, notes: _Notes) -> str:
    if cover is not None:
        return ""
    standing = str(outgoing.settings.get("cover_media_id", ""))
    if standing:
        notes.change("standing_cover", STANDING_COVER)
    else:
        notes.problem("cover_missing", NO_COVER)
    return standing


def _cuts(outgoing: Outgoing, html: str, cover: Picture | None) -> tuple[Problem, ...]:
    """What is made smaller, counted as readers meet them: the cover first, then those inside."""
    known = {picture.sha256: picture for picture in outgoing.inline}
    inside = [known[sha] for sha in inline_pictures(html) if sha in known]
    told = renditions.changes((cover,), COVER_LIMITS) if cover else ()
    first = 2 if cover else 1
    cuts = (renditions.foretell(one, INLINE_LIMITS, n) for n, one in enumerate(inside, first))
    return (*told, *(cut for cut in cuts if cut))


def shown_with(html: str, address_of: Callable[[str], str]) -> str:
    """The article with our pictures at the addresses the carrier gave them."""

    def placed(match: re.Match[str]) -> str:
        alt = _ALT.search(match[0])
        words = f' alt="{alt[1]}"' if alt else ""
        return f'<img src="{escape(address_of(match[1]))}"{words}>'

    return _OWN_IMAGE.sub(placed, html)


def inline_pictures(html: str) -> list[str]:
    """The hashes of our pictures in the article, each once."""
    return list(dict.fromkeys(_OWN_IMAGE.findall(html)))
