"""Packs posted by hand: given, confirmed with proof, declined, expired."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict, Forbidden, Invalid
from schedules import decisions, handover
from schedules.states import HandOverState
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.ready import given, tried


def test_the_holder_gets_the_pack_and_confirms_with_a_note(app: Flask) -> None:
    holder = make.user(Role.PLANNER)
    pack = given(holder)
    assert (pack.assignee_id, pack.state) == (holder.id, HandOverState.WAITING)
    with transaction():
        handover.confirm(pack, by=holder, note="Posted at 20:31, visible to all")
        handover.confirm(pack, by=holder, note="Again")
    assert pack.publication.state is State.PUBLISHED
    assert pack.publication.reach == 320
    assert pack.note.startswith("Posted at 20:31")


def test_a_confirmation_without_any_proof_is_asked_for_one(app: Flask) -> None:
    holder = make.user(Role.PLANNER)
    pack = given(holder)
    with pytest.raises(Invalid) as refused, transaction():
        handover.confirm(pack, by=holder, note="  ")
    assert refused.value.fields["note"].code == "proof_missing"


def test_only_the_holder_or_an_operator_answers(app: Flask) -> None:
    pack = given(make.user(Role.PLANNER))
    with pytest.raises(Forbidden), transaction():
        handover.confirm(pack, by=make.user(Role.PLANNER), note="Mine?")
    with transaction():
        handover.confirm(pack, by=make.user(Role.OPERATOR), note="Seen on her phone")
    assert pack.state is HandOverState.CONFIRMED


def test_a_declined_pack_waits_for_somebody_and_can_be_handed_over_again(app: Flask) -> None:
    holder, operator = make.user(Role.PLANNER), make.user(Role.OPERATOR)
    pack = given(holder)
    with transaction():
        handover.decline(pack, by=holder, reason="Phone is broken")
    publication = pack.publication
    assert (publication.state, publication.reason) == (State.FAILED, handover.DECLINED)
    with pytest.raises(Conflict), transaction():
        handover.confirm(pack, by=holder, note="After all")
    with transaction():
        decisions.publish_now(publication, by=operator)
    tried(publication)
    assert (publication.state, pack.state) == (State.HANDED_OVER, HandOverState.WAITING)


def test_an_expired_pack_is_shown_as_such_and_can_still_be_answered(app: Flask) -> None:
    holder = make.user(Role.PLANNER)
    pack = given(holder)
    assert handover.expire_overdue() == 0
    with time_machine.travel(pack.expires_at + timedelta(minutes=1)):
        assert handover.expire_overdue() == 1
        session.expire_all()
        assert pack.state is HandOverState.EXPIRED
        assert pack.publication.reason == handover.NOT_CONFIRMED
        assert session.scalars(handover.waiting(holder=holder)).all() == [pack]
        with transaction():
            handover.confirm(pack, by=holder, note="It was live at 20:40")
    assert pack.publication.state is State.PUBLISHED
    assert pack.expires_at > now()
