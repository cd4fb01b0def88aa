"""What people may say about a tracked link: a name that can be read aloud, and when it ends."""

import re
from datetime import date, datetime, time

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from cms.accounts import audit
from cms.accounts.models import User
from cms.core import events
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import Invalid, conflict, invalid
from cms.core.i18n import N_
from cms.core.text import clean_line
from schedules import attempts, links, wall_time
from schedules.channels import CHANNELS
from schedules.content import outgoing
from schedules.events import PostChanged
from schedules.models import Post, TrackedLink

SHORTEST, LONGEST = 3, 60
_ALIAS = re.compile(r"[a-z0-9][a-z0-9-]{1,58}[a-z0-9]")
# Names that look like a part of the site, or that say nothing at all.
_KEPT = (
    "about account admin administrator api app callback calendar css demo download enter favicon feed "
    "health healthz help home img index insights library link links login logout mail metrics new null "
    "preview qr reader root robots rss seedbed settings sign-in sign-out sitemap static status support "
    "team test today undefined unsubscribe user users www"
)
RESERVED = frozenset(_KEPT.split())
BAD_ALIAS = N_(
    "Use 3 to 60 small letters a–z, digits and hyphens, with a letter or digit at both ends."
)
RESERVED_ALIAS = N_("“%(name)s” is kept for the site itself. Choose another name.")
TAKEN = N_("“%(name)s” leads somewhere else already. Choose another name.")
LIKE_A_CODE = N_("“%(name)s” looks like the code of another link. Choose another name.")
IN_APPROVED = N_("The approved words carry this name. Take the approval back to change it.")
WITH_READERS = N_("Readers have this name already, so it stays.")
HALF_AN_END = N_("Give both a day and a time, or neither.")
OVER = N_("That moment is over. Choose a later one, or leave both empty.")
ENDS_TOO_EARLY = N_("The link would end before the post goes out on %(when)s.")

_FIELDS = {"wall_date": "ends_on", "wall_time": "ends_at"}


def rename(link: TrackedLink, alias: str, *, by: User | None) -> None:
    """Give the link that name; an empty one takes its name away. The code goes on working.

    Raises Invalid for a name that cannot be used, or that makes the words too long for their
    carrier; Conflict when the name it has stands in words that were approved.
    """
    post = link.publication.post
    session.refresh(
        post, with_for_update={"of": Post}
    )  # an approval reads the name under this lock
    session.refresh(link.publication)
    alias, before = clean_line(alias).lower(), link.alias or ""
    if alias == before:
        return
    if alias:
        _check(alias, link)
    _refuse_written(link)
    link.alias = alias or None
    _keep_unique(alias)
    if link.target or link.publication.state not in links.UNDECIDED:
        audit.record("link.named", link, by=by, before=before, after=alias)
        return
    _check_carrier(post)
    post.revision += 1  # its words look different now: whoever has read them reads them again
    post.updated_at = now()
    audit.record("post.link_named", post, by=by, revision=post.revision, before=before, after=alias)
    events.emit(PostChanged(post.id))


def end(
    link: TrackedLink, on: date | None, at: time | None, *, fold: int | None = None, by: User | None
) -> None:
    """Let the link lead nowhere from that moment of the calendar's wall time on; None: never.

    Raises Invalid for half a moment, one that is over, one before the post goes out, and what
    `wall_time.settle` refuses.
    """
    if (on is None) is not (at is None):
        raise invalid("ends_at" if at is None else "ends_on", "bad_time", HALF_AN_END)
    moment = None
    if on is not None and at is not None:
        moment = _moment(link.publication.post, on, at, fold)
    if moment == link.expires_at:
        return
    link.expires_at = moment
    audit.record("link.end_set", link, by=by, at=moment.isoformat() if moment else None)


def _check(alias: str, link: TrackedLink) -> None:
    if not _ALIAS.fullmatch(alias):
        raise invalid("alias", "bad_alias", BAD_ALIAS)
    if alias in RESERVED:
        raise invalid("alias", "alias_reserved", RESERVED_ALIAS, name=alias)
    codes = select(TrackedLink.id).where(func.lower(TrackedLink.code) == alias)
    if session.scalar(codes.limit(1)) is not None:
        raise invalid("alias", "alias_like_a_code", LIKE_A_CODE, name=alias)
    named = select(TrackedLink.id).where(TrackedLink.alias == alias, TrackedLink.id != link.id)
    if session.scalar(named) is not None:
        raise invalid("alias", "alias_taken", TAKEN, name=alias)


def _keep_unique(alias: str) -> None:
    """Of two people who choose one name at the same moment, the database lets one have it."""
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        raise invalid("alias", "alias_taken", TAKEN, name=alias) from None


def _refuse_written(link: TrackedLink) -> None:
    """A name that somebody approved, or that readers hold, goes on leading there."""
    if not link.written or link.written != link.alias:
        return
    its_id = link.publication_id
    if attempts.was_accepted(its_id) or attempts.is_part_out(its_id):
        raise conflict("alias_with_readers", WITH_READERS)
    if link.publication.state not in links.UNDECIDED:
        raise conflict("alias_approved", IN_APPROVED)


def _check_carrier(post: Post) -> None:
    """A long name may be one letter too many for the carrier."""
    try:
        CHANNELS.get(post.account.channel).check(outgoing(post))
    except Invalid as error:
        raise Invalid({"alias": error.problem}) from None


def _moment(post: Post, on: date, at: time, fold: int | None) -> datetime:
    try:
        moment = wall_time.settle(on, at, post.zone, fold=fold).instant
    except Invalid as error:
        raise Invalid(
            {_FIELDS.get(name, name): one for name, one in error.fields.items()}
        ) from None
    if moment <= now():
        raise invalid("ends_on", "time_in_past", OVER)
    if moment <= post.publish_at:
        when = f"{post.wall_date.isoformat()} {post.wall_time:%H:%M}"
        raise invalid("ends_on", "ends_too_early", ENDS_TOO_EARLY, when=when)
    return moment
