"""The audience screens: seen by everybody, changed by administrators."""

import pytest

from audience.models import Persona, Pool
from cms.accounts.models import Role
from cms.core.db import session
from tests import factories
from tests.signing_in import sign_in


def test_a_pool_is_added_and_changed(client, admin):
    stage = factories.stage()
    form = {"name": "Java 1 群", "kind": "group", "stage_id": stage.id, "size": "186"}
    answer = client.post("/audience/pools/new", data=form | {"is_active": "y"})
    assert answer.status_code == 302
    pool = session.query(Pool).one()
    assert (pool.name, pool.size, pool.is_active) == ("Java 1 群", 186, True)
    client.post(f"/audience/pools/{pool.id}", data=form | {"size": "200"})
    assert (pool.size, pool.is_active) == (200, False)


@pytest.mark.parametrize(
    ("field", "text"), [("size", "-3"), ("size", "many"), ("name", " "), ("stage_id", "999")]
)
def test_bad_pools_come_back_with_what_was_typed(client, admin, field, text):
    stage = factories.stage()
    form = {"name": "Kept text", "kind": "group", "stage_id": stage.id, "size": "186"}
    answer = client.post("/audience/pools/new", data=form | {field: text})
    assert answer.status_code == 422
    assert field == "name" or "Kept text" in answer.text
    assert session.query(Pool).count() == 0


def test_a_new_feed_address_ends_the_old(client, admin):
    pool = factories.pool()
    before = pool.feed_token
    client.post(f"/audience/pools/{pool.id}/feed")
    assert pool.feed_token != before


def test_a_persona_changes_hands(client, admin):
    persona = factories.persona(holder_id=admin.id)
    heir = factories.user(name="Heir")
    form = {"name": persona.name, "holder_id": heir.id, "is_active": "y"}
    assert client.post(f"/audience/personas/{persona.id}", data=form).status_code == 302
    assert session.query(Persona).one().holder_id == heir.id
    assert "Heir" in client.get("/audience/personas").text


def test_planners_look_but_do_not_touch(client):
    sign_in(client, factories.user(Role.PLANNER))
    pool = factories.pool()
    page = client.get("/audience/")
    assert page.status_code == 200
    assert "New pool" not in page.text
    assert client.post(f"/audience/pools/{pool.id}", data={"name": "x"}).status_code == 403


def test_the_page_asks_few_questions(client, admin, count_queries):
    for _ in range(20):
        factories.pool()
    with count_queries() as statements:
        client.get("/audience/")
    assert len(statements) <= 10  # three for the session itself, two for the frame
