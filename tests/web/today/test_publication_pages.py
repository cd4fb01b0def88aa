"""One publication in full: its log, its people, and the buttons of its state."""

import io
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from cms.accounts.models import Role, User
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.demo.carriers.wecom import SECRET
from schedules import carrying, publishing, wishes
from schedules.models import Delivery, EmployeeTask, Publication
from schedules.states import Act, DeliveryState, ReviewState
from schedules.states import PublicationState as State
from tests import factories as make
from tests.demo_carriers import Start
from tests.schedules.channels.corporation import again, running, sent
from tests.schedules.channels.corporation import asked as asked_carrier
from tests.schedules.ready import account, approved, tried
from tests.signing_in import sign_in


@pytest.fixture
def operator(client: FlaskClient) -> User:
    user = make.user(Role.OPERATOR)
    sign_in(client, user)
    return user


def uncertain() -> Publication:
    publication = approved(account=account("uncertain ok", "N"))
    return tried(publication)


def buttons(client: FlaskClient, publication: Publication) -> set[str]:
    page = BeautifulSoup(client.get(f"/today/publications/{publication.id}").text, "html.parser")
    actions = {form["action"].rsplit("/", 1)[1] for form in page.select("main form")}
    return actions & {"publish-now", "drop", "live", "send-again", "move"}


def test_the_attempt_log_can_be_read(client: FlaskClient, operator: User) -> None:
    publication = uncertain()
    page = client.get(f"/today/publications/{publication.id}").text
    for words in ("Nobody knows", "The sandbox fell silent", "Scheduled", "Tracked link"):
        assert words in page


def test_the_log_tells_each_try_once(client: FlaskClient, operator: User) -> None:
    publication = approved(account=account("not_sent ok", settings={"retry_after": 30}))
    publishing.publish(publication.id, worker="machine:7")
    session.expire_all()
    with transaction():
        attempt = publication.attempts[0]
        attempt.detail = attempt.detail | {
            "calls": [
                {
                    "method": "POST",
                    "address": "https://carrier.example/send?access_token=•••",
                    "sent": '{"text": "早安 <b>"}',
                    "status": 429,
                    "said": "slow down",
                    "ms": 41,
                }
            ]
        }
    page = BeautifulSoup(client.get(f"/today/publications/{publication.id}").text, "html.parser")
    tries = page.select(".log__entry--try")
    assert len(tries) == 1
    words = " ".join(tries[0].text.split())
    for part in (
        "Try 1",
        "Nothing was sent",
        "by machine:7",
        "Next try at",
        "1 call to the carrier",
    ):
        assert part in words
    call = tries[0].select_one(".calls details.call")
    assert call is not None
    assert "https://carrier.example/send?access_token=•••" in call.text
    assert [one.text for one in call.select("pre")] == ['{"text": "早安 <b>"}', "slow down"]
    moves = [
        one.select_one(".strong").text for one in page.select(".log__entry:not(.log__entry--try)")
    ]
    assert moves == ["Scheduled"]  # the approval; what the try led to is told by the try
    assert page.find("a", href=f"/settings/audit?on=publications:{publication.id}") is None


def test_administrators_go_on_to_the_audit_trail(client: FlaskClient) -> None:
    sign_in(client, make.user(Role.ADMINISTRATOR))
    publication, other = uncertain(), uncertain()
    page = BeautifulSoup(client.get(f"/today/publications/{publication.id}").text, "html.parser")
    link = page.find("a", string="Audit trail")
    assert link is not None
    trail = BeautifulSoup(client.get(link["href"]).text, "html.parser")
    rows = {row.select("td")[3].text for row in trail.select("tbody tr")}
    assert rows == {f"publications {publication.id}"}
    assert other.id != publication.id
    assert client.get("/settings/audit?on=nonsense").status_code == 422


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
    page = BeautifulSoup(client.get(address).text, "html.parser")
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


def test_recipients_are_counted_and_listed(client: FlaskClient, operator: User) -> None:
    publication = make.post(state=State.PUBLISHED).publication
    with transaction():
        for number in range(60):
            state = DeliveryState.SENT if number % 3 else DeliveryState.NOT_A_CONTACT
            session.add(
                Delivery(
                    publication_id=publication.id,
                    recipient=f"wm{number:03}",
                    state=state,
                    updated_at=now(),
                )
            )
    address = f"/today/publications/{publication.id}"
    page = BeautifulSoup(client.get(address).text, "html.parser")
    facts = page.select_one("section[aria-labelledby=reached] dl")
    assert [one.text for one in facts.select("dt, dd")] == [
        "Reached",
        "40",
        "No contact any more",
        "20",
    ]
    listed = BeautifulSoup(client.get(f"{address}/recipients").text, "html.parser")
    assert len(listed.select("tbody tr")) == 50
    gone = BeautifulSoup(
        client.get(f"{address}/recipients?state=not_a_contact").text, "html.parser"
    )
    assert len(gone.select("tbody tr")) == 20
    assert client.get(f"{address}/recipients?state=lost").status_code == 422


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
    page = BeautifulSoup(client.get(address).text, "html.parser")
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
    page = BeautifulSoup(client.get(address).text, "html.parser")
    assert "would not take it back" in page.text
    assert page.find("form", action=f"{address}/withdraw") is not None
    assert page.find("form", action=f"{address}/let-be") is not None
    assert client.post(f"{address}/let-be").status_code == 302
    assert publication.wish is None


def asked(*employees: str) -> Publication:
    """Taken by its carrier, and those employees were asked to post it."""
    publication = make.post(state=State.HANDED_OVER, account=account()).publication
    with transaction():
        publication.expected = len(employees)
        publication.confirm_by = now() + timedelta(hours=2)
        for name in employees:
            session.add(
                EmployeeTask(publication_id=publication.id, employee=name, updated_at=now())
            )
    return publication


def test_employees_are_counted_and_confirmed_with_proof(
    client: FlaskClient, operator: User
) -> None:
    publication = asked("zhang-san", "li-si")
    address = f"/today/publications/{publication.id}"
    page = client.get(address).text
    assert "0 of 2 confirmed" in page
    bare = client.post(f"{address}/confirm-by-hand", data={"employee": "li-si", "note": " "})
    assert bare.status_code == 422
    assert "Add a screenshot" in bare.text
    said = {"employee": "li-si", "note": "Seen at 20:31"}
    assert client.post(f"{address}/confirm-by-hand", data=said).status_code == 302
    page = client.get(address).text
    assert "1 of 2 confirmed" in page
    assert f"said by {operator.name}: Seen at 20:31" in page
    assert publication.state is State.HANDED_OVER
    nobody = client.post(f"{address}/confirm-by-hand", data={"employee": "wang", "note": "x"})
    assert nobody.status_code == 404
    html = (io.BytesIO(b"<html>"), "proof.png")
    wrong = client.post(f"{address}/confirm-by-hand", data={"employee": "zhang-san", "file": html})
    assert wrong.status_code == 422


def test_what_the_carrier_is_silent_about_is_confirmed_or_given_up(
    client: FlaskClient, operator: User
) -> None:
    live, absent = asked(), asked()
    with transaction():
        for one in (live, absent):
            one.confirm_by = now() - timedelta(minutes=1)
    said = {"employee": "", "note": "Seen in the app"}
    client.post(f"/today/publications/{live.id}/confirm-by-hand", data=said)
    assert client.post(f"/today/publications/{absent.id}/absent").status_code == 302
    assert (live.state, absent.state) == (State.PUBLISHED, State.FAILED)
    assert (
        "Somebody looked: it is not there." in client.get(f"/today/publications/{absent.id}").text
    )


def test_the_log_tells_what_the_carrier_answered_since(
    client: FlaskClient, operator: User, start_carriers: Start
) -> None:
    corporation = running(start_carriers)
    publication = sent(corporation.account("wecom_mass"))
    corporation.advance(10)
    asked_carrier(publication)
    corporation.control("confirm", employee="lina")
    for hours in (2, 3, 4):
        asked_carrier(publication, later=hours * 3600)
    address = f"/today/publications/{publication.id}"
    page = BeautifulSoup(client.get(address).text, "html.parser")
    entry = page.select_one(".log__entry--try")
    assert entry is not None
    words = " ".join(entry.text.split())
    for part in (
        "The carrier was asked 4 times since.",
        "Not yet live.",
        "It is asked again at",
        "0 of 2 confirmed",
        "1 of 2 confirmed",
        "get_groupmsg_task",
    ):
        assert part in words
    assert words.count("of 2 confirmed") == 2  # what stayed the same is told once
    assert SECRET not in entry.text
    with transaction():
        publication.account.is_paused = True
    asked_carrier(publication, later=5 * 3600)
    words = client.get(address).text
    assert "The carrier was asked 4 times since." in words
    assert "The account is paused; its carrier is not asked." in words


def test_the_log_shows_the_look_up_before_a_send(
    client: FlaskClient, operator: User, start_carriers: Start
) -> None:
    corporation = running(start_carriers)
    corporation.script("/add_msg_template", "before", "ok")
    publication = sent(corporation.account("wecom_mass", senders=["lina"]))
    assert publication.state is State.SCHEDULED
    again(publication, later=300)
    assert publication.state is State.HANDED_OVER
    page = BeautifulSoup(client.get(f"/today/publications/{publication.id}").text, "html.parser")
    newest = page.select_one(".log__entry--try")
    assert newest is not None
    looked, called = newest.select("details.calls")[:2]
    assert "An earlier try was looked up first" in newest.text
    assert "get_groupmsg_list_v2" in looked.text
    assert "add_msg_template" in called.text


def test_employees_are_reminded_by_a_button(
    client: FlaskClient, operator: User, start_carriers: Start
) -> None:
    corporation = running(start_carriers)
    publication = sent(corporation.account("wecom_mass"))
    corporation.advance(10)
    asked_carrier(publication)
    address = f"/today/publications/{publication.id}"
    with transaction():
        publication.confirm_by = now() + timedelta(minutes=20)
    assert "Remind them" in client.get("/today/waiting").text
    for _time in range(3):
        assert "Remind who has not posted it" in client.get(address).text
        assert client.post(f"{address}/remind").status_code == 302
        assert "being asked to remind" in client.get(address).text
        carrying.carry(publication.id, worker="here")
    assert "Remind them" not in client.get("/today/waiting").text
    page = client.get(address).text
    assert "Remind who has not posted it" not in page
    assert "reminded 3 times within a day" in page
    assert "Reminded employees" in page
    assert client.post(f"{address}/remind").status_code == 409
