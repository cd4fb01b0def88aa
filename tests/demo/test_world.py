"""The demo world keeps every rule of the real one, and shows what a new user should meet."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from audience.models import Persona, Pool, Stage
from cms.accounts.models import User
from cms.core import mail
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session
from cms.core.errors import Conflict
from cms.demo import comparing, marks, team, truth, ways, world
from cms.demo.carriers import families
from content_library.models import Asset, AssetVersion, TagChange
from content_library.search import projection
from feedback.models import (
    CommentState,
    DirtyDay,
    Event,
    ReaderComment,
    Rollup,
    Suggestion,
    SuggestionState,
    Verdict,
)
from schedules import slots
from schedules.calendars import by_slug
from schedules.models import (
    AlertRoute,
    Approval,
    Attempt,
    ChannelAccount,
    HandOver,
    Post,
    Publication,
    Subscriber,
)
from schedules.states import HandOverState, Outcome, PublicationState, ReviewState
from schedules.wall_time import monday_of

pytestmark = pytest.mark.usefixtures("told")


def count(model: type, *where: object) -> int:
    return session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def this_monday():
    return monday_of(now().astimezone(current().zone).date())


def posts_of(monday) -> list[Post]:
    return list(
        session.scalars(
            select(Post).where(Post.wall_date.between(monday, monday + timedelta(days=6)))
        )
    )


def test_is_as_large_as_promised() -> None:
    assert count(Asset) >= 60
    assert (count(Stage), count(Pool), count(Persona)) == (6, 8, 4)
    assert count(User, User.is_demo) == count(User) == len(team.MEMBERS)
    assert all(session.scalars(select(Persona.holder_id)))
    kinds = Counter(session.scalars(select(Asset.kind)))
    assert set(kinds) == {"article", "video", "poster"}
    assert count(AssetVersion, AssetVersion.number == 2) >= 4


def test_the_board_is_full_in_every_past_week() -> None:
    for back in range(1, 5):
        found = posts_of(this_monday() - timedelta(weeks=back))
        assert 100 <= len(found) <= 170
        states = Counter(post.publication.state for post in found)
        assert states[PublicationState.PUBLISHED] >= 0.93 * len(found)


def test_what_was_published_was_approved_and_sent_once() -> None:
    live = session.scalars(
        select(Publication).where(
            Publication.state.in_([PublicationState.PUBLISHED, PublicationState.HANDED_OVER])
        )
    ).all()
    assert len(live) > 400
    accepted = Counter(
        session.scalars(select(Attempt.publication_id).where(Attempt.outcome == Outcome.ACCEPTED))
    )
    tried = Counter(session.scalars(select(Attempt.publication_id)))
    approved = {
        (approval.post_id, approval.revision): approval
        for approval in session.scalars(
            select(Approval).where(Approval.decision == ReviewState.APPROVED)
        )
    }
    for publication in live:
        post = publication.post
        approval = approved[post.id, post.revision]
        assert accepted[publication.id] == tried[publication.id] == 1
        assert approval.content_hash == publication.content_hash
        assert approval.by_id not in (post.submitted_by_id, post.created_by_id)
        assert post.submitted_at <= approval.at <= publication.due_at
        assert publication.published_at is None or publication.published_at >= publication.due_at


def test_some_posts_were_rejected_and_mended() -> None:
    rejections = session.scalars(
        select(Approval).where(Approval.decision == ReviewState.REJECTED)
    ).all()
    assert rejections
    assert all(rejection.note for rejection in rejections)
    assert any(rejection.post.review is ReviewState.APPROVED for rejection in rejections)


def test_today_has_work_for_people() -> None:
    states = Counter(session.scalars(select(Publication.state)))
    assert states[PublicationState.UNCERTAIN] == 1
    assert states[PublicationState.FAILED] == 1
    waiting = select(HandOver).where(
        HandOver.state == HandOverState.WAITING, HandOver.expires_at > now()
    )
    assert session.scalars(waiting).first() is not None
    local = now().astimezone(current().zone)
    if local.hour < 22:
        unread = select(Post).where(
            Post.review == ReviewState.SUBMITTED,
            Post.wall_date == local.date(),
            Post.publish_at > now(),
        )
        assert session.scalars(unread).first() is not None


def test_next_week_is_half_planned() -> None:
    monday = this_monday() + timedelta(weeks=1)
    found = posts_of(monday)
    calendar = by_slug("main")
    assert calendar is not None
    weekly = len(slots.of_week(calendar, monday))
    assert 0.3 * weekly <= len(found) <= 0.75 * weekly
    reviews = Counter(post.review for post in found)
    assert reviews[ReviewState.DRAFT]
    assert reviews[ReviewState.SUBMITTED]
    assert not reviews[ReviewState.APPROVED]
    placed = Counter((post.pool_id, post.asset_id) for post in found)
    assert max(placed.values()) >= 2  # something for the board to warn of


def test_readers_answered_at_believable_rates() -> None:
    sums = dict(
        session.execute(select(Rollup.kind, func.sum(Rollup.counted)).group_by(Rollup.kind)).all()
    )
    reach = session.scalar(select(func.sum(Publication.reach)))
    assert 0.005 < sums["click"] / reach < 0.15
    assert sums["click"] > sums["like"] > sums["collect"] > sums["comment"] > 100
    assert count(DirtyDay) == 0


def test_programs_were_told_from_people() -> None:
    bots = select(Event).where(Event.verdict == Verdict.BOT)
    assert count(Event, Event.verdict == Verdict.BOT) > 500
    assert not any(event.is_counted for event in session.scalars(bots.limit(200)))
    assert count(Event, Event.verdict == Verdict.SUSPECTED) > 20


def test_nothing_happens_before_its_cause_or_after_now() -> None:
    early = (
        select(func.count())
        .select_from(Event)
        .join(Publication, Publication.id == Event.publication_id)
        .where(Event.effective_at < Publication.due_at)
    )
    assert session.scalar(early) == 0
    assert count(Event, Event.received_at > now()) == 0


def test_comments_were_read_except_the_newest() -> None:
    states = Counter(session.scalars(select(ReaderComment.state)))
    assert states[CommentState.SHOWN] > states[CommentState.HIDDEN] > 0
    held = session.scalars(
        select(ReaderComment.at).where(ReaderComment.state == CommentState.HELD)
    ).all()
    assert all(at > now() - timedelta(hours=12) for at in held)


def test_hidden_tags_are_suggested_and_few_others() -> None:
    planted = {
        (asset.id, slug)
        for name, slugs in truth.load().hidden.items()
        for slug in slugs
        if (asset := _named(name))
    }
    suggested = session.scalars(
        select(Suggestion).where(
            Suggestion.state != SuggestionState.OUTDATED, Suggestion.action == "add"
        )
    ).all()
    true = [one for one in suggested if (one.asset_id, one.tag.slug) in planted]
    assert len({one.asset_id for one in true}) >= 3
    assert any(one.state is SuggestionState.OPEN for one in true)
    assert len(suggested) - len(true) <= 3


def _named(name: str) -> Asset | None:
    return session.scalar(select(Asset).where(Asset.source_key == f"pack/{name}"))


def test_one_suggestion_was_accepted_and_one_undone() -> None:
    states = Counter(session.scalars(select(Suggestion.state)))
    assert states[SuggestionState.ACCEPTED] == 1
    assert states[SuggestionState.UNDONE] == 1
    assert count(TagChange, TagChange.undone_at.is_not(None)) == 1


def test_the_index_holds_every_asset() -> None:
    assert projection.index().status().state == "ready"


def test_truth_can_be_compared_with_what_was_found() -> None:
    rows = comparing.effects()
    assert {row.outcome for row in rows} >= {"click", "collect"}
    strong = [row for row in rows if row.outcome == "click" and row.planted >= 0.6]
    weak = [row for row in rows if row.outcome == "click" and row.planted <= -0.4]
    assert strong
    assert weak
    assert min(row.lift for row in strong) > max(row.lift for row in weak)
    assert len(comparing.hidden()) == 8


def test_a_second_load_is_refused() -> None:
    before = count(Post)
    with pytest.raises(Conflict) as refused:
        list(world.load())
    assert refused.value.problem.code == "not_empty"
    assert count(Post) == before


def test_the_carriers_past_is_told_and_nobody_was_called() -> None:
    live = session.scalars(
        select(Publication)
        .join(Publication.account)
        .where(ChannelAccount.slug.in_(ways.BY_SLUG), Publication.published_at.is_not(None))
    ).all()
    told = Counter(publication.account.channel for publication in live)
    assert told["wecom_moments"] >= 3
    assert told["oa_publish"] >= 2
    assert told["wecom_robot"] >= 2
    assert not told.keys() & {"email", "webhook", "slack", "dingtalk"}
    assert all(publication.poll_at is None for publication in live)
    house = families.opened()
    office = house.members["wecom"].book
    posted = Counter(one["moment_id"] for one in office.shown("moment_posted"))
    for publication in live:
        if publication.account.channel == "wecom_moments":
            people = len(ways.EMPLOYEES)
            assert (publication.confirmed, publication.expected) == (people, people)
            assert posted[publication.external_id] == people
            assert publication.published_at > publication.due_at + timedelta(minutes=20)
    articles = {one["job"] for one in house.members["oa"].book.all("article").values()}
    assert articles == {one.external_id for one in live if one.account.channel == "oa_publish"}
    assert not any(member.book.all("token") for member in house.members.values())
    house.close()


def test_some_posts_leave_while_one_looks_on() -> None:
    mark = marks.mark()
    assert mark is not None
    assert mark.finished_at is not None
    soon = session.scalars(
        select(Publication)
        .join(Publication.account)
        .where(ChannelAccount.slug.in_(ways.BY_SLUG))
        .where(Publication.state == PublicationState.SCHEDULED)
        .where(Publication.due_at < mark.finished_at + timedelta(minutes=80))
    ).all()
    by_channel = {one.account.channel: one for one in soon}
    assert {"wecom_moments", "wecom_mass", "oa_publish", "feishu", "dingtalk"} <= set(by_channel)
    first = min(one.due_at for one in soon if one.due_at > mark.finished_at)
    assert first < mark.finished_at + timedelta(minutes=3)


def test_letters_and_alerts_have_somewhere_to_go() -> None:
    assert mail.server().is_demo
    assert count(Subscriber) == 20
    assert session.scalars(select(AlertRoute.address)).all() == [ways.TOLD]


def test_is_marked_as_a_demo() -> None:
    mark = marks.mark()
    assert mark is not None
    assert mark.finished_at is not None
