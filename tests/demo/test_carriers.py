"""The demo carriers beside the demo world: a post goes all the way, and their pages show it to people."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import Client
from werkzeug.test import TestResponse as Answer

from audience import pools
from cms.accounts import users
from cms.accounts.models import Role
from cms.cli import carriers as command
from cms.core import demo_carriers, mail, ports
from cms.core.clock import holding, now
from cms.core.config import ROOT, current
from cms.core.db import give_back, session, transaction
from cms.core.mail import Letter
from cms.demo import consoles, team, ways
from cms.demo.carriers import families, serving
from cms.demo.carriers.mail import MailSink, letters_folder
from cms.demo.carriers.pages import Pages
from cms.demo.carriers.pulse import Pulse
from cms.demo.carriers.serving import Carriers
from cms.demo.models import DemoWorld
from schedules import accounts, polling
from schedules.addressing import way_of
from schedules.channels import CHANNELS
from schedules.models import ChannelAccount, Publication
from schedules.states import HandOverState, PublicationState
from tests.schedules.ready import approved, tried


@pytest.fixture
def house(elsewhere: Flask) -> Iterator[Carriers]:
    """The team, its accounts, and the carriers serving where the accounts call them."""
    with transaction():
        moment = now()
        session.add(DemoWorld(seed=1, today=moment.date(), began_at=moment, finished_at=moment))
        team.people()
        team.readers(team.member("administrator"))
        ways.open_all(team.member("administrator"))
    made = consoles.begin_anew()
    consoles.connect(made)
    made.pages = Pages(elsewhere)
    with ports.listen(urlsplit(current().carriers_url).port or 0) as listener:
        web = serving.server(made, listener)
    threading.Thread(target=web.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    web.shutdown()
    web.server_close()
    made.close()


def account(slug: str) -> ChannelAccount:
    found = accounts.by_slug(slug)
    assert found is not None
    return found


def published(slug: str) -> Publication:
    """A post through that account, as a worker carries it out."""
    pool = pools.by_slug(ways.BY_SLUG[slug].pools[0])
    publication = approved(account=account(slug), pool=pool)
    return tried(publication)


def after(house: Carriers, publication: Publication, seconds: float) -> Publication:
    """What the ledger knows when it asks so many seconds later."""
    for member in house.members.values():
        member.book.put("clock", "offset", seconds)
    with holding(now() + timedelta(seconds=seconds)):
        polling.hurry(publication.id)
        polling.ask(publication.id)
    session.expire_all()
    return publication


def look(house: Carriers, path: str, **more: Any) -> Answer:
    return Client(house).get(path, base_url=current().carriers_url, **more)


def press(house: Carriers, verb: str, employee: str, task: str, **headers: str) -> Answer:
    form = {"verb": verb, "employee": employee, "task": task}
    url = current().carriers_url
    return Client(house).post("/wecom/act", base_url=url, data=form, headers=headers)


def test_every_carrier_has_an_account_that_knows_its_way() -> None:
    ours = {way.channel for way in ways.WAYS}
    assert ours == {one.slug for one in CHANNELS} - {"reader", "manual", "sandbox"}
    slugs = {kind.slug for kind in families.FAMILIES}
    assert {way.at for way in ways.WAYS} == slugs


def test_the_connections_work(house: Carriers) -> None:
    for way in ways.WAYS:
        if way.channel != "email":
            ours = way_of(account(way.slug))
            give_back()
            said = CHANNELS.get(way.channel).try_out(ours)
            assert said == "", (way.slug, said)


def test_a_moments_post_is_confirmed_by_one_employee_after_the_other(house: Carriers) -> None:
    publication = published("wecom-moments")
    assert publication.state is PublicationState.HANDED_OVER
    counts = []
    for seconds in (6, 20, 40, 70, 200):
        after(house, publication, seconds)
        counts.append((publication.confirmed, publication.expected))
    assert counts[-1] == (6, 6)
    assert counts == sorted(counts), "nobody takes a confirmation back"
    assert any(0 < confirmed < 6 for confirmed, _expected in counts), counts
    assert publication.state is PublicationState.PUBLISHED
    tasks = {task.employee: task.state for task in publication.employee_tasks}
    assert tasks == dict.fromkeys(ways.EMPLOYEES, HandOverState.CONFIRMED)


def test_whoever_is_told_to_ignore_a_task_does_so(house: Carriers) -> None:
    publication = published("wecom-mass")
    task = publication.carrier_facts["tasks"]["XiaoHe"]
    assert press(house, "ignore", "XiaoHe", task).status_code == 303
    after(house, publication, 600)
    assert (publication.confirmed, publication.expected) == (3, 4)
    assert publication.state is PublicationState.HANDED_OVER
    assert "Ignored" in look(house, "/wecom/").text
    assert press(house, "confirm", "XiaoHe", task).status_code == 303
    after(house, publication, 660)
    assert publication.state is PublicationState.PUBLISHED


def test_one_message_arrives_at_feishu_without_an_answer(house: Carriers) -> None:
    publication = published("feishu")
    assert publication.state is PublicationState.UNCERTAIN
    assert publication.post.text in look(house, "/feishu/").text


def test_one_message_is_refused_by_dingtalk(house: Carriers) -> None:
    publication = published("dingtalk")
    assert publication.state is PublicationState.FAILED
    assert house.members["dingtalk"].book.shown() == []


def test_the_official_account_tells_that_an_article_is_live(
    house: Carriers, elsewhere: Flask
) -> None:
    publication = published("oa-publish")
    told: list[str] = []
    member: Any = house.members["oa"]

    def deliver(url: str, body: bytes) -> int:
        told.append(url)
        path = "/" + url.split("/", 3)[3]
        with elsewhere.test_client() as client:
            return client.post(path, data=body, content_type="text/xml").status_code

    member.caller.post = deliver
    member.book.put("clock", "offset", 60)
    pulse = Pulse(house, on_news=lambda: None)
    pulse.turn()
    assert told
    assert told[0].startswith(f"http://127.0.0.1:{current().port}/callbacks/")
    assert all(call["answered"] for call in member.book.all("call").values())
    page = look(house, "/oa/").text
    assert publication.post.version.title in page
    assert "1 of 1 calls were answered" in page


def test_an_employee_who_acts_is_news(house: Carriers) -> None:
    heard: list[bool] = []
    pulse = Pulse(house, on_news=lambda: heard.append(True))
    publication = published("wecom-mass")
    task = publication.carrier_facts["tasks"]["CenLan"]
    pulse.turn()
    assert heard == []
    press(house, "confirm", "CenLan", task)
    pulse.turn()
    pulse.turn()
    assert heard == [True]


def test_letters_go_to_the_demo_mailbox(house: Carriers) -> None:
    sink = MailSink(letters_folder(), demo_carriers.open_mail())
    sink.start()
    try:
        mail.send(Letter(("wei@example.com",), "<b>Two</b> posts", "Look", html="<p>Look</p>"))
    finally:
        sink.stop()
    page = look(house, "/mail/").text
    assert "&lt;b&gt;Two&lt;/b&gt; posts" in page
    assert "<b>Two" not in page
    name = next(iter(letters_folder().iterdir())).name
    letter = look(house, f"/mail/letter/{name}")
    assert "<p>Look</p>" in letter.text
    assert "sandbox" in letter.headers["Content-Security-Policy"]


def test_every_page_says_that_it_is_a_demo_and_escapes_what_came(house: Carriers) -> None:
    for slug, kind in (("feishu", "message"), ("dingtalk", "message"), ("slack", "message")):
        shown = {"text": "<script>alert(1)</script>", "images": [], "links": [], "called": []}
        house.members[slug].book.show(kind, 1_800_000_000.0, shown)
    for path in ("/", *(f"/{slug}/" for slug in house.members)):
        answer = look(house, path)
        assert answer.status_code == 200, path
        assert "nothing here reaches WeChat" in answer.text
        assert "<script" not in answer.text
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "&lt;script&gt;" in look(house, "/slack/").text
    chinese = look(house, "/", headers={"Accept-Language": "zh-CN"})
    assert '<html lang="zh-CN"' in chinese.text


def test_strangers_pages_press_nothing(house: Carriers) -> None:
    publication = published("wecom-mass")
    task = publication.carrier_facts["tasks"]["CenLan"]
    assert press(house, "confirm", "CenLan", task, Origin="http://evil.example").status_code == 403
    answer = Client(house).get("/wecom/", base_url="http://evil.example:80")
    assert answer.status_code == 403
    assert press(house, "void_token", "CenLan", task).status_code == 400
    assert house.members["wecom"].book.get("mass", task)["done_at"] is None


def test_style_sheets_are_served_and_nothing_beside_them(house: Carriers) -> None:
    sheet = look(house, "/static/css/pages/carriers.css")
    assert sheet.status_code == 200
    assert sheet.content_type.startswith("text/css")
    sheet.close()
    for path in ("/static/../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/static/css"):
        assert look(house, path).status_code == 404


def test_a_port_that_was_taken_is_exchanged_and_accounts_follow(house: Carriers) -> None:
    app = Flask("busy")
    app.config["SEEDBED"] = current()
    before = current().carriers_url
    assert "now" in command.settle(app)
    url = current().carriers_url
    assert url != before
    assert demo_carriers.address_file().read_text() == url
    command.prepare()
    assert account("wecom-mass").settings["base_url"] == f"{url}/wecom"
    assert account("website").settings["url"] == f"{url}/receiver/hook"
    assert command.settle(app) == "", "a free port is kept"


def test_without_a_demo_no_letter_goes_to_a_demo(elsewhere: Flask) -> None:
    demo_carriers.open_mail()
    assert mail.server().is_demo
    with transaction():
        users.add("lin", "Lin", Role.ADMINISTRATOR, by=None)
    command.prepare()
    assert not mail.is_configured()
    assert not demo_carriers.are_here()


def test_the_docs_say_what_each_channel_needs() -> None:
    told = (ROOT / "docs" / "carriers.md").read_text()
    rows = [f"| {one.name} | {one.needs} |" for one in CHANNELS if one.needs]
    assert [row for row in rows if row not in told] == []
