"""What exactly a post would send, and the fingerprint that an approval pins."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from audience.models import Pool
from cms.core.db import session
from content_library.models import Asset, AssetVersion, Media, VersionMedia
from schedules import links, wording
from schedules.channels import CHANNELS
from schedules.envelopes import Outgoing, Picture
from schedules.models import ChannelAccount, Post

__all__ = [
    "Outgoing",
    "content_hash",
    "drafted",
    "outgoing",
    "outgoing_of_many",
    "pictured",
    "reworded",
    "through",
]

STANDS_FOR_ALL = ("cover", "poster")
INSIDE = ("inline",)


def outgoing(post: Post) -> Outgoing:
    """The content as it stands now; nothing about it is read later, from anywhere else."""
    return outgoing_of_many([post])[post.id]


def outgoing_of_many(posts: Iterable[Post]) -> dict[int, Outgoing]:
    """For several posts at once: one query for all their pictures."""
    posts = list(posts)
    wanted = {int(media_id) for post in posts for media_id in post.media_ids}
    around = _Around(
        pictures=_pictures(wanted),
        kinds=_kinds({post.asset_id for post in posts}),
        shown=_shown({post.version_id for post in posts}),
    )
    return {post.id: _outgoing(post, around) for post in posts}


def content_hash(content: Outgoing) -> str:
    """A fingerprint of everything the approver saw.

    The link counts by its name or code, not its host: an installation that moves keeps its approvals.
    """
    parts = {
        "asset": content.asset_id,
        "version": content.version_id,
        "title": content.title,
        "text": content.body,
        "link": content.link_code,
        "pictures": [[picture.media_id, picture.sha256] for picture in content.pictures],
        "channel": content.channel,
        "account": content.account_slug,
        "pool": content.pool_slug,
        "window": content.window.isoformat(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class _Around:
    """What the posts refer to, read for all of them at once."""

    pictures: dict[int, Picture]
    kinds: dict[int, str]
    shown: dict[int, "_Shown"]


@dataclass
class _Shown:
    """What a version shows by itself: one picture that stands for it, those inside its html."""

    cover: Picture | None = None
    inline: tuple[Picture, ...] = ()


def _outgoing(post: Post, around: _Around) -> Outgoing:
    link = links.own_link(post.publication) if post.publication else None
    address = links.url_of(link) if link else ""
    shown = around.shown[post.version_id]
    return Outgoing(
        post_id=post.id,
        asset_id=post.asset_id,
        version_id=post.version_id,
        title=post.version.title,
        text=_text(post, address),
        body=post.text,
        link=address,
        link_code=links.written_as(link) if link else "",
        pictures=tuple(
            around.pictures.get(int(one), Picture(int(one), "")) for one in post.media_ids
        ),
        channel=post.account.channel,
        account_slug=post.account.slug,
        pool_slug=post.pool.slug,
        window=post.publish_at,
        kind=around.kinds.get(post.asset_id, ""),
        summary=post.version.summary,
        lang=post.version.lang,
        html=post.version.html,
        cover=shown.cover,
        inline=shown.inline,
        public_id=post.publication.public_id if post.publication else "",
        settings=dict(post.account.settings),
    )


def reworded(content: Outgoing, text: str) -> Outgoing:
    """The same content with other words."""
    return replace(content, body=text, text=_with_link(text, content.link, content.channel))


def through(content: Outgoing, account: ChannelAccount) -> Outgoing:
    """The same content as it would leave through that account."""
    return replace(
        content,
        text=_with_link(content.body, content.link, account.channel),
        channel=account.channel,
        account_slug=account.slug,
        settings=dict(account.settings),
    )


def drafted(
    version: AssetVersion, account: ChannelAccount, pool: Pool, *, text: str, window: datetime
) -> Outgoing:
    """What a post would send that nobody has planned yet; its link is as long as a real one."""
    media_ids = wording.pictures_of(version, account)
    pictures, link = _pictures(set(media_ids)), links.sample_url()
    shown = _shown({version.id})[version.id]
    return Outgoing(
        post_id=0,
        asset_id=version.asset_id,
        version_id=version.id,
        title=version.title,
        text=_with_link(text, link, account.channel),
        body=text,
        link=link,
        link_code=link.rsplit("/", 1)[-1],
        pictures=tuple(pictures[one] for one in media_ids if one in pictures),
        channel=account.channel,
        account_slug=account.slug,
        pool_slug=pool.slug,
        window=window,
        kind=_kinds({version.asset_id}).get(version.asset_id, ""),
        summary=version.summary,
        lang=version.lang,
        html=version.html,
        cover=shown.cover,
        inline=shown.inline,
        public_id=link.rsplit("/", 1)[-1],
        settings=dict(account.settings),
    )


def pictured(content: Outgoing, media_ids: Iterable[int]) -> Outgoing:
    """The same content with other pictures; those that do not exist are left out."""
    wanted = list(dict.fromkeys(media_ids))
    found = _pictures(set(wanted))
    return replace(content, pictures=tuple(found[one] for one in wanted if one in found))


def _text(post: Post, address: str) -> str:
    return _with_link(post.text, address, post.account.channel)


def _with_link(text: str, address: str, channel: str) -> str:
    """A carrier without a place for a link gets it as the last line of the text."""
    if not address or not CHANNELS.get(channel).appends_link:
        return text
    return f"{text}\n{address}" if text else address


_MEASURES = (Media.id, Media.sha256, Media.mime, Media.width, Media.height, Media.size)


def _pictures(media_ids: set[int]) -> dict[int, Picture]:
    if not media_ids:
        return {}
    rows = session.execute(select(*_MEASURES).where(Media.id.in_(media_ids)))
    return {row[0]: Picture(*row) for row in rows}


def _kinds(asset_ids: set[int]) -> dict[int, str]:
    rows = session.execute(select(Asset.id, Asset.kind).where(Asset.id.in_(asset_ids)))
    return {asset_id: kind for asset_id, kind in rows}


def _shown(version_ids: set[int]) -> dict[int, _Shown]:
    """Of each version the first picture that stands for the whole, and those inside in their order."""
    rows = session.execute(
        select(VersionMedia.version_id, VersionMedia.role, *_MEASURES)
        .join(VersionMedia.media)
        .where(
            VersionMedia.version_id.in_(version_ids),
            VersionMedia.role.in_((*STANDS_FOR_ALL, *INSIDE)),
        )
        .order_by(VersionMedia.position, VersionMedia.id)
    )
    found = {version_id: _Shown() for version_id in version_ids}
    for row in rows:
        picture, shown = Picture(*row[2:]), found[row[0]]
        if row[1] in INSIDE:
            shown.inline += (picture,)
        else:
            shown.cover = shown.cover or picture
    return found
