"""What a carrier counts by itself: told when planned, refused when approved, held and foretold."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from cms.accounts.models import Role
from cms.core import sealing
from cms.core.clock import holding
from cms.core.db import session, transaction
from cms.core.errors import Invalid
from schedules import account_health, approvals, dry_run, preflight, publishing
from schedules.dry_run import Verdict
from schedules.models import ChannelAccount, Publication
from schedules.preflight import Asked
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.ready import submitted

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # where the carrier is
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def noon(app: Flask) -> Any:
    with holding(NOON):
        yield


def official(sort: str = "subscription", **settings: Any) -> ChannelAccount:
    known = {"appid": "wx1", "account_type": sort, "cover_media_id": "standing", **settings}
    made = make.account(channel="oa_mass", settings=known, per_minute=60)
    with transaction():
        made.sealed = sealing.seal({"appsecret": "hush"})
    return made


def settled(way: ChannelAccount, at: datetime, state: State = State.SCHEDULED) -> Publication:
    """Approved already, whatever the quota says now."""
    publication = waiting(way, at)
    with transaction():
        publication.post.review = "approved"
        publication.state = state
    return publication


def waiting(way: ChannelAccount, at: datetime) -> Publication:
    pool = make.pool()
    with transaction():
        way.pools.append(pool)
    return submitted(account=way, pool=pool, publish_at=at).publication


def told(publication: Publication, asked: Asked = Asked.PLANNED) -> list[str]:
    """What the quota's question says alone."""
    subject = preflight.subject_of(publication.post)
    question = preflight.quotas.QUESTION
    return [str(one.problem) for one in question.ask(subject, question.learn([subject], asked))]


def test_a_subscription_account_sends_once_a_day_of_its_carrier() -> None:
    way = official()
    settled(way, NOON + HOUR)
    late, next_day = waiting(way, NOON + 11 * HOUR), waiting(way, NOON + 13 * HOUR)
    (words,) = told(late)
    assert "takes 1 a day" in words
    assert told(next_day) == []  # past midnight in Shanghai, the same day by Greenwich


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        (State.PUBLISHED, True),
        (State.HANDED_OVER, True),
        (State.UNCERTAIN, True),
        (State.FAILED, False),
        (State.CANCELLED, False),
        (State.MISSED, False),
    ],
)
def test_what_is_out_or_may_be_counts(state: State, counts: bool) -> None:
    way = official()
    settled(way, NOON - HOUR, state)
    assert bool(told(waiting(way, NOON + HOUR))) is counts


def test_a_service_account_reaches_a_follower_four_times_a_month() -> None:
    way = official("service")
    for day in range(4):
        assert told(waiting(way, NOON + HOUR)) == []
        settled(way, NOON - day * DAY)
    (words,) = told(waiting(way, NOON + HOUR))
    assert "4 times a month" in words
    assert told(waiting(way, NOON + 20 * DAY)) == []


def test_another_account_of_the_same_app_shares_it_and_tags_have_their_own() -> None:
    everybody = official("service")
    teachers = official("service", audience="tag", tag_id="12")
    parents = official("service", audience="tag", tag_id="13")
    stranger = official("service", appid="wx2")
    for way, number in ((everybody, 2), (teachers, 2), (stranger, 4)):
        for day in range(number):
            settled(way, NOON - day * DAY)
    assert told(waiting(teachers, NOON + HOUR))
    assert told(waiting(parents, NOON + HOUR)) == []
    assert told(waiting(everybody, NOON + HOUR)) == []


def test_a_second_one_is_not_approved() -> None:
    way = official()
    settled(way, NOON + HOUR)
    post = waiting(way, NOON + 2 * HOUR).post
    with pytest.raises(Invalid) as refused, transaction():
        approvals.approve(post, revision=post.revision, by=make.user(Role.OPERATOR))
    assert refused.value.problem.code == "quota"


def test_of_two_that_wait_the_earlier_goes_and_the_other_is_held() -> None:
    way = official()
    first, second = settled(way, NOON + HOUR), settled(way, NOON + 2 * HOUR)
    assert told(first, Asked.SENDING) == []
    assert told(second, Asked.SENDING) != []


def test_the_dry_run_lists_it_and_what_stays_takes_no_place() -> None:
    way = official()
    rows = [settled(way, NOON + hours * HOUR) for hours in (1, 2, 3)]
    with transaction():
        for one in rows:
            one.content_hash = publishing.content_hash(publishing.outgoing(one.post))
        rows[0].post.asset.status = "retired"
    session.expire_all()
    lines = {line.publication.id: line for line in dry_run.forecast().lines}
    found = [
        (lines[one.id].verdict, [problem.code for problem in lines[one.id].reasons]) for one in rows
    ]
    assert found == [
        (Verdict.STAYS, ["asset_retired"]),
        (Verdict.GOES, []),
        (Verdict.STAYS, ["quota"]),
    ]


def left(way: ChannelAccount) -> int:
    found = account_health.left(way)
    assert found.quota is not None
    return found.of_quota


def test_what_is_left_of_the_carriers_own_count(app: Flask) -> None:
    """Approved or out counts, in the carrier's own calendar; what waits for approval does not."""
    daily = official()
    assert left(daily) == 1
    waiting(daily, NOON + HOUR)
    settled(daily, NOON + DAY)
    assert left(daily) == 1
    settled(daily, NOON + 2 * HOUR)
    assert left(daily) == 0
    monthly = official("service", appid="wx2")
    settled(monthly, NOON - 2 * DAY, State.PUBLISHED)
    settled(official("service", appid="wx2"), NOON + DAY)  # the same account at the carrier
    settled(monthly, NOON - 25 * DAY, State.PUBLISHED)  # last month
    assert left(monthly) == 2
    assert account_health.left(make.account(channel="sandbox")).quota is None
