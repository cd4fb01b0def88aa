"""Whether the links of the post lead somewhere, and still do so when it leaves."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, and_, or_, select

from cms.core.config import current
from cms.core.db import session
from cms.core.errors import Problem
from cms.core.i18n import N_
from content_library.models import AssetVersion
from schedules.models import Post, Publication, TrackedLink
from schedules.preflight.asking import WHEN_IT_LEAVES, Asked, Concern, Level, Question, Subject
from schedules.states import LinkCheck
from schedules.warnings import Fix

GONE = N_("The link to %(site)s leads nowhere any more. Choose another asset, or mend its link.")
FORBIDDEN = N_("The link to %(site)s leads to an address that may not be opened.")
SILENT = N_("Nobody answered at %(site)s when its link was looked at last. Try it yourself.")
OVER = N_("The link of the post stops working on %(when)s, before the post goes out.")

Known = dict[int, list[Row[Any]]]


def _learn(subjects: Sequence[Subject], _asked: Asked) -> Known:
    """Only links that give cause to speak."""
    wanted = [subject.publication_id for subject in subjects]
    rows = session.execute(
        select(
            TrackedLink.publication_id,
            TrackedLink.target,
            TrackedLink.expires_at,
            TrackedLink.check,
            TrackedLink.checked_at,
            AssetVersion.content,
        )
        .join(Publication, Publication.id == TrackedLink.publication_id)
        .join(Post, Post.id == Publication.post_id)
        .join(AssetVersion, AssetVersion.id == Post.version_id)
        .where(TrackedLink.publication_id.in_(wanted))
        .where(
            or_(
                TrackedLink.expires_at.is_not(None),
                TrackedLink.check.in_([LinkCheck.GONE, LinkCheck.FORBIDDEN]),
                and_(TrackedLink.check == LinkCheck.UNKNOWN, TrackedLink.checked_at.is_not(None)),
            )
        )
        .order_by(TrackedLink.id)
    )
    known: Known = defaultdict(list)
    for row in rows:
        if _is_used(row):
            known[row.publication_id].append(row)
    return known


def _is_used(row: Row[Any]) -> bool:
    """A link that an earlier version of the asset left behind is in nobody's way."""
    return not row.target or row.target == str(row.content.get("url") or "")[:1000]


def _ask(subject: Subject, known: Known) -> list[Concern]:
    found = []
    for link in known.get(subject.publication_id, ()):
        if link.expires_at is not None and link.expires_at <= subject.at:
            found.append(Concern(Problem("link_expired", OVER, {"when": _words(link.expires_at)})))
        if link.target:
            found += _of_target(link)
    return found


def _of_target(link: Row[Any]) -> list[Concern]:
    site = {"site": urlsplit(link.target).hostname or link.target[:60]}
    if link.check is LinkCheck.GONE:
        return [Concern(Problem("link_gone", GONE, site), fix=Fix.SWAP)]
    if link.check is LinkCheck.FORBIDDEN:
        return [Concern(Problem("link_forbidden", FORBIDDEN, site), fix=Fix.SWAP)]
    if link.check is LinkCheck.UNKNOWN and link.checked_at is not None:
        return [Concern(Problem("link_silent", SILENT, site), Level.WARNS)]
    return []


def _words(moment: datetime) -> str:
    return f"{moment.astimezone(current().zone):%Y-%m-%d %H:%M}"


QUESTION = Question("links", _ask, _learn, WHEN_IT_LEAVES)
