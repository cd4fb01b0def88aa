"""What a letter to a list says: the post, what else the pool got lately, and the way off the list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from markupsafe import Markup
from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, selectinload

from audience.models import Pool
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session
from cms.core.i18n import N_, said_in
from cms.core.text import clean_line
from schedules import links
from schedules.asking_once import once
from schedules.envelopes import Outgoing
from schedules.models import ChannelAccount, Post, Publication
from schedules.states import PublicationState

MOST_ALSO = 5
LOOKED_AT = 20  # newest posts among which repeats of one asset are passed over
WITHIN = timedelta(days=7)

READ_ON = N_("Read on")
ALSO = N_("Also this week")
WHY = N_("You get this letter because you are on the list “%(name)s”.")
UNSUBSCRIBE = N_("Unsubscribe")

_PAGE = Markup(
    '<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>{title}</title></head>'
    '<body style="margin:0;padding:24px 12px;background:#faf8f3;color:#23282b;'
    'font:16px/1.6 -apple-system,Segoe UI,PingFang SC,Microsoft YaHei,sans-serif">'
    '<div style="max-width:560px;margin:0 auto;padding:24px;background:#ffffff">'
    "{content}</div></body></html>"
)
_TITLE = Markup('<h1 style="margin:0 0 16px;font-size:22px;line-height:1.3">{}</h1>')
_PICTURE = Markup(
    '<img src="cid:{}" alt="" width="512" style="display:block;width:100%;height:auto;margin:0 0 16px">'
)
_WORDS = Markup('<p style="margin:0 0 16px">{}</p>')
_BUTTON = Markup(
    '<p style="margin:24px 0"><a href="{}" style="display:inline-block;padding:12px 20px;'
    'background:#1f7a4d;color:#ffffff;text-decoration:none">{}</a></p>'
)
_HEAD = Markup('<h2 style="margin:32px 0 8px;font-size:16px">{}</h2>')
_ITEM = Markup('<p style="margin:0 0 8px"><a href="{}" style="color:#17603c">{}</a></p>')
_FOOT = Markup(
    '<p style="margin:32px 0 0;padding-top:16px;border-top:1px solid #e6e1d6;font-size:13px;'
    'color:#5f6669">{}<br><a href="{}" style="color:#5f6669">{}</a></p>'
)
_BREAK = Markup("<br>")


@dataclass(frozen=True)
class Also:
    """An earlier post of the pool, with its own tracked link."""

    publication_id: int
    title: str
    url: str


@dataclass(frozen=True)
class Draft:
    """What everybody on the list gets; `signed` puts in the one thing that differs."""

    subject: str
    text: str
    html: str


def unsubscribe_url(token: str) -> str:
    return f"{current().base_url}/u/{token}"


def list_id(account_slug: str) -> str:
    """Names the list for mail programs, so that people can sort by it."""
    return f"<{account_slug}.{urlsplit(current().base_url).hostname or 'localhost'}>"


ANYBODY = "…"  # stands for the token while nobody in particular is written to


def written(
    outgoing: Outgoing, also: Sequence[Also], *, name: str, about: str, pictures: Sequence[str] = ()
) -> Draft:
    """The letter for one post. `pictures` are the names under which the images travel along."""
    title = clean_line(outgoing.title)
    body = _without_title(outgoing.body, title)
    why = about or said_in(outgoing.lang, WHY, name=name)
    return Draft(
        title,
        _text(outgoing, body, also, why),
        _html(outgoing, body, also, why=why, pictures=pictures),
    )


def signed(draft: Draft, token: str) -> tuple[str, str]:
    """Text and HTML for one reader, with their own way off the list."""
    anybody, own = unsubscribe_url(ANYBODY), unsubscribe_url(token)
    return draft.text.replace(anybody, own), draft.html.replace(anybody, own)


def earlier(outgoing: Outgoing) -> list[Also]:
    """What the pool got elsewhere since this account's last letter, a week at most; newest first.

    Each of them was approved and is live; so the letter's own approval need not name them.
    """
    about = (outgoing.pool_slug, outgoing.account_slug, outgoing.channel)
    seen = {outgoing.asset_id}
    listed: list[Publication] = []
    for publication in once(("earlier", *about), lambda: _newest(*about)):
        if publication.post.asset_id not in seen and len(listed) < MOST_ALSO:
            seen.add(publication.post.asset_id)
            listed.append(publication)
    return [_also(publication) for publication in listed]


def _newest(pool_slug: str, account_slug: str, channel: str) -> list[Publication]:
    since = now() - WITHIN
    last = session.scalar(
        select(func.max(Publication.published_at))
        .join(Publication.pool)
        .join(Publication.account)
        .where(Pool.slug == pool_slug, ChannelAccount.slug == account_slug)
        .where(
            Publication.published_at > since
        )  # what is older changes nothing and need not be read
    )
    found = (
        _live()
        .join(Publication.pool)
        .join(Publication.account)
        .where(Pool.slug == pool_slug, ChannelAccount.channel != channel)
        .where(Publication.published_at > max(since, last or since))
        .order_by(Publication.published_at.desc(), Publication.id.desc())
    )
    return list(session.scalars(found.limit(LOOKED_AT)))


def chosen(publication_ids: Sequence[int]) -> list[Also]:
    """Those chosen before, in that order; what has been taken back since is left out."""
    rows = session.scalars(_live().where(Publication.id.in_(publication_ids)))
    found = {publication.id: publication for publication in rows}
    return [_also(found[one]) for one in publication_ids if one in found]


def _live() -> Select[Publication]:
    return (
        select(Publication)
        .where(Publication.state == PublicationState.PUBLISHED, Publication.withdrawn_at.is_(None))
        .options(
            selectinload(Publication.links),
            joinedload(Publication.post).joinedload(Post.version),
        )
    )


def _also(publication: Publication) -> Also:
    link = links.own_link(publication)
    url = links.url_of(link) if link else links.reader_page_url(publication)
    return Also(publication.id, clean_line(publication.post.version.title), url)


def _without_title(body: str, title: str) -> str:
    """A text that begins with the title would say it twice."""
    first, _, rest = body.partition("\n")
    return rest.lstrip("\n") if clean_line(first) == title else body


def _text(outgoing: Outgoing, body: str, also: Sequence[Also], why: str) -> str:
    lang = outgoing.lang
    parts = [clean_line(outgoing.title), body]
    if outgoing.link:
        parts.append(f"{said_in(lang, READ_ON)}: {outgoing.link}")
    if also:
        lines = [f"- {one.title}\n  {one.url}" for one in also]
        parts.append("\n".join([said_in(lang, ALSO), *lines]))
    parts.append(f"-- \n{why}\n{said_in(lang, UNSUBSCRIBE)}: {unsubscribe_url(ANYBODY)}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _html(
    outgoing: Outgoing, body: str, also: Sequence[Also], *, why: str, pictures: Sequence[str]
) -> str:
    lang = outgoing.lang
    paragraphs = [part for part in body.split("\n\n") if part.strip()]
    parts = [_TITLE.format(clean_line(outgoing.title))]
    parts += [_PICTURE.format(name) for name in pictures]
    parts += [_WORDS.format(_BREAK.join(part.split("\n"))) for part in paragraphs]
    if outgoing.link:
        parts.append(_BUTTON.format(outgoing.link, said_in(lang, READ_ON)))
    if also:
        parts.append(_HEAD.format(said_in(lang, ALSO)))
        parts += [_ITEM.format(one.url, one.title) for one in also]
    parts.append(_FOOT.format(why, unsubscribe_url(ANYBODY), said_in(lang, UNSUBSCRIBE)))
    shown = "zh-CN" if lang.startswith("zh") else lang or "en"
    title = clean_line(outgoing.title)
    return str(_PAGE.format(lang=shown, title=title, content=Markup("").join(parts)))
