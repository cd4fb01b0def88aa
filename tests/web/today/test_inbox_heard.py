"""The inbox offers what would be heard, and keeps what was ticked when something was forgotten."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import reconciling
from schedules.channels.sandbox import Sandbox
from schedules.models import Attempt, Publication
from schedules.states import Act, Outcome
from schedules.states import PublicationState as State
from tests.schedules.ready import account, approved, change
from tests.web.reading import parsed, read


def stands(state: State, **fields: object) -> Publication:
    publication = approved(account=fields.pop("account", None) or account("ok", "K"))
    change(publication, state=state, **fields)
    return publication


def crashed(way: object = None) -> Publication:
    """Held after three crashes: the last send may have arrived."""
    publication = stands(State.HELD, account=way, reason=reconciling.CRASHED)
    with transaction():
        session.add(
            Attempt(
                publication_id=publication.id,
                fence=publication.fence + 1,
                act=Act.SEND,
                started_at=now(),
                outcome=Outcome.UNCERTAIN,
                detail={},
            )
        )
    return publication


def offered(page: BeautifulSoup, publication: Publication) -> set[str]:
    """What the page has for this one: its own buttons in the inbox, its forms on its own page."""
    row = page.select_one(f"[id=post-{publication.id}]")
    inside = row.find_parent("li") if row else page.main
    found = [one["formaction"] for one in inside.select("button[formaction]")]
    found += [] if row else [one["action"] for one in inside.select("form[action]")]
    return {one.rsplit("/", 1)[-1] for one in found}


@pytest.mark.parametrize("where", ["/today/waiting", "/today/publications/{}"])
def test_what_may_be_out_is_not_offered_to_be_moved(
    client: FlaskClient, operator: User, where: str
) -> None:
    publication, sound = crashed(), stands(State.HELD, reason="A blackout.")
    found = offered(read(client, where.format(publication.id)), publication)
    assert "move" not in found
    assert {"publish-now", "drop"} <= found
    assert "move" in offered(read(client, where.format(sound.id)), sound)


def test_a_group_is_offered_what_one_of_it_would_hear(client: FlaskClient, operator: User) -> None:
    way = account("ok", "K")
    both = [crashed(way) for _ in range(2)]
    card = read(client, "/today/waiting").select_one(".inbox__cause")
    assert {one["value"] for one in card.select("button[name=do]")} == {"retry", "drop"}
    sound = stands(State.HELD, account=way, reason=reconciling.CRASHED)
    page = read(client, "/today/waiting")
    assert len(page.select(".inbox__cause")) == 1
    assert page.select_one("button[name=do][value=move]") is not None
    assert "move" in offered(page, sound)
    assert "move" not in offered(page, both[0])


def test_a_held_post_that_may_be_out_is_not_advised_to_be_moved(
    client: FlaskClient, operator: User
) -> None:
    publication = crashed()
    change(publication, reason="A blackout.")
    for address in ("/today/waiting", f"/today/publications/{publication.id}"):
        words = read(client, address).main.text
        assert "try again or drop it" in words
        assert "move it" not in words


@pytest.mark.parametrize("where", ["/today/waiting", "/today/publications/{}"])
def test_what_some_have_in_hand_is_not_offered_to_be_dropped(
    client: FlaskClient, operator: User, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sandbox, "is_in_hand", lambda self, facts: bool(facts.get("tasks")))
    mine, other = stands(State.UNCERTAIN), stands(State.UNCERTAIN)
    change(mine, carrier_facts={"tasks": ["7"]})
    page = read(client, where.format(mine.id))
    assert "drop" not in offered(page, mine)
    assert "send-again" in offered(page, mine)
    assert "then take it back" in page.main.text
    assert "drop" in offered(read(client, where.format(other.id)), other)


def test_a_move_without_a_day_keeps_what_was_ticked(client: FlaskClient, operator: User) -> None:
    way = account()
    rows = [stands(State.FAILED, account=way) for _ in range(3)]
    elsewhere = [stands(State.MISSED) for _ in range(2)]
    page = read(client, f"/today/waiting?account={way.id}")
    ticked = [str(box["value"]) for box in page.select("input[name=row]")][:2]
    form = page.select_one(".inbox__cause form")
    fields = {"row": ticked, "do": "move", "day": "", "time": "20:15"}
    answer = client.post(form["action"], data=fields)
    assert answer.status_code == 422
    page = parsed(answer)
    assert [box["value"] for box in page.select("input[name=row][checked]")] == ticked
    day = page.select_one(".inbox__bulk input[name=day]")
    assert day["aria-invalid"] == "true"
    assert page.find(id=day["aria-describedby"]).get_text(strip=True)
    assert day.find_parent("details").has_attr("open")
    assert page.select_one(".inbox__bulk input[name=time]")["value"] == "20:15"
    assert not page.select("input[name=whole][checked]")
    assert page.select_one(".inbox__cause form")["action"] == form["action"]
    assert {one.state for one in (*rows, *elsewhere)} == {State.FAILED, State.MISSED}


def test_a_move_of_a_whole_group_without_a_day_keeps_it_ticked_on_its_page(
    client: FlaskClient, operator: User
) -> None:
    for _ in range(13):  # causes of one post each fill the first page
        stands(State.FAILED)
    way = account()
    several = [stands(State.MISSED, account=way) for _ in range(2)]
    page = read(client, "/today/waiting?page=2")
    whole = page.select_one("input[name=whole]")
    form = whole.find_parent("form")
    answer = client.post(form["action"], data={"whole": whole["value"], "do": "move", "day": "x"})
    again = parsed(answer).select_one("input[name=whole][checked]")
    assert (answer.status_code, again["value"]) == (422, whole["value"])
    day = (now() + timedelta(days=4)).date().isoformat()
    done = client.post(form["action"], data={"whole": whole["value"], "do": "move", "day": day})
    assert done.status_code == 200
    assert {one.state for one in several} == {State.PLANNED}
