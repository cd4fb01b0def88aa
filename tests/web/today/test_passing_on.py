"""A persona changes hands: what waits to be posted through it goes to its new holder."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from cms.accounts.models import AuditEntry, Role, User
from cms.core.db import session, transaction
from schedules import handover
from schedules.models import HandOver
from schedules.states import HandOverState
from tests import factories as make
from tests.schedules.ready import change, given
from tests.signing_in import sign_in
from tests.web.reading import read


def hand_on(client: FlaskClient, pack: HandOver, holder_id: int, **fields: str) -> int:
    persona = pack.publication.account.persona
    form = {"name": persona.name, "holder_id": str(holder_id), "is_active": "y"} | fields
    return client.post(f"/audience/personas/{persona.id}", data=form).status_code


@pytest.mark.parametrize("state", [HandOverState.WAITING, HandOverState.EXPIRED])
def test_the_new_holder_gets_the_open_pack_and_the_old_one_none(
    client: FlaskClient, admin: User, state: HandOverState
) -> None:
    old, heir = make.user(Role.PLANNER), make.user(Role.PLANNER)
    pack = given(old)
    change(pack, state=state)
    assert hand_on(client, pack, heir.id) == 302
    told = session.scalars(select(AuditEntry).where(AuditEntry.action == "hand_over.passed_on"))
    (entry,) = told.all()
    assert (entry.object_id, entry.actor_id) == (pack.id, admin.id)
    assert entry.detail == {"holder_before": old.id, "holder_after": heir.id}
    address = f"/today/hand-overs/{pack.id}"
    sign_in(client, old)
    assert client.get(address).status_code == 404
    sign_in(client, heir)
    assert address in client.get("/today/hand-overs").text
    assert client.get(address).status_code == 200
    with transaction():
        handover.confirm(pack, by=heir, note="Posted at 20:31")
    assert pack.state is HandOverState.CONFIRMED


def test_what_is_answered_or_another_personas_stays(client: FlaskClient, admin: User) -> None:
    old, heir = make.user(Role.PLANNER), make.user(Role.PLANNER)
    answered = given(old)
    with transaction():
        handover.confirm(answered, by=old, note="Posted")
    assert hand_on(client, answered, heir.id) == 302
    assert answered.assignee_id == old.id
    heirs = session.scalars(select(AuditEntry).where(AuditEntry.action == "hand_over.passed_on"))
    assert heirs.all() == []


def test_another_personas_pack_stays_where_it_is(client: FlaskClient, admin: User) -> None:
    old, heir = make.user(Role.PLANNER), make.user(Role.PLANNER)
    pack, other = given(old), make.persona(holder_id=old.id)
    form = {"name": other.name, "holder_id": str(heir.id), "is_active": "y"}
    assert client.post(f"/audience/personas/{other.id}", data=form).status_code == 302
    assert (other.holder_id, pack.assignee_id) == (heir.id, old.id)


def test_other_words_about_a_persona_leave_its_packs_alone(
    client: FlaskClient, admin: User
) -> None:
    old = make.user(Role.PLANNER)
    pack = given(old)
    assert hand_on(client, pack, old.id, role_en="Tutor") == 302
    actions = session.scalars(select(AuditEntry.action)).all()
    assert "hand_over.passed_on" not in actions
    assert pack.assignee_id == old.id


def test_without_a_holder_it_is_the_operators(client: FlaskClient, admin: User) -> None:
    old, operator = make.user(Role.PLANNER), make.user(Role.OPERATOR)
    pack = given(old)
    assert hand_on(client, pack, 0) == 302
    assert pack.assignee_id is None
    assert not handover.may_answer(pack, old)
    assert handover.may_answer(pack, operator)


def test_only_who_is_here_and_answers_for_packs_is_offered(
    client: FlaskClient, admin: User
) -> None:
    able = [make.user(Role.PLANNER), make.user(Role.OPERATOR), admin]
    analyst, gone = make.user(Role.ANALYST), make.user(Role.PLANNER, is_active=False)
    pack = given(able[0])
    persona = pack.publication.account.persona
    page = read(client, f"/audience/personas/{persona.id}")
    offered = {int(one["value"]) for one in page.select("select[name=holder_id] option")}
    assert offered >= {0, *(one.id for one in able)}
    assert not offered & {analyst.id, gone.id}
    for one in (analyst, gone):
        assert hand_on(client, pack, one.id) == 422
    assert persona.holder_id == able[0].id


def test_a_holder_who_left_keeps_it_until_somebody_else_is_named(
    client: FlaskClient, admin: User
) -> None:
    old = make.user(Role.PLANNER)
    pack = given(old)
    change(old, is_active=False)
    persona = pack.publication.account.persona
    chosen = read(client, f"/audience/personas/{persona.id}").select_one("option[selected]")
    assert chosen["value"] == str(old.id)
    assert "cannot confirm hand-overs any more" in chosen.text
    assert hand_on(client, pack, old.id, role_en="Tutor") == 302
    assert (persona.holder_id, persona.role_en) == (old.id, "Tutor")
