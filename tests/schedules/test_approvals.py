"""Who may approve what, and what an approval pins."""

import pytest
from flask import Flask

from cms.accounts import audit
from cms.accounts.models import Role
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Forbidden, Invalid, SeedbedError
from content_library.models import AssetStatus
from schedules import approvals, content
from schedules.models import Approval
from schedules.states import PublicationState, ReviewState
from tests import factories as make
from tests.schedules.ready import submitted


def code_of(kind: type[SeedbedError], call: object) -> str:
    with pytest.raises(kind) as refused, transaction():
        call()  # type: ignore[operator]
    return refused.value.problem.code


def good_post(**fields: object) -> object:
    pool = make.pool()
    return submitted(pool=pool, account=make.account(pool), **fields)


def test_approval_pins_the_content_and_lets_it_wait_for_its_minute(app: Flask) -> None:
    post, operator = good_post(), make.user(Role.OPERATOR)
    with transaction():
        decision = approvals.approve(post, revision=1, by=operator, note="Fine")
    assert decision.content_hash == content.content_hash(content.outgoing(post))
    assert post.publication.content_hash == decision.content_hash
    assert post.publication.state is PublicationState.SCHEDULED
    actions = [entry.action for entry in session.scalars(audit.entries())]
    assert actions == ["publication.scheduled", "post.approved"]


def test_approving_twice_answers_the_first_decision(app: Flask) -> None:
    post, one, two = good_post(), make.user(Role.OPERATOR), make.user(Role.OPERATOR)
    with transaction():
        first = approvals.approve(post, revision=1, by=one)
    with transaction():
        again = approvals.approve(post, revision=1, by=two)
    assert again.id == first.id
    assert again.by_id == one.id
    assert session.query(Approval).count() == 1


def test_nobody_approves_what_they_submitted_or_last_wrote(app: Flask) -> None:
    operator, other = make.user(Role.OPERATOR), make.user(Role.OPERATOR)
    own = good_post(submitted_by_id=operator.id)
    assert code_of(Forbidden, lambda: approvals.approve(own, revision=1, by=operator)) == "own_post"
    post = good_post()
    with transaction():
        audit.record("post.edited", post, by=operator)
    assert (
        code_of(Forbidden, lambda: approvals.approve(post, revision=1, by=operator)) == "own_post"
    )
    with transaction():
        approvals.approve(post, revision=1, by=other)
    assert post.review is ReviewState.APPROVED


def test_an_old_revision_is_not_approved_nor_rejected(app: Flask) -> None:
    post, operator = good_post(revision=3), make.user(Role.OPERATOR)
    assert (
        code_of(Conflict, lambda: approvals.approve(post, revision=2, by=operator))
        == "revision_changed"
    )
    assert (
        code_of(Conflict, lambda: approvals.reject(post, revision=2, reason="No", by=operator))
        == "revision_changed"
    )
    assert post.review is ReviewState.SUBMITTED


@pytest.mark.parametrize("review", [ReviewState.DRAFT, ReviewState.REJECTED])
def test_no_step_can_be_skipped(app: Flask, review: ReviewState) -> None:
    post, operator = good_post(review=review), make.user(Role.OPERATOR)
    assert (
        code_of(Conflict, lambda: approvals.approve(post, revision=1, by=operator))
        == "not_submitted"
    )
    assert post.publication.state is PublicationState.PLANNED


def test_what_could_not_go_out_is_not_approved(app: Flask) -> None:
    operator = make.user(Role.OPERATOR)
    retired = good_post(asset=make.asset(status=AssetStatus.RETIRED))
    assert (
        code_of(Invalid, lambda: approvals.approve(retired, revision=1, by=operator))
        == "asset_retired"
    )
    strangers = submitted(account=make.account())
    assert (
        code_of(Invalid, lambda: approvals.approve(strangers, revision=1, by=operator))
        == "pool_not_reached"
    )
    long = good_post(text="长" * 5001)
    assert (
        code_of(Invalid, lambda: approvals.approve(long, revision=1, by=operator))
        == "content_too_long"
    )


def test_a_rejection_needs_a_reason_and_goes_back_to_the_author(app: Flask) -> None:
    post, operator = good_post(), make.user(Role.OPERATOR)
    assert (
        code_of(Invalid, lambda: approvals.reject(post, revision=1, reason=" \u200b", by=operator))
        == "content_empty"
    )
    with transaction():
        decision = approvals.reject(post, revision=1, reason="Wrong price", by=operator)
    assert (post.review, decision.note) == (ReviewState.REJECTED, "Wrong price")
    assert post.publication.state is PublicationState.PLANNED


def test_an_approval_can_be_taken_back_until_it_goes_out(app: Flask) -> None:
    post, operator = good_post(), make.user(Role.OPERATOR)
    with transaction():
        approvals.approve(post, revision=1, by=operator)
        approvals.withdraw_approval(post, by=operator)
    assert (post.review, post.publication.state) == (ReviewState.DRAFT, PublicationState.PLANNED)
    assert post.publication.content_hash is None
    with transaction():
        post.review = ReviewState.APPROVED
        post.publication.state = PublicationState.SENDING
    assert (
        code_of(Conflict, lambda: approvals.withdraw_approval(post, by=operator))
        == "already_going_out"
    )
