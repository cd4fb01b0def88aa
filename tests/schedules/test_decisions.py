"""What people decide about publications that no machine will move on."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cms.accounts.models import AuditEntry, Role
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Invalid, SeedbedError
from schedules import decisions, hints, late, posts
from schedules.models import Publication
from schedules.states import PublicationState as State
from schedules.states import ReviewState
from tests import factories as make
from tests.schedules.ready import approved, tried, uncertain


def in_state(state: State, **fields: Any) -> Publication:
    publication = approved(**fields)
    with transaction():
        publication.state = state
    return publication


@pytest.mark.parametrize("state", [State.MISSED, State.FAILED, State.HELD])
def test_publish_now_goes_out_whatever_the_hour(app: Flask, state: State) -> None:
    publication = in_state(state, publish_at=now() - timedelta(days=1))
    with transaction():
        decisions.publish_now(publication, by=make.user(Role.OPERATOR))
    assert late.miss_overdue() == 0
    assert tried(publication).state is State.PUBLISHED


def test_publish_now_brings_a_later_one_forward(app: Flask) -> None:
    publication = approved(publish_at=now() + timedelta(hours=3))
    operator = make.user(Role.OPERATOR)
    with transaction():
        decisions.publish_now(publication, by=operator)
    assert list(hints.due_by_account()) == [publication.account_id]
    newest = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (newest.action, newest.actor_id) == ("publication.hurried", operator.id)


@pytest.mark.parametrize("state", [State.PLANNED, State.PUBLISHED, State.SENDING, State.UNCERTAIN])
def test_publish_now_is_refused_where_it_makes_no_sense(app: Flask, state: State) -> None:
    publication, operator = in_state(state), make.user(Role.OPERATOR)
    with pytest.raises(Conflict), transaction():
        decisions.publish_now(publication, by=operator)


def test_publish_now_never_goes_round_approval(app: Flask) -> None:
    operator = make.user(Role.OPERATOR)
    changed, withdrawn = in_state(State.MISSED), in_state(State.MISSED)
    with transaction():
        changed.post.text = "Other words"
        withdrawn.post.review = "draft"
    for publication, code in ((changed, "content_changed"), (withdrawn, "not_approved")):
        with pytest.raises(Conflict) as refused, transaction():
            decisions.publish_now(publication, by=operator)
        assert refused.value.problem.code == code


def test_it_is_live_takes_the_address_where_it_was_seen(app: Flask) -> None:
    publication, operator = uncertain(), make.user(Role.OPERATOR)
    with transaction():
        decisions.resolve_uncertain(
            publication, "live", url=" https://example.com/p/7 ", by=operator
        )
    assert publication.state is State.PUBLISHED
    assert publication.external_url == "https://example.com/p/7"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "//x", "https://", "x" * 600]
)
def test_it_is_live_takes_no_other_kind_of_address(app: Flask, url: str) -> None:
    publication, operator = uncertain(), make.user(Role.OPERATOR)
    with pytest.raises(Invalid) as refused, transaction():
        decisions.resolve_uncertain(publication, "live", url=url, by=operator)
    assert refused.value.fields["url"].code == "bad_link"
    assert publication.state is State.UNCERTAIN


def test_send_again_sends_again_and_drop_drops(app: Flask) -> None:
    operator, again, dropped = make.user(Role.OPERATOR), uncertain(), uncertain()
    with transaction():
        decisions.resolve_uncertain(again, "again", by=operator)
        decisions.resolve_uncertain(dropped, "drop", by=operator)
    tried(again)
    assert (again.state, dropped.state) == (State.PUBLISHED, State.CANCELLED)


def test_two_people_cannot_resolve_it_differently(app: Flask) -> None:
    publication, operator = uncertain(), make.user(Role.OPERATOR)
    with transaction():
        decisions.resolve_uncertain(publication, "live", by=operator)
    with pytest.raises(SeedbedError) as refused, transaction():
        decisions.resolve_uncertain(publication, "again", by=operator)
    assert refused.value.problem.code == "changed_meanwhile"


@pytest.mark.parametrize("state", [State.FAILED, State.HELD, State.MISSED])
def test_moved_back_to_its_own_time_it_waits_for_approval_at_that_time(
    app: Flask, state: State
) -> None:
    """It was to go out at once, and did not: tonight's post is to be tonight's again."""
    tonight = now().replace(microsecond=0) + timedelta(hours=6)
    publication, operator = approved(publish_at=tonight), make.user(Role.OPERATOR)
    with transaction():
        decisions.publish_now(publication, by=operator)
    with transaction():
        publication.state = state
    post = publication.post
    with transaction():
        assert decisions.move(publication, on=post.wall_date, by=operator) is None
    assert (publication.state, post.review) == (State.PLANNED, ReviewState.SUBMITTED)
    assert publication.due_at == post.publish_at == tonight


def test_dragged_to_where_it_stands_a_failed_post_stays_as_it_is(app: Flask) -> None:
    publication = in_state(State.FAILED, publish_at=now() + timedelta(hours=6))
    post = publication.post
    with transaction():
        posts.move(post, wall_date=post.wall_date, wall_time=post.wall_time, by=None)
    assert (publication.state, post.review) == (State.FAILED, ReviewState.APPROVED)
