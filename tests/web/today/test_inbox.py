"""The failure inbox in a browser: causes with their posts, decided singly, by selection, by group."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient
from sqlalchemy import text

from cms.accounts.models import Role, User
from cms.core.clock import now
from cms.core.db import session, transaction
from schedules import batches, carrying, late, polling, publishing
from schedules.channels.answers import EmployeeAnswer, Progress, Standing
from schedules.models import ChannelAccount, Publication
from schedules.states import Act, HandOverState, ReviewState
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.fake_carrier import registered
from tests.schedules.ready import account, approved, given
from tests.signing_in import sign_in
from tests.web.reading import parsed, read


def troubled(state: State, reason: str = "", way: ChannelAccount | None = None) -> Publication:
    """An approved publication that ended up in that state."""
    publication = approved(account=way or account("ok", "N"))
    with transaction():
        publication.state, publication.reason = state, reason
    return publication


def inbox(client: FlaskClient, query: str = "") -> BeautifulSoup:
    return read(client, f"/today/waiting{query}")


def cards(page: BeautifulSoup) -> list[Tag]:
    return page.select(".inbox__cause")


def ticks(page: BeautifulSoup) -> list[str]:
    """Every row that may be decided, as its page remembers it."""
    boxes = page.select("input[name=row]") or page.select("form[id^=one-] input[name=seen]")
    return [str(box["value"]) for box in boxes]


def decide(client: FlaskClient, query: str = "", **fields: Any) -> BeautifulSoup:
    answer = client.post(f"/today/waiting/decide{query}", data=fields)
    assert answer.status_code == 200, answer.text
    return parsed(answer)


def test_posts_stand_once_under_their_cause(client: FlaskClient, operator: User) -> None:
    way = account(name="Class teachers")
    for _ in range(3):
        troubled(State.MISSED, late.TOO_LATE, way)
    other = troubled(State.FAILED, "The carrier refused the post.", way)
    troubled(State.SCHEDULED)
    page = inbox(client)
    first, second = cards(page)
    assert "Failed" in first.text
    assert "The carrier refused the post." in first.h2.text
    assert "Class teachers" in second.text
    assert "3 posts" in second.text
    assert second.text.count("It could not go out in time") == 1
    assert "publish it now; else move it" in second.text
    rows = page.select(".inbox__row")
    assert len(rows) == 4
    assert len({row.a["href"] for row in rows}) == 4
    assert len(cards(inbox(client, "?state=missed"))) == 1
    assert len(cards(inbox(client, f"?account={other.account_id}"))) == 2
    assert len(cards(inbox(client, f"?pool={other.pool_id}"))) == 1
    assert len(cards(inbox(client, f"?day={other.post.wall_date}"))) == 2
    assert cards(inbox(client, "?day=2001-01-01")) == []


@pytest.mark.parametrize("query", ["state=planned", "account=x", "pool=-1", "day=x", "page=0"])
def test_odd_filters_are_told_what_is_allowed(
    client: FlaskClient, operator: User, query: str
) -> None:
    assert client.get(f"/today/waiting?{query}").status_code == 422


def test_the_rail_counts_what_waits_for_those_who_decide(
    client: FlaskClient, operator: User
) -> None:
    assert inbox(client).select_one(".rail__count") is None
    troubled(State.HELD)
    troubled(State.UNCERTAIN)
    badge = read(client, "/library").select_one(".rail__count")
    assert badge is not None
    assert badge.text.startswith("2")
    sign_in(client, make.user(Role.PLANNER))
    page = inbox(client)
    assert page.select_one(".rail__count") is None
    assert ticks(page) == []
    assert page.select("main form[method=post] button") == []


def test_one_press_retries_what_is_ticked(client: FlaskClient, operator: User) -> None:
    way = account()
    chosen, other = troubled(State.FAILED, way=way), troubled(State.FAILED, way=way)
    rows = [row for row in ticks(inbox(client)) if row.startswith(f"{chosen.id}:")]
    done = decide(client, row=rows, do="retry")
    assert "1 post goes out within seconds." in done.text
    assert (chosen.state, other.state) == (State.SCHEDULED, State.FAILED)
    twice = decide(client, row=rows, do="retry")
    assert "1 had been dealt with already" in twice.text
    assert "it is scheduled now" in twice.text
    assert "not done" not in twice.text


def test_a_whole_group_at_once_within_its_filter(client: FlaskClient, operator: User) -> None:
    way = account()
    mine = [troubled(State.MISSED, late.TOO_LATE, way) for _ in range(12)]
    other = troubled(State.MISSED, late.TOO_LATE)
    page = inbox(client, f"?account={way.id}")
    assert len(ticks(page)) == 10
    assert "Show all 12" in page.text
    whole = str(page.select_one("input[name=whole]")["value"])
    assert len(ticks(inbox(client, f"?cause={whole}"))) == 12
    done = decide(client, f"?account={way.id}", whole=whole, do="drop")
    assert "12 posts are dropped." in done.text
    assert {one.state for one in mine} == {State.CANCELLED}
    assert other.state is State.MISSED


def test_a_poisonous_row_fails_alone_and_is_named(client: FlaskClient, operator: User) -> None:
    way = account()
    good, bad, changed = (troubled(State.HELD, way=way) for _ in range(3))
    with transaction():
        changed.post.text = "Other words"
        bad.post.media_ids = ["no number"]
    done = decide(client, row=ticks(inbox(client)), do="retry")
    assert "1 post goes out within seconds." in done.text
    assert "2 were not done" in done.text
    assert bad.post.version.title in done.text
    assert "It could not be done; the log says why." in done.text
    assert "It is not what was approved any more." in done.text
    assert (good.state, bad.state, changed.state) == (State.SCHEDULED, State.HELD, State.HELD)


def test_a_row_that_changed_meanwhile_is_left_and_told(client: FlaskClient, operator: User) -> None:
    publication = troubled(State.FAILED)
    rows = ticks(inbox(client))
    with transaction():
        publication.state, publication.fence = State.UNCERTAIN, publication.fence + 1
    done = decide(client, row=rows, do="drop")
    assert "1 was not done" in done.text
    assert "It changed meanwhile: it is uncertain now." in done.text
    assert publication.state is State.UNCERTAIN


def test_sending_again_what_may_be_live_is_asked_twice(client: FlaskClient, operator: User) -> None:
    way = account("ok", "N")
    both = [troubled(State.UNCERTAIN, way=way) for _ in range(2)]
    asked = decide(client, row=ticks(inbox(client)), do="again")
    assert "will be seen twice" in asked.text
    assert {one.state for one in both} == {State.UNCERTAIN}
    fields = {box["name"]: box["value"] for box in asked.select("main input[type=hidden]")}
    done = decide(client, row=ticks(asked), do="again", sure=fields["sure"])
    assert "2 posts go out again within seconds." in done.text
    assert {one.state for one in both} == {State.SCHEDULED}


def test_several_are_live(client: FlaskClient, operator: User) -> None:
    both = [troubled(State.UNCERTAIN) for _ in range(2)]
    decide(client, row=ticks(inbox(client)), do="live")
    assert {one.state for one in both} == {State.PUBLISHED}


def test_several_move_and_wait_for_approval_anew(client: FlaskClient, operator: User) -> None:
    moved = [troubled(State.MISSED, late.TOO_LATE) for _ in range(2)]
    live = troubled(State.UNCERTAIN)
    day = (now() + timedelta(days=4)).date()
    rows = ticks(inbox(client))
    done = decide(client, row=rows, do="move", day=day.isoformat())
    assert "2 posts are moved. Somebody has to approve them anew." in done.text
    assert "It may be live already" in done.text
    for one in moved:
        assert one.state is State.PLANNED
        assert one.post.wall_date == day
        assert one.post.review is ReviewState.SUBMITTED
    assert live.state is State.UNCERTAIN


def test_one_post_is_live_at_its_link(client: FlaskClient, operator: User) -> None:
    publication = troubled(State.UNCERTAIN)
    page = inbox(client, "?state=uncertain")
    form = page.find("form", id=f"live-{publication.id}")
    field = page.find("input", {"form": f"live-{publication.id}"})
    fields = {one["name"]: one["value"] for one in form.select("input[type=hidden]")}
    answer = client.post(form["action"], data=fields | {field["name"]: "https://example.com/9"})
    assert answer.location == "/today/waiting?state=uncertain"
    assert publication.state is State.PUBLISHED
    assert publication.external_url == "https://example.com/9"


def test_enter_in_a_field_presses_nothing_dangerous(client: FlaskClient, operator: User) -> None:
    """A browser presses the first button of the form that owns the field."""
    way, doubtful = account(), account("ok", "N")
    for _ in range(2):
        troubled(State.FAILED, way=way)
        troubled(State.UNCERTAIN, way=doubtful)
    for card in cards(inbox(client)):
        for field in card.select("input[type=url], input[type=date], input[type=time]"):
            owner = field.get("form")
            buttons = (
                card.select(f"button[form={owner}]")
                if owner
                else card.form.select("button:not([form])")
            )
            first = buttons[0].get("formaction", buttons[0].get("value"))
            assert first.rsplit("/", 1)[-1] in {"live", "move"}, first
        assert card.form.select("button:not([form])")[0]["value"] in {"move", "again"}


def test_nothing_chosen_too_much_and_nonsense(client: FlaskClient, operator: User) -> None:
    troubled(State.FAILED)
    none = client.post("/today/waiting/decide", data={"do": "retry"}, follow_redirects=True)
    assert "Choose at least one post first." in none.text
    many = [f"{number}:failed:0" for number in range(1, batches.MOST + 2)]
    for fields in (
        {"row": many, "do": "retry"},
        {"row": "x", "do": "retry"},
        {"row": "1:failed:0"},
    ):
        assert client.post("/today/waiting/decide", data=fields).status_code == 422
    gone = decide(client, row=f"{10**6}:failed:0", do="retry")
    assert "There is no such publication." in gone.text


def test_planners_decide_nothing(client: FlaskClient) -> None:
    sign_in(client, make.user(Role.PLANNER))
    publication = troubled(State.FAILED)
    row = f"{publication.id}:failed:{publication.fence}"
    answer = client.post("/today/waiting/decide", data={"row": row, "do": "retry"})
    assert answer.status_code == 403
    assert publication.state is State.FAILED


def test_a_full_inbox_costs_no_more_queries_than_an_empty_one(
    client: FlaskClient, operator: User, count_queries: Callable[[], Any]
) -> None:
    def cost() -> int:
        with count_queries() as statements:
            inbox(client)
        return len(statements)

    troubled(State.FAILED)
    troubled(State.MISSED)
    troubled(State.UNCERTAIN)
    inbox(client)
    few = cost()
    for _ in range(3):  # so that every cause is on the first page
        troubled(State.FAILED)
        troubled(State.MISSED)
        troubled(State.UNCERTAIN)
    assert cost() == few
    assert few <= 14


def test_confirmations_that_run_out_are_shown_in_time(client: FlaskClient, operator: User) -> None:
    way = account()
    early, near, over = (
        make.post(state=State.HANDED_OVER, account=way).publication for _ in range(3)
    )
    with transaction():
        for one, minutes in ((early, 300), (near, 20), (over, -1)):
            one.confirm_by = now() + timedelta(minutes=minutes)
            one.expected, one.confirmed = 3, 1
    expired, expiring = cards(inbox(client))
    assert "Not confirmed" in expired.text
    assert "Nobody has confirmed in time" in expired.text
    assert "1 of 3 confirmed" in expired.text
    assert "Little time left" in expiring.text
    assert expiring.select("input[name=row]") == []
    done = decide(client, row=ticks(inbox(client)), do="absent")
    assert "1 post counts as failed and may be tried again." in done.text
    assert [one.state for one in (early, near, over)] == [
        State.HANDED_OVER,
        State.HANDED_OVER,
        State.FAILED,
    ]


def test_what_employees_did_not_post_is_taken_back_in_bulk(
    client: FlaskClient, operator: User
) -> None:
    with registered() as carrier:
        ada = EmployeeAnswer("ada", HandOverState.WAITING)
        carrier.answers["progress"] = Progress(Standing.WAITING, employees=(ada,))
        way = make.account(channel="fake", per_minute=6000)
        pool = make.pool()
        several = [approved(account=way, pool=pool) for _ in range(2)]
        for one in several:
            publishing.publish(one.id, worker="here")
        session.expire_all()
        with transaction():
            for one in several:
                one.confirm_by = one.poll_at = now() - timedelta(minutes=1)
        for one in several:
            polling.ask(one.id)
        (card,) = cards(inbox(client))
        offered = {button.get("value") for button in card.select("button[name=do]")}
        assert offered == {"remind", "take_back"}
        assert "take it back, so that nobody posts it later" in card.text
        rows = ticks(inbox(client))
        assert "Take it back instead." in decide(client, row=rows, do="drop").text
        assert "the employees are reminded" in decide(client, row=rows, do="remind").text
        for one in several:
            carrying.carry(one.id, worker="here")
        session.expire_all()
        done = decide(client, row=ticks(inbox(client)), do="take_back")
        assert "2 posts are taken back within seconds" in done.text
        for one in several:
            carrying.carry(one.id, worker="here")
        session.expire_all()
        assert [one.state for one in several] == [State.CANCELLED] * 2
        assert len(carrier.done("withdraw")) == 2
        assert cards(inbox(client)) == []


def test_packs_nobody_answered_for_lead_to_their_page(client: FlaskClient, operator: User) -> None:
    pack = given(make.user(Role.PLANNER))
    assert cards(inbox(client)) == []
    with transaction():
        pack.expires_at = now() - timedelta(minutes=1)
    (card,) = cards(inbox(client))
    assert card.find("a", href=f"/today/hand-overs/{pack.id}") is not None


def test_changes_that_do_not_get_through_are_shown(client: FlaskClient, operator: User) -> None:
    fresh, stuck = (make.post(state=State.PUBLISHED).publication for _ in range(2))
    with transaction():
        for one, tries in ((fresh, 0), (stuck, 3)):
            one.wish, one.wish_at, one.wish_tries = Act.WITHDRAW, now(), tries
    (card,) = cards(inbox(client))
    assert "does not get through" in card.text
    assert [row.a["href"] for row in card.select(".inbox__row")] == [
        f"/today/publications/{stuck.id}"
    ]


def test_a_ledger_that_cannot_be_read_takes_no_page_with_it(
    client: FlaskClient, operator: User
) -> None:
    with transaction() as current:
        current.execute(text("ALTER TABLE publications RENAME TO gone"))
    page = client.get("/profile")
    assert page.status_code == 200
    assert "rail__count" not in page.text
