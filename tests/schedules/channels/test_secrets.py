"""Whatever a carrier answers, no secret stands anywhere afterwards, and nobody waits for it in a transaction."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cms.accounts.models import Role
from cms.core import sealing
from cms.core.db import db, give_back, session, transaction
from cms.core.errors import SeedbedError
from cms.core.http import Client
from cms.demo.carriers import feishu, slack
from content_library import media
from schedules import addressing, ahead, carrying, polling, wishes
from schedules.channels import CHANNELS, calling
from schedules.models import ChannelAccount, Publication
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import png
from tests.demo_carriers import Start
from tests.schedules.channels.outfits import OUTFITS, SECRET, equipped
from tests.schedules.ready import approved, tried

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
CALLBACKS = {"callback_secret": "callback-token-0123", "callback_key": AES_KEY}
# What an account may be given beside what it needs.
MORE: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "feishu": ({"app_id": feishu.APP[0]}, {"app_secret": feishu.APP[1], "secret": "s1gn-me-well"}),
    "dingtalk": ({}, {"secret": "SECdemo-signing"}),
    "webhook": ({}, {"previous_secret": SECRET[:-4] + "WVhZ"}),
    "oa_publish": ({}, CALLBACKS),
    "oa_mass": ({}, CALLBACKS),
    "wecom_mass": ({}, CALLBACKS),
    "wecom_moments": ({}, CALLBACKS),
}
CASES = [*sorted(OUTFITS), "slack+token"]
WORDS = ("ok", "500", "429:1", "before", "reset", "html", "errcode:40001", "errcode:42001")


@dataclass
class Watch:
    """What was sealed, and in what state the database was left while carriers were called."""

    secrets: set[str] = field(default_factory=set)
    waiting: list[str] = field(default_factory=list)
    calls: int = 0


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    seen = Watch()
    seal, request = sealing.seal, Client.request

    def sealing_seen(secrets: Mapping[str, str]) -> str:
        seen.secrets |= set(secrets.values())
        return seal(secrets)

    def calling_seen(self: Client, method: str, url: str, **given: Any) -> Any:
        seen.calls += 1
        if session().in_transaction():
            seen.waiting.append(f"{method} {url}")
        return request(self, method, url, **given)

    monkeypatch.setattr(sealing, "seal", sealing_seen)
    monkeypatch.setattr(Client, "request", calling_seen)
    return seen


def account_of(case: str, start: Start) -> ChannelAccount:
    slug, _, variant = case.partition("+")
    account = equipped(slug, start)
    settings, secrets = MORE.get(slug, ({}, {}))
    if variant:
        settings, secrets = {"conversation": slack.CONVERSATION}, {"token": slack.TOKEN}
    with transaction():
        account.settings = account.settings | settings
        account.sealed = sealing.seal(sealing.unseal(account.sealed) | secrets)
    return account


def everything_is_tried(account: ChannelAccount) -> Publication:
    """All that the product ever says to a carrier about one post."""
    with transaction():
        picture = media.store(png(), "a.png", by=None)
    channel = CHANNELS.get(account.channel)
    publication = approved(account=account, media_ids=[picture.id])
    ahead.warm_up(account.id)
    ahead.prepare(publication.id)
    tried(publication)
    if publication.state in (State.PUBLISHED, State.HANDED_OVER):
        with transaction():
            publication.poll_at = publication.due_at
        polling.ask(publication.id)
        wished(publication)
        envelope = addressing.envelope_of(publication)
        give_back()
        channel.ask_figures(envelope)
    way = addressing.way_of(account)
    give_back()
    channel.try_out(way)
    with transaction():  # the next word finds it open again, its pace and quota unused
        account.is_paused, account.blocked_until, account.tokens_at = False, None, None
        publication.due_at -= timedelta(days=2)
    return publication


def wished(publication: Publication) -> None:
    operator = make.user(Role.OPERATOR)
    for wish in ("amend", "withdraw"):
        try:
            with transaction():
                if wish == "amend":
                    wishes.ask_amendment(publication, "Corrected words", operator)
                else:
                    wishes.ask_withdrawal(publication, operator)
        except SeedbedError:
            continue
        carrying.carry(publication.id, worker="here")
        session.expire_all()


def written() -> Iterator[str]:
    """Every row of every table."""
    for table in db.metadata.sorted_tables:
        for row in session.execute(select(table)):
            yield f"{table.name}: {tuple(row)!r}"


@pytest.mark.parametrize("case", CASES)
def test_nothing_secret_is_left_anywhere(
    app: Flask,
    case: str,
    start_carriers: Start,
    watch: Watch,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calling, "DEFAULT_SECONDS", 2.0)
    running: list[Any] = []

    def start(*kinds: Any) -> Any:
        carriers, url = start_carriers(*kinds)
        running.append(next(iter(carriers.members.values())))
        return carriers, url

    account = account_of(case, start)
    for word in WORDS:
        running[0].book.put("script", "", [word])
        everything_is_tried(account)
    printed = capfd.readouterr()
    secrets = {one for one in watch.secrets if len(one) > 3}
    if account.channel != "email":
        assert secrets
        assert watch.calls >= len(WORDS)
    for text in (*written(), printed.out, printed.err):
        for secret in secrets:
            assert secret not in text, text[:500]
    assert watch.waiting == []


def told(line: calling.Line, content: bytes) -> str:
    return line._masked(content)


class TestMasking:
    def test_an_address_that_may_not_be_called_is_masked_as_well(self, app: Flask) -> None:
        line = calling.Line("https://user@api.example.com", hush=("123:bot-secret",))
        with calling.recording() as calls, pytest.raises(SeedbedError):
            line.call("POST", "/bot123:bot-secret/sendMessage")
        assert "bot-secret" not in repr(calls)

    @pytest.mark.parametrize(
        "said",
        [
            b'{"access_token":"' + b"t0k" * 2_000 + b'"}',  # longer than what is looked at
            rb'{"access_token": "t0k\"t0k"}',
            b'{"tenant_access_token"\n:\n"t0k"}',
            b"{'access_token': 't0k'}",
            b"access_token=t0k&expires_in=7200",
            b"<Token>t0k</Token>",
        ],
    )
    def test_a_token_is_masked_however_it_is_written(self, app: Flask, said: bytes) -> None:
        assert "t0k" not in told(calling.Line(""), said)

    def test_a_secret_is_masked_as_addresses_and_json_write_it(self, app: Flask) -> None:
        line = calling.Line("", hush=('pa/ss"wörd+1',))
        for written_so in (
            'pa/ss"wörd+1',
            "pa%2Fss%22w%C3%B6rd%2B1",
            'pa/ss\\"wörd+1',
            'pa\\/ss\\"w\\u00f6rd+1',
        ):
            assert "rd+1" not in told(line, f"it was {written_so}".encode())
            assert "rd%2B1" not in told(line, f"it was {written_so}".encode())
