"""One publication in full and the list of what waits for a person."""

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from cms.accounts.models import Role, User
from cms.core.db import session, transaction
from schedules import publishing
from schedules.models import Publication
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.ready import account, approved
from tests.signing_in import sign_in


@pytest.fixture
def operator(client: FlaskClient) -> User:
    user = make.user(Role.OPERATOR)
    sign_in(client, user)
    return user


def uncertain() -> Publication:
    publication = approved(account=account("uncertain ok", "N"))
    publishing.publish(publication.id, worker="here")
    session.expire_all()
    return publication


def buttons(client: FlaskClient, publication: Publication) -> set[str]:
    page = BeautifulSoup(client.get(f"/today/publications/{publication.id}").text, "html.parser")
    actions = {form["action"].rsplit("/", 1)[1] for form in page.select("main form")}
    return actions & {"publish-now", "drop", "live", "send-again"}


def test_the_attempt_log_can_be_read(client: FlaskClient, operator: User) -> None:
    publication = uncertain()
    page = client.get(f"/today/publications/{publication.id}").text
    for words in ("Nobody knows", "The sandbox fell silent", "Claimed", "Tracked link"):
        assert words in page


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (State.PLANNED, {"drop"}),
        (State.SCHEDULED, {"publish-now", "drop"}),
        (State.MISSED, {"publish-now", "drop"}),
        (State.FAILED, {"publish-now", "drop"}),
        (State.HELD, {"publish-now", "drop"}),
        (State.UNCERTAIN, {"live", "send-again", "drop"}),
        (State.HANDED_OVER, {"drop"}),
        (State.SENDING, set()),
        (State.PUBLISHED, set()),
        (State.CANCELLED, set()),
    ],
)
def test_each_state_has_its_right_buttons(
    client: FlaskClient, operator: User, state: State, offered: set[str]
) -> None:
    assert buttons(client, make.post(state=state).publication) == offered


def test_it_is_live_send_again_drop(client: FlaskClient, operator: User) -> None:
    live, again, dropped = uncertain(), uncertain(), uncertain()
    bad = client.post(f"/today/publications/{live.id}/live", data={"url": "javascript:alert(1)"})
    assert bad.status_code == 422
    assert "javascript:alert(1)" in bad.text
    client.post(f"/today/publications/{live.id}/live", data={"url": "https://example.com/1"})
    client.post(f"/today/publications/{again.id}/send-again")
    client.post(f"/today/publications/{dropped.id}/drop")
    assert [one.state for one in (live, again, dropped)] == [
        State.PUBLISHED,
        State.SCHEDULED,
        State.CANCELLED,
    ]


def test_publish_now_tells_when_it_may_not(client: FlaskClient, operator: User) -> None:
    publication = approved()
    with transaction():
        publication.state = State.MISSED
        publication.post.text = "Other words"
    answer = client.post(f"/today/publications/{publication.id}/publish-now")
    assert answer.status_code == 409
    assert "not what was approved" in answer.text


def test_planners_read_but_do_not_resolve(client: FlaskClient) -> None:
    sign_in(client, make.user(Role.PLANNER))
    publication = uncertain()
    assert buttons(client, publication) == set()
    for action in ("publish-now", "drop", "live", "send-again"):
        answer = client.post(f"/today/publications/{publication.id}/{action}")
        assert answer.status_code == 403
    assert publication.state is State.UNCERTAIN


def test_everything_that_waits_for_a_person_is_listed(
    client: FlaskClient, operator: User, count_queries: Callable[[], Any]
) -> None:
    waiting = [uncertain(), make.post(state=State.MISSED).publication]
    make.post(state=State.SCHEDULED)
    page = BeautifulSoup(client.get("/today/waiting").text, "html.parser")
    assert len(page.select(".waiting__item")) == len(waiting)
    page = BeautifulSoup(client.get("/today/waiting?state=missed").text, "html.parser")
    assert len(page.select(".waiting__item")) == 1
    assert client.get("/today/waiting?state=planned").status_code == 422

    def cost() -> int:
        with count_queries() as statements:
            client.get("/today/waiting")
        return len(statements)

    few = cost()
    for _ in range(8):
        make.post(state=State.FAILED)
    assert cost() == few
