"""Posts: planning one, changing its words, place or asset, dropping it, and handing it in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager, joinedload

from audience.models import Pool
from cms.accounts import audit
from cms.accounts.models import User
from cms.core import events
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import Conflict, Invalid, NotFound, Problem, conflict, invalid
from cms.core.i18n import N_
from cms.core.text import check_filled, clean_text
from content_library.models import Asset
from content_library.versions import current
from schedules import placing, preflight, publications, wall_time, wording
from schedules.channels import CHANNELS
from schedules.content import outgoing
from schedules.events import PostChanged, PostSubmitted
from schedules.models import Calendar, ChannelAccount, Post, Publication
from schedules.placing import Wish
from schedules.preflight import Asked
from schedules.states import PublicationState, ReviewState
from schedules.wall_time import Moment


@dataclass(frozen=True)
class Refusal:
    """One post that was left as it is, and why."""

    post: Post
    problem: Problem


@dataclass
class SubmitReport:
    """What became of a week's drafts."""

    submitted: list[Post] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


# --- finders


def get(post_id: int) -> Post:
    """The post of that id; raises NotFound."""
    found = session.get(Post, post_id)
    if found is None:
        raise NotFound("post")
    return found


def of_week(calendar: Calendar, monday: date) -> Select[Post]:
    """The posts whose wall date lies in the week, dropped ones left out, in order of time."""
    return (
        select(Post)
        .join(Post.publication)
        .where(Post.calendar_id == calendar.id)
        .where(Post.wall_date.between(monday, monday + timedelta(days=6)))
        .where(Publication.state != PublicationState.CANCELLED)
        .options(
            contains_eager(Post.publication),
            joinedload(Post.version),
            joinedload(Post.asset),
            joinedload(Post.pool),
            joinedload(Post.account),
        )
        .order_by(Post.publish_at, Post.id)
    )


# --- operations


def create(  # noqa: PLR0913 - the keywords are the post's own facts
    *,
    calendar: Calendar,
    pool: Pool,
    account: ChannelAccount,
    asset: Asset,
    wall_date: date,
    wall_time: time,
    fold: int | None = None,
    text: str | None = None,
    media_ids: Sequence[int] | None = None,
    copied_from: Post | None = None,
    is_history: bool = False,
    by: User | None,
) -> Post:
    """Plan a post of the asset's newest version; its words start as the asset's title and summary.

    Raises Invalid: everything `placing.settle` refuses, `content_empty`, `content_too_long`.
    `is_history` allows a time that is over, for imports that tell what has been.
    """
    placing.lock(pool)
    wish = Wish(calendar, pool, account, wall_date, wall_time, fold, is_history)
    moment = placing.settle(wish, asset)
    post = _first_draft(wish, asset, by)
    if text is not None:
        post.text = _checked_text(text)
    if media_ids is not None:
        post.media_ids = wording.checked_pictures(media_ids)
    _stand_at(post, moment)
    session.add(post)
    publications.plan(post, by=by)
    _check_carrier(post)
    origin = {"copied_from": copied_from.id} if copied_from else {}
    action = "post.copied" if copied_from else "post.created"
    audit.record(action, post, by=by, **_told(post), **origin)
    events.emit(PostChanged(post.id))
    return post


def edit(
    post: Post,
    *,
    text: str,
    media_ids: Sequence[int] | None = None,
    expected_revision: int,
    by: User | None,
) -> None:
    """Other words or pictures; saying the same changes nothing.

    Raises Conflict `changed_meanwhile` when the post has moved on from `expected_revision`.
    """
    _lock(post)
    _same_revision(post, expected_revision)
    pictures = post.media_ids if media_ids is None else wording.checked_pictures(media_ids)
    text = _checked_text(text)
    if (text, list(pictures)) == (post.text, list(post.media_ids)):
        return
    _reopen(post, by=by)
    before = post.text
    post.text, post.media_ids = text, list(pictures)
    _check_carrier(post)
    _changed(post, "post.edited", by=by, before=before, after=text)


def move(
    post: Post,
    *,
    wall_date: date,
    wall_time: time,
    fold: int | None = None,
    pool: Pool | None = None,
    account: ChannelAccount | None = None,
    expected_revision: int | None = None,
    anew: bool = False,
    by: User | None,
) -> None:
    """Another time, and perhaps another pool; an account that cannot follow is exchanged.

    Raises Invalid as `create` does. Moving a post to where it stands changes nothing, unless it is
    to begin `anew` there.
    """
    _lock(post)
    _same_revision(post, expected_revision)
    target = pool or post.pool
    speaker = account or _speaker(post, target)
    placing.lock(target)
    wish = Wish(post.calendar, target, speaker, wall_date, wall_time, fold)
    moment = placing.settle(wish, post.asset, moving=post)
    stands = (post.pool_id, post.account_id, post.publish_at)
    if (target.id, speaker.id, moment.instant) == stands and not anew:
        return
    _reopen(post, by=by)
    before = _told(post)
    post.pool, post.account = target, speaker
    _stand_at(post, moment)
    publications.plan(post, by=by)
    _check_carrier(post)
    _changed(post, "post.moved", by=by, before=before, **_told(post))


def replace_asset(
    post: Post,
    asset: Asset,
    *,
    keeps_text: bool = False,
    expected_revision: int | None = None,
    by: User | None,
) -> None:
    """Another asset in the same place, or the same one in its newest version.

    The words become the new asset's own, unless `keeps_text`.
    """
    _lock(post)
    _same_revision(post, expected_revision)
    placing.check_asset(asset, post.wall_date)
    _reopen(post, by=by)
    version = current(asset)
    before = {"asset": post.asset_id, "version": post.version_id}
    post.asset, post.version = asset, version
    if not keeps_text:
        post.text = wording.words_of(version)
    post.media_ids = wording.pictures_of(version, post.account)
    _check_carrier(post)
    _changed(
        post,
        "post.asset_replaced",
        by=by,
        before=before,
        asset=asset.id,
        version=version.id,
        title=version.title,
    )


def withdraw(post: Post, *, by: User | None, reason: str = "") -> None:
    """Drop it: it shall not go out. Dropping twice changes nothing."""
    _lock(post)
    if post.publication.state is PublicationState.CANCELLED:
        return
    publications.refuse_if_going_out(post)
    publications.drop(post.publication, by=by, reason=reason)
    _draft_again(post)
    post.updated_at = now()
    audit.record("post.dropped", post, by=by, **({"reason": reason} if reason else {}))
    events.emit(PostChanged(post.id))


def restore(post: Post, *, by: User | None) -> None:
    """Take a dropped post back where it stood; raises Invalid when that place is gone."""
    _lock(post)
    if post.publication.state is not PublicationState.CANCELLED:
        return
    placing.lock(post.pool)
    placing.settle(_wish_of(post), post.asset, moving=post)
    publications.plan(post, by=by)
    _draft_again(post)
    post.revision += 1
    post.updated_at = now()
    audit.record("post.restored", post, by=by, revision=post.revision)
    events.emit(PostChanged(post.id))


def submit(post: Post, *, by: User) -> None:
    """Hand it in for approval. Twice changes nothing; raises Invalid when it could not go out."""
    _lock(post)
    if post.review is ReviewState.SUBMITTED:
        return
    _refuse_dropped(post)
    if post.review is ReviewState.APPROVED:
        raise conflict("already_approved", N_("This post has been approved already."))
    publications.refuse_if_going_out(post)
    wall_time.refuse_past(_moment_of(post))
    preflight.check(post, Asked.SUBMITTED)
    post.review = ReviewState.SUBMITTED
    post.submitted_by, post.submitted_at, post.updated_at = by, now(), now()
    audit.record("post.submitted", post, by=by, revision=post.revision)
    events.emit(PostSubmitted(post.id))


def submit_week(calendar: Calendar, monday: date, *, by: User) -> SubmitReport:
    """Hand in every draft of the week that can go out; the others are told with their reasons."""
    report = SubmitReport()
    drafts = of_week(calendar, monday).where(
        Post.review.in_((ReviewState.DRAFT, ReviewState.REJECTED))
    )
    for post in session.scalars(drafts).all():
        if post.review is ReviewState.REJECTED or post.publish_at <= now():
            continue  # a rejected post wants a change first; what is over needs no approval
        try:
            with session.begin_nested():  # one that cannot go out leaves the others alone
                submit(post, by=by)
            report.submitted.append(post)
        except (Invalid, Conflict) as error:
            report.refused.append(Refusal(post, error.problem))
    return report


# --- what they share


def _lock(post: Post) -> None:
    """Two people changing one post do it one after the other."""
    session.refresh(post, with_for_update={"of": Post})


def _same_revision(post: Post, expected: int | None) -> None:
    if expected is not None and post.revision != expected:
        raise conflict(
            "changed_meanwhile",
            N_("Somebody changed this post meanwhile. Compare, then save again."),
            seen=expected,
            current=post.revision,
        )


def _refuse_dropped(post: Post) -> None:
    if post.publication.state is PublicationState.CANCELLED:
        raise conflict("post_dropped", N_("This post has been dropped. Restore it first."))


def _reopen(post: Post, *, by: User | None) -> None:
    """Whatever was decided about the post no longer holds; Conflict when it is going out."""
    _refuse_dropped(post)
    publications.refuse_if_going_out(post)
    publications.unschedule(post, by=by)
    _draft_again(post)


def _draft_again(post: Post) -> None:
    post.review = ReviewState.DRAFT
    post.submitted_by, post.submitted_at = None, None


def _changed(post: Post, action: str, *, by: User | None, **detail: object) -> None:
    post.revision += 1
    post.updated_at = now()
    audit.record(action, post, by=by, revision=post.revision, **detail)
    events.emit(PostChanged(post.id))


def _first_draft(wish: Wish, asset: Asset, by: User | None) -> Post:
    """A post that says what its asset says; it stands nowhere yet."""
    version = current(asset)
    return Post(
        calendar=wish.calendar,
        pool=wish.pool,
        account=wish.account,
        asset=asset,
        version=version,
        text=wording.words_of(version),
        media_ids=wording.pictures_of(version, wish.account),
        review=ReviewState.DRAFT,
        revision=1,
        created_by_id=by.id if by else None,
        created_at=now(),
        updated_at=now(),
    )


def _stand_at(post: Post, moment: Moment) -> None:
    post.wall_date, post.wall_time = moment.on, moment.at
    post.zone, post.fold, post.publish_at = moment.zone, moment.fold, moment.instant


def _moment_of(post: Post) -> Moment:
    return Moment(post.wall_date, post.wall_time, post.zone, post.fold, post.publish_at)


def _wish_of(post: Post) -> Wish:
    return Wish(post.calendar, post.pool, post.account, post.wall_date, post.wall_time, post.fold)


def _speaker(post: Post, pool: Pool) -> ChannelAccount:
    """The same account when it reaches the pool, else one of its channel, else any that does."""
    reaching = placing.speakers(pool)
    if not reaching:
        raise invalid("pool", "pool_not_reached", N_("No account reaches this pool."))
    known = {account.id: account for account in reaching}
    alike = [account for account in reaching if account.channel == post.account.channel]
    return known.get(post.account_id) or (alike or reaching)[0]


def _checked_text(text: str) -> str:
    text = clean_text(text).strip()
    check_filled("text", text)
    return text


def _check_carrier(post: Post) -> None:
    """Refuse what the carrier would not take, the link that goes along included."""
    CHANNELS.get(post.account.channel).check(outgoing(post))


def _told(post: Post) -> dict[str, object]:
    return {
        "pool": post.pool.name,
        "account": post.account.name,
        "at": f"{post.wall_date.isoformat()} {post.wall_time:%H:%M}",
        "asset": post.asset_id,
        "version": post.version_id,
    }
