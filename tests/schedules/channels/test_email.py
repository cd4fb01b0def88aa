"""The channel `email`: a letter to each subscriber, at most once whatever breaks on the way."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import Client

from cms.accounts.models import Role
from cms.core import config, faults
from cms.core.clock import now
from cms.core.db import db, session, transaction
from cms.demo.carriers.mail import Mailbox, MailSink
from cms.factory import create_app
from content_library import media
from content_library.models import VersionMedia
from schedules import (
    addressing,
    decisions,
    letters,
    mailings,
    obstacles,
    publishing,
    receipts,
    reconciling,
    subscribers,
)
from schedules.channels import CHANNELS, email
from schedules.content import outgoing
from schedules.models import ChannelAccount, Delivery, Publication, Stop, Subscriber
from schedules.states import DeliveryState, Outcome, StopScope
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import png
from tests.demo_carriers import mail_sink
from tests.schedules.ready import again, approved, tried

CHANNEL = CHANNELS.get("email")


@pytest.fixture
def sink(app: Flask, tmp_path: Path) -> Iterator[MailSink]:
    with mail_sink(tmp_path / "letters") as server:
        yield server


@pytest.fixture
def account(sink: MailSink) -> ChannelAccount:
    made = make.account(
        channel="email",
        per_minute=6000,
        settings={"sender_name": "种子铺", "about": "Lane 3, Suzhou"},
    )
    listed(made, "ann@example.com", "bo@example.com", "cy@example.com")
    return made


def listed(account: ChannelAccount, *addresses: str) -> None:
    with transaction():
        subscribers.add(account, "\n".join(addresses), by=None)


def send(account: ChannelAccount, **fields) -> Publication:
    publication = approved(account=account, **fields)
    return tried(publication)


def states(publication: Publication | int) -> dict[str, str]:
    its_id = publication if isinstance(publication, int) else publication.id
    rows = session.scalars(select(Delivery).where(Delivery.publication_id == its_id))
    found = {}
    for row in rows:
        subscriber = session.get(Subscriber, mailings.subscriber_id(row))
        found[subscriber.address.partition("@")[0]] = row.state.value
    return found


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


class TestLetter:
    def test_everybody_gets_one_of_their_own(self, sink, account):
        publication = send(account, asset=make.asset(title="立春第一批种子", lang="zh"))
        assert publication.state is State.PUBLISHED
        kept = sink.letters()
        assert [one.to for one in kept] == ["ann@example.com", "bo@example.com", "cy@example.com"]
        first = kept[0].message
        assert first["Subject"] == "立春第一批种子"
        assert first["From"] == "种子铺 <shop@example.com>"
        assert first["To"] == "ann@example.com"
        assert first["Date"]
        assert first["List-Id"] == f"<{account.slug}.localhost>"
        ids = {one.message["Message-ID"] for one in kept}
        assert len(ids) == 3
        assert all(publication.idempotency_key in one for one in ids)
        assert publication.carrier_facts["sent"] == 3

    def test_it_says_the_post_in_text_and_html(self, sink, account):
        send(account, text="Zwei <b>Zeilen</b>\nund noch eine")
        [message, *_] = [one.message for one in sink.letters()]
        link = session.scalars(select(Publication)).one().links[0]
        for kind in ("plain", "html"):
            assert f"/l/{link.code}" in body(message, kind)
            assert "Lane 3, Suzhou" in body(message, kind)
        assert "Zwei <b>Zeilen</b>\nund noch eine" in body(message, "plain")
        assert "Zwei &lt;b&gt;Zeilen&lt;/b&gt;<br>und noch eine" in body(message, "html")

    def test_a_chinese_asset_gets_a_chinese_frame(self, sink, account):
        send(account, asset=make.asset(lang="zh"))
        page = body(sink.letters()[0].message, "html")
        assert 'lang="zh-CN"' in page

    def test_one_click_takes_its_reader_off_the_list(self, sink, account):
        send(account)
        for one in sink.letters():
            token = session.scalar(select(Subscriber.token).where(Subscriber.address == one.to))
            own = f"http://localhost/u/{token}"
            assert one.message["List-Unsubscribe"] == f"<{own}>"
            assert one.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert own in body(one.message, "plain")
            assert own in body(one.message, "html")
            assert body(one.message, "html").count("/u/") == 1

    def test_the_cover_travels_inside(self, sink, account):
        asset = make.asset()
        with transaction():
            picture = media.store(png(), "cover.png", by=None)
            link = VersionMedia(media_id=picture.id, role="cover", alt="")
            asset.versions[0].media_links.append(link)
        send(account, asset=asset)
        message = sink.letters()[0].message
        [image] = [part for part in message.walk() if part.get_content_maintype() == "image"]
        assert image["Content-ID"] == "<picture-1>"
        assert 'src="cid:picture-1"' in body(message, "html")
        assert image.get_payload(decode=True)[:4] == b"\x89PNG"

    def test_nothing_breaks_out_of_a_header(self, sink, account):
        with transaction():
            settings = {"sender_name": "A\r\nBcc: x@example.com", "reply_to": "a@b.c\r\nX-Evil: 1"}
            account.settings = settings
        send(account, asset=make.asset(title="Hello\r\nBcc: eve@example.com"))
        message = sink.letters()[0].message
        assert message["Bcc"] is None
        assert message["X-Evil"] is None
        assert message["Subject"] == "Hello Bcc: eve@example.com"

    def test_what_is_sent_is_what_was_shown(self, sink, account):
        post = make.post(account=account)
        shown = CHANNEL.render(outgoing(post))
        assert shown.title == post.version.title
        publication = send(account, asset=post.asset, text=post.text)
        drawn = CHANNEL.render(outgoing(publication.post))
        token = session.scalar(select(Subscriber.token).order_by(Subscriber.address))
        sent = body(sink.letters()[0].message, "html").rstrip("\n")
        assert sent == drawn.html.replace(letters.ANYBODY, token)


class TestAlso:
    def test_it_lists_what_the_pool_got_since_the_last_letter(self, sink, account):
        pool = make.pool()
        other = make.account(pool, channel="reader", per_minute=6000)
        early = send(other, pool=pool)
        first = send(account, pool=pool)
        assert early.post.version.title in body(sink.letters()[0].message, "plain")
        late = send(other, pool=pool)
        second = send(account, pool=pool)
        assert first.state is second.state is State.PUBLISHED
        text = body(sink.letters()[-1].message, "plain")
        assert late.post.version.title in text
        assert f"/l/{late.links[0].code}" in text
        assert early.post.version.title not in text
        assert first.post.version.title not in text

    def test_at_most_five_and_none_twice_and_none_of_other_pools(self, sink, account):
        pool = make.pool()
        other = make.account(pool, channel="reader", per_minute=6000)
        asset = make.asset()
        send(other, pool=pool, asset=asset)
        send(other, pool=pool, asset=asset)
        alien = send(other, pool=make.pool())
        for _ in range(5):
            send(other, pool=pool)
        send(account, pool=pool)
        text = body(sink.letters()[0].message, "plain")
        assert text.count("\n- ") == 5
        assert alien.post.version.title not in text

    def test_the_choice_stays_the_same_through_all_parts(self, sink, account):
        pool = make.pool()
        other = make.account(pool, channel="reader", per_minute=6000)
        send(other, pool=pool)
        sink.handler.script["*"] = ["ok", "cut", "ok"]
        publication = send(account, pool=pool)
        send(other, pool=pool)
        assert again(publication).state is State.PUBLISHED
        said = {body(one.message, "plain").partition("\n-- ")[0] for one in sink.letters()}
        assert len(said) == 1

    def test_an_approval_outlives_a_new_neighbour(self, sink, account):
        pool = make.pool()
        other = make.account(pool, channel="reader", per_minute=6000)
        publication = approved(account=account, pool=pool)
        send(other, pool=pool)
        tried(publication)
        assert publication.state is State.PUBLISHED


class TestAtMostOnce:
    def test_a_break_after_the_letter_left_is_uncertain_and_never_repeated(self, sink, account):
        sink.handler.script["bo@example.com"] = ["cut", "ok"]
        publication = send(account)
        assert publication.state is State.SCHEDULED
        assert states(publication) == {"ann": "sent", "bo": "uncertain", "cy": "waiting"}
        assert again(publication).state is State.PUBLISHED
        assert states(publication) == {"ann": "sent", "bo": "uncertain", "cy": "sent"}
        assert sorted(one.to[:2] for one in sink.letters()) == ["an", "bo", "cy"]
        assert publication.carrier_facts["uncertain"] == 1

    def test_a_resend_of_the_whole_writes_to_nobody_again(self, sink, account):
        publication = send(account)
        envelope = replace(addressing.envelope_of(publication), fence=publication.fence)
        receipt = CHANNEL.send(envelope)
        assert (receipt.outcome, receipt.external_id) == (
            Outcome.ACCEPTED,
            publication.idempotency_key,
        )
        assert len(sink.letters()) == 3

    def test_what_a_dead_worker_had_begun_is_left_alone(self, sink, account):
        publication = approved(account=account)
        fence = publishing.claim(publication.id, worker="here")
        envelope = publishing._prepared(publication.id, fence)
        begun = mailings.turn(mailings.begin(envelope), None, 0)
        assert begun.address == "ann@example.com"
        receipt = CHANNEL.send(envelope)
        assert receipt.outcome is Outcome.ACCEPTED
        assert states(publication) == {"ann": "uncertain", "bo": "sent", "cy": "sent"}
        assert [one.to[:2] for one in sink.letters()] == ["bo", "cy"]

    def test_a_stale_worker_writes_to_nobody_more_but_settles_its_own(self, sink, account):
        publication = approved(account=account)
        fence = publishing.claim(publication.id, worker="here")
        envelope = mailings.begin(publishing._prepared(publication.id, fence))
        begun = mailings.turn(envelope, None, 0)
        with transaction():
            publication.fence += 1
        with pytest.raises(mailings.TryAgain):
            mailings.turn(
                envelope, mailings.Done(begun.delivery_id, DeliveryState.SENT), begun.delivery_id
            )
        assert states(publication) == {"ann": "sent", "bo": "waiting", "cy": "waiting"}

    def test_who_leaves_meanwhile_gets_nothing(self, sink, account):
        publication = approved(account=account)
        fence = publishing.claim(publication.id, worker="here")
        envelope = mailings.begin(publishing._prepared(publication.id, fence))
        with transaction():
            token = session.scalar(select(Subscriber.token).where(Subscriber.address.like("bo%")))
            subscribers.leave(token)
        CHANNEL.send(envelope)
        assert states(publication)["bo"] == "not_a_contact"
        assert [one.to[:2] for one in sink.letters()] == ["an", "cy"]


class TestLongLists:
    def test_it_sends_what_fits_and_goes_on_at_once(self, sink, account, monkeypatch):
        turns = iter([True, True, False, True, True])
        monkeypatch.setattr(email._Round, "_has_time", lambda _self: next(turns))
        publication = send(account)
        assert publication.state is State.SCHEDULED
        assert publication.reason == email.GOES_ON
        assert (publication.tries, publication.due_at <= now()) == (0, True)
        assert len(sink.letters()) == 2
        assert again(publication).state is State.PUBLISHED
        assert len(sink.letters()) == 3

    def test_a_part_that_is_out_is_never_missed(self, sink, account, monkeypatch):
        turns = iter([True, False])
        monkeypatch.setattr(email._Round, "_has_time", lambda _self: next(turns))
        publication = approved(account=account, publish_at=now() - timedelta(minutes=1))
        with transaction():
            publication.late_after = now() + timedelta(seconds=60)
        tried(publication)
        assert publication.late_after > now() + timedelta(hours=20)

    def test_a_part_that_is_out_has_not_failed(self, sink, account, monkeypatch):
        """The server goes away for good after the first letter: somebody has it, the others wait."""
        turns = iter([True, False, *[True] * 20])
        monkeypatch.setattr(email._Round, "_has_time", lambda _self: next(turns))
        publication = send(account)
        sink.stop()
        for _try in range(receipts.MOST_TRIES):
            again(publication)
        sink.start()
        assert (publication.state, publication.reason) == (State.UNCERTAIN, receipts.PARTLY_OUT)
        with transaction():
            decisions.resolve_uncertain(publication, "again", by=make.user(Role.OPERATOR))
        assert again(publication).state is State.PUBLISHED
        assert len(sink.letters()) == 3

    def test_a_part_that_is_out_was_not_refused(self, sink, account, monkeypatch):
        turns = iter([True, False, *[True] * 20])
        monkeypatch.setattr(email._Round, "_has_time", lambda _self: next(turns))
        listed(account, *(f"more{number}@example.com" for number in range(20)))
        publication = send(account)
        sink.handler.script["*"] = ["554"]
        assert again(publication).reason == receipts.PARTLY_OUT
        assert publication.state is State.UNCERTAIN

    def test_a_claim_that_is_nearly_over_begins_nobody(self, sink, account):
        publication = approved(account=account)
        fence = publishing.claim(publication.id, worker="here")
        envelope = publishing._prepared(publication.id, fence)
        receipt = CHANNEL.send(replace(envelope, deadline=0.0))
        assert receipt.outcome is Outcome.NOT_SENT
        assert set(states(publication).values()) == {"waiting"}

    def test_the_emergency_stop_reaches_the_next_letter(self, sink, account, monkeypatch):
        def stop_after_first(self: email._Round) -> bool:
            if self.sent == 0 and sink.letters():
                return True
            if sink.letters():
                with transaction():
                    session.add(Stop(scope=StopScope.ALL, reason="fire", at=now()))
            return True

        monkeypatch.setattr(email._Round, "_has_time", stop_after_first)
        publication = send(account)
        assert (publication.state, publication.reason) == (State.SCHEDULED, obstacles.STOPPED)
        assert len(sink.letters()) == 1


class TestRefusals:
    def test_a_hard_bounce_fails_alone(self, sink, account):
        sink.handler.script["bo@example.com"] = ["550"]
        publication = send(account)
        assert publication.state is State.PUBLISHED
        assert states(publication) == {"ann": "sent", "bo": "failed", "cy": "sent"}
        row = session.scalar(select(Delivery).where(Delivery.state == DeliveryState.FAILED))
        assert "no such mailbox" in row.reason
        assert publication.carrier_facts["failed"] == 1

    def test_whom_the_server_puts_off_is_tried_again_and_then_given_up(self, sink, account):
        sink.handler.script["bo@example.com"] = ["451"]
        publication = send(account)
        assert (publication.state, publication.reason) == (State.SCHEDULED, email.PUT_OFF)
        for _ in range(email.MOST_ROUNDS):
            again(publication)
        assert publication.state is State.PUBLISHED
        assert states(publication) == {"ann": "sent", "bo": "failed", "cy": "sent"}
        assert len(sink.letters()) == 2

    def test_greylisting_costs_a_round(self, sink, account):
        sink.handler.script["bo@example.com"] = ["451", "ok"]
        assert again(send(account)).state is State.PUBLISHED
        assert len(sink.letters()) == 3

    def test_no_address_taken_is_a_failure_that_can_be_repeated(self, sink, account):
        sink.handler.script["*"] = ["550"]
        publication = send(account)
        assert (publication.state, publication.reason) == (State.FAILED, email.NOBODY_TOOK_IT)
        sink.handler.script.clear()
        with transaction():
            publication.state = State.SCHEDULED
        assert again(publication).state is State.PUBLISHED
        assert len(sink.letters()) == 3

    def test_a_letter_refused_as_a_whole_does_not_burn_the_list(self, sink, account):
        listed(account, *(f"more{number}@example.com" for number in range(20)))
        sink.handler.script["*"] = ["554"]
        publication = send(account)
        assert (publication.state, publication.reason) == (State.FAILED, email.REFUSED)
        assert sorted(states(publication).values()).count("waiting") == 20
        assert sink.letters() == []

    def test_nothing_leaves_when_the_server_is_away(self, sink, account):
        sink.stop()
        publication = send(account)
        sink.start()
        assert publication.attempts[0].outcome is Outcome.NOT_SENT
        assert set(states(publication).values()) == {"waiting"}
        assert again(publication).state is State.PUBLISHED

    def test_without_a_mail_server_the_account_pauses_and_says_so(self, sink, account):
        config.use(replace(config.current(), smtp_url=""))
        publication = send(account)
        assert (publication.state, account.is_paused) == (State.HELD, True)
        assert account.last_fault == email.NO_SERVER
        assert CHANNEL.try_out(addressing.way_of(account)) == email.NO_SERVER

    def test_the_button_greets_the_server_and_sends_nothing(self, sink, account):
        assert CHANNEL.try_out(addressing.way_of(account)) == ""
        assert sink.letters() == []
        sink.stop()
        assert CHANNEL.try_out(addressing.way_of(account)) == email.UNREACHED
        sink.start()

    def test_a_list_without_anybody_is_told_beforehand(self, sink, app):
        empty = make.account(channel="email", per_minute=6000)
        post = make.post(account=empty)
        assert [one.code for one in CHANNEL.problems(outgoing(post))] == ["list_empty"]


KILLED = """
import sys
from tests.schedules.channels.test_email import killed
killed(sys.argv[1])
"""


def killed(step: str) -> None:
    """Run in a process of its own, which a fault point may kill: make the post, or carry it out."""
    settings = config.settings_from()
    application = create_app(settings)
    faults.arm(settings.faults, settings.home)
    with application.app_context():
        if step == "make":
            db.create_all()
            account = make.account(channel="email", per_minute=6000, settings={"sender_name": "A"})
            listed(account, "ann@example.com", "bo@example.com", "cy@example.com")
            approved(account=account)
            return
        if step == "again":
            with transaction():
                session.query(Publication).update({"lease_until": now() - timedelta(seconds=1)})
            reconciling.settle_expired()
        publishing.publish(1, worker=step)
        if step == "again":
            print(session.get(Publication, 1).state.value, sorted(states(1).items()))


@pytest.mark.processes
@pytest.mark.parametrize(
    ("place", "written_to"),
    [("letter.after_begun", ["ann", "cy"]), ("letter.after_sent", ["ann", "bo", "cy"])],
)
def test_nobody_gets_it_twice_through_a_kill(
    tmp_path: Path, place: str, written_to: list[str]
) -> None:
    """The worker dies at the second recipient, before or after the letter has left."""
    server = MailSink(tmp_path / "letters")
    server.start()
    environ = os.environ | {
        "SEEDBED_HOME": str(tmp_path / "home"),
        "SEEDBED_ENV": "test",
        "SEEDBED_SMTP_URL": server.url,
        "SEEDBED_MAIL_FROM": "shop@example.com",
        "REDIS_URL": "unix:///nonexistent/seedbed.sock",
        "PYTHONPATH": str(config.ROOT),
    }

    def run(step: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", KILLED, step],
            check=False,
            env=environ | more,
            cwd=config.ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )

    try:
        assert run("make").returncode == 0
        assert run("first", FAULT=f"{place}:kill9:2").returncode == -signal.SIGKILL
        second = run("again")
    finally:
        server.stop()
    assert [one.to.partition("@")[0] for one in server.letters()] == written_to
    told = second.stdout.splitlines()[-1]
    assert told == "published [('ann', 'sent'), ('bo', 'uncertain'), ('cy', 'sent')]"


class TestMailbox:
    """The pages on which a new user reads what the demo mail server keeps."""

    def test_letters_are_listed_and_drawn_without_scripts(self, start_carriers, app):
        carriers, _url = start_carriers(Mailbox)
        account = make.account(
            channel="email", per_minute=6000, settings={"sender_name": "<script>x</script>"}
        )
        listed(account, "ann@example.com")
        send(account, asset=make.asset(title="Hello <b>you</b>"))
        box = Client(carriers)
        listing = box.get("/mail/")
        assert "Hello &lt;b&gt;you&lt;/b&gt;" in listing.text
        name = listing.text.partition('href="letter/')[2].partition('"')[0]
        letter = box.get(f"/mail/letter/{name}")
        assert "Hello &lt;b&gt;you&lt;/b&gt;" in letter.text
        assert "sandbox" in letter.headers["Content-Security-Policy"]
        assert b"List-Unsubscribe-Post" in box.get(f"/mail/source/{name}").data

    @pytest.mark.parametrize("name", ["nothing.eml", "..%2F..%2Fsecret.key", "%2Fetc%2Fpasswd"])
    def test_it_gives_out_letters_and_nothing_else(self, start_carriers, app, name):
        carriers, _url = start_carriers(Mailbox)
        assert Client(carriers).get(f"/mail/letter/{name}").status_code == 404
