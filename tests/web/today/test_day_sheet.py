"""The operator's day sheet, as a browser without scripts sees it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from audience.models import PoolKind
from cms.accounts.models import Role, User
from cms.core.clock import now
from cms.core.db import session, transaction
from schedules.models import Post
from schedules.states import PublicationState, ReviewState
from tests import factories as make
from tests.schedules.ready import submitted
from tests.signing_in import sign_in
from tests.web.reading import parsed, read


def post_today(**fields: Any) -> Post:
    pool = fields.pop("pool", None) or make.pool()
    way = make.account(pool, channel=fields.pop("channel", "reader"))
    return submitted(pool=pool, account=way, publish_at=now() + timedelta(minutes=1), **fields)


def sheet(client: FlaskClient, query: str = "") -> BeautifulSoup:
    return read(client, f"/today/{query}")


def form_of(page: BeautifulSoup, action: str) -> dict[str, str]:
    form = page.find("form", action=action)
    assert form is not None
    return {field["name"]: field.get("value", "") for field in form.select("input[type=hidden]")}


def test_the_sheet_shows_exactly_what_will_go_out(client: FlaskClient, operator: User) -> None:
    moments = post_today(
        pool=make.pool(kind=PoolKind.MOMENTS), channel="manual", text="早安，今天讲一个坑"
    )
    group = post_today(text="晚上见", asset=make.asset(html="<p>The whole article.</p>"))
    page = sheet(client)
    cards = page.select(".sheet-card")
    assert len(cards) == 2
    shown = page.select_one(".moments .preview__text").text
    assert shown.startswith("早安，今天讲一个坑\nhttp://localhost/l/")
    assert page.select_one(".article-preview .preview__text").text == "晚上见"
    assert "The whole article." in page.text
    assert "0 of 2" in page.select_one(".sheet-progress").text
    ids = [tag["id"] for tag in page.select("[id]")]
    assert len(ids) == len(set(ids))
    assert {moments.id, group.id} == {int(card["id"].split("-")[1]) for card in cards}


def test_approving_leads_to_the_next_post_and_lets_it_wait(
    client: FlaskClient, operator: User
) -> None:
    first, second = post_today(), post_today()
    address = f"/today/posts/{first.id}/approve"
    answer = client.post(address, data=form_of(sheet(client), address))
    assert answer.status_code == 302
    assert answer.location.endswith(f"#post-{second.id}")
    assert first.publication.state is PublicationState.SCHEDULED
    page = sheet(client)
    assert "1 of 2" in page.select_one(".sheet-progress").text
    assert page.find("form", action=address) is None


def test_a_rejection_takes_a_chip_or_words_but_not_nothing(
    client: FlaskClient, operator: User
) -> None:
    post = post_today()
    address = f"/today/posts/{post.id}/reject"
    fields = form_of(sheet(client), address)
    empty = client.post(address, data=fields | {"reason": "other", "note": " "})
    assert empty.status_code == 422
    assert "Say what should change." in empty.text
    told = client.post(address, data=fields | {"reason": "facts", "note": "¥9,000, not ¥8,000"})
    assert told.status_code == 302
    assert post.review is ReviewState.REJECTED
    assert post.approvals[0].note == "Facts unclear – ¥9,000, not ¥8,000"


def test_a_post_that_changed_meanwhile_is_shown_with_the_difference(
    client: FlaskClient, operator: User
) -> None:
    post = post_today(text="Starts at 20:00\nBring tea")
    address = f"/today/posts/{post.id}/approve"
    fields = form_of(sheet(client), address)
    with transaction():
        post.text, post.revision = "Starts at 20:30\nBring tea", 2
    answer = client.post(address, data=fields)
    assert answer.status_code == 409
    page = parsed(answer)
    assert page.select_one(".difference del").text == "Starts at 20:00"
    assert page.select_one(".difference ins").text == "Starts at 20:30"
    assert post.review is ReviewState.SUBMITTED
    assert form_of(page, address)["revision"] == "2"


def test_nobody_is_offered_their_own_post(client: FlaskClient, operator: User) -> None:
    post = post_today(submitted_by_id=operator.id)
    address = f"/today/posts/{post.id}/approve"
    page = sheet(client)
    assert page.find("form", action=address) is None
    assert "This is your own post" in page.text
    assert client.post(address, data={"revision": 1}).status_code == 403


def test_planners_see_the_sheet_and_decide_nothing(client: FlaskClient) -> None:
    sign_in(client, make.user(Role.PLANNER))
    post = post_today()
    assert not sheet(client).select(".sheet-card__decide form")
    assert client.post(f"/today/posts/{post.id}/approve", data={"revision": 1}).status_code == 403
    assert post.review is ReviewState.SUBMITTED


def test_an_approval_can_be_taken_back(client: FlaskClient, operator: User) -> None:
    post = post_today()
    client.post(f"/today/posts/{post.id}/approve", data={"revision": 1})
    assert client.post(f"/today/posts/{post.id}/withdraw-approval").status_code == 302
    assert post.review is ReviewState.DRAFT


def test_parts_of_the_day_and_other_days(client: FlaskClient, operator: User) -> None:
    post = post_today()
    tomorrow = (post.publish_at + timedelta(days=5)).date()
    assert len(sheet(client, "?view=to_approve").select(".sheet-card")) == 1
    assert not sheet(client, "?view=out").select(".sheet-card")
    assert not sheet(client, f"?day={tomorrow}").select(".sheet-card")


@pytest.mark.parametrize(
    "query", ["day=31-12-2026", "day=0001-01-01", "day=2026-02-30", "view=everything", "page=-1"]
)
def test_odd_queries_are_told_what_is_allowed(
    client: FlaskClient, operator: User, query: str
) -> None:
    assert client.get(f"/today/?{query}").status_code == 422


def test_an_unknown_post_is_simply_not_there(client: FlaskClient, operator: User) -> None:
    assert client.post("/today/posts/999/approve", data={"revision": 1}).status_code == 404


def test_a_long_day_costs_no_more_queries_than_a_short_one(
    client: FlaskClient, operator: User, count_queries: Callable[[], Any]
) -> None:
    def cost() -> int:
        session.expire_all()
        with count_queries() as statements:
            sheet(client)
        return len(statements)

    post_today()
    sheet(client)
    few = cost()
    for _ in range(12):
        post_today()
    assert cost() == few
    assert few <= 22
