"""One publication's page: the buttons of its state, and what each of them does."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from cms.accounts.models import Role, User
from cms.core.clock import now
from cms.core.db import transaction
from schedules import wishes
from schedules.inbox import STUCK_TRIES
from schedules.models import Publication
from schedules.states import Act, ReviewState
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.ready import account, approved, uncertain
from tests.signing_in import sign_in
from tests.web.reading import read


def buttons(client: FlaskClient, publication: Publication) -> set[str]:
    page = read(client, f"/today/publications/{publication.id}")
    actions = {form["action"].rsplit("/", 1)[1] for form in page.select("main form")}
    return actions & {"publish-now", "drop", "live", "send-again", "move"}


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (State.PLANNED, {"drop"}),
        (State.SCHEDULED, {"publish-now", "drop"}),
        (State.MISSED, {"publish-now", "move", "drop"}),
        (State.FAILED, {"publish-now", "move", "drop", "live"}),
        (State.HELD, {"publish-now", "move", "drop"}),
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


@pytest.mark.parametrize("state", list(State))
def test_each_state_is_told_in_a_sentence(
    client: FlaskClient, operator: User, state: State
) -> None:
    publication = make.post(state=state).publication
    if state is State.PUBLISHED:
        with transaction():
            publication.published_at = now()
    card = read(client, f"/today/publications/{publication.id}").select_one(
        "[aria-labelledby=standing]"
    )
    assert card is not None
    assert card.select_one("p").get_text(strip=True).endswith(".")


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


def test_a_press_on_a_stale_page_decides_nothing(client: FlaskClient, operator: User) -> None:
    publication = uncertain()
    address = f"/today/publications/{publication.id}"
    page = read(client, address)
    seen = page.find("form", action=f"{address}/send-again").find("input", {"name": "seen"})[
        "value"
    ]
    assert client.post(f"{address}/send-again", data={"seen": seen}).status_code == 302
    again = client.post(f"{address}/send-again", data={"seen": seen}, follow_redirects=True)
    assert "Somebody has dealt with it already: it is scheduled now." in again.text
    assert publication.state is State.SCHEDULED
    with transaction():
        publication.state, publication.fence = State.UNCERTAIN, publication.fence + 1
    stale = client.post(f"{address}/drop", data={"seen": seen})
    assert stale.status_code == 409
    assert "It changed meanwhile" in stale.text
    assert publication.state is State.UNCERTAIN


def test_a_missed_post_moves_and_waits_for_approval(client: FlaskClient, operator: User) -> None:
    publication = approved()
    with transaction():
        publication.state = State.MISSED
    address = f"/today/publications/{publication.id}/move"
    day = (now() + timedelta(days=3)).date()
    bad = client.post(address, data={"day": "30-02", "time": "20:00"})
    assert bad.status_code == 422
    assert "Write a day as" in bad.text
    moved = client.post(address, data={"day": day.isoformat(), "time": "20:15"})
    assert moved.status_code == 302
    assert publication.state is State.PLANNED
    assert publication.post.review is ReviewState.SUBMITTED
    assert (publication.post.wall_date, f"{publication.post.wall_time:%H:%M}") == (day, "20:15")


def test_what_may_be_live_is_not_moved(client: FlaskClient, operator: User) -> None:
    publication = uncertain()
    answer = client.post(
        f"/today/publications/{publication.id}/move", data={"day": "2099-01-01", "time": "20:00"}
    )
    assert answer.status_code == 409
    assert "It may be live already" in answer.text
    assert publication.state is State.UNCERTAIN


def test_where_the_carrier_cannot_the_page_says_why(client: FlaskClient, operator: User) -> None:
    publication = make.post(
        state=State.PUBLISHED, account=make.account(channel="manual")
    ).publication
    address = f"/today/publications/{publication.id}"
    assert "cannot take back a post that is live" in client.get(address).text
    for act, fields in (("amend", {"text": "Better words"}), ("withdraw", {"reason": "Wrong day"})):
        answer = client.post(f"{address}/{act}", data=fields)
        assert answer.status_code == 409
    assert publication.wish is None


def test_what_is_live_is_changed_or_taken_back(client: FlaskClient, operator: User) -> None:
    publication = make.post(state=State.PUBLISHED, account=account()).publication
    address = f"/today/publications/{publication.id}"
    empty = client.post(f"{address}/amend", data={"text": " "})
    assert empty.status_code == 422
    assert client.post(f"{address}/amend", data={"text": "Better words"}).status_code == 302
    assert (publication.wish, publication.wish_text) == (Act.AMEND, "Better words")
    assert "Other words are on their way" in client.get(address).text
    for _ in range(2):  # pressing twice is fine
        back = client.post(f"{address}/withdraw", data={"reason": "Wrong day"})
        assert back.status_code == 302
    assert publication.wish is Act.WITHDRAW
    page = read(client, address)
    assert "It is being taken back." in page.text
    assert page.find("form", action=f"{address}/withdraw") is None


def test_what_the_carrier_would_not_take_back_is_let_be_or_asked_again(
    client: FlaskClient, operator: User
) -> None:
    publication = make.post(state=State.PUBLISHED, account=account()).publication
    address = f"/today/publications/{publication.id}"
    client.post(f"{address}/withdraw", data={"reason": "Wrong day"})
    with transaction():
        publication.wish_tries = wishes.MOST_TRIES
    page = read(client, address)
    assert "would not take it back" in page.text
    assert page.find("form", action=f"{address}/withdraw") is not None
    assert page.find("form", action=f"{address}/let-be") is not None
    assert client.post(f"{address}/let-be").status_code == 302
    assert publication.wish is None


@pytest.mark.parametrize("act", [Act.AMEND, Act.WITHDRAW, Act.REMIND])
@pytest.mark.parametrize("is_tried", [True, False])
def test_a_stuck_change_is_let_be_as_its_advice_says(
    client: FlaskClient, operator: User, act: Act, is_tried: bool
) -> None:
    """Tried and tried, or never carried because its account is paused: long before it is given up."""
    publication = make.post(state=State.PUBLISHED, account=account()).publication
    address = f"/today/publications/{publication.id}"
    with transaction():
        publication.wish, publication.wish_text = act, "Better words"
        publication.wish_at = now() if is_tried else now() - timedelta(hours=1)
        publication.wish_tries = STUCK_TRIES if is_tried else 0
    page = read(client, address)
    assert "then let it be" in page.select_one("[aria-labelledby=standing]").text
    assert "would not" not in page.select_one("#live-card").text
    form = page.find("form", action=f"{address}/let-be")
    assert form.find_parent(id="live-card") is not None
    assert client.post(form["action"]).status_code == 302
    assert publication.wish is None
