"""Whom a WeCom post is for: a range that was typed is asked for whole, or nothing is sent."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from cms.core.clock import now
from cms.core.errors import Invalid
from schedules import addressing, credentials, dry_run, preflight, publishing
from schedules.channels import CHANNELS
from schedules.dry_run import Verdict
from schedules.preflight import Level
from schedules.states import HandOverState, Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.channels.corporation import (
    Corporation,
    asked,
    employees,
    in_seconds,
    sent,
)
from tests.schedules.ready import approved, change, tried

TYPED = {"corpid": "ww1", "corpsecret": "secret-of-that-app", "senders": "lina"}
ATTEMPTS = [
    ({"departments": ["市场部"], "senders": ""}, "市场部"),
    ({"departments": "2, 市场部"}, "市场部"),
    ({"departments": "²", "senders": ""}, "²"),
    ({"departments": " ,;", "senders": ""}, "names nobody"),
    ({"senders": "，、"}, "names nobody"),
    ({"tags": "、"}, "names nobody"),
    ({"tags": [f"tag-{n}" for n in range(101)]}, "100"),
]


def range_of(corporation: Corporation) -> set[str]:
    """Who was asked to post it."""
    (moment,) = corporation.wecom.book.all("moment").values()
    return set(moment["published"])


GROUPS = {"chat_type": "group", "tags": "tag-vip"}
STORED = [
    *[("wecom_moments", settings, words) for settings, words in ATTEMPTS],
    ("wecom_mass", {"senders": "，、"}, "names nobody"),
    ("wecom_mass", GROUPS, "do not narrow"),
]
stored_long_ago = pytest.mark.parametrize(("channel", "settings", "words"), STORED)


@stored_long_ago
def test_nobody_approves_what_would_be_left_out(
    corporation: Corporation, channel: str, settings: dict[str, object], words: str
) -> None:
    account = corporation.account(channel, **settings)
    post = make.post(account=account, publish_at=now() + timedelta(hours=1))
    told = [str(one.problem) for one in preflight.concerns(post) if one.level is Level.BLOCKS]
    assert any(words in one for one in told)
    with pytest.raises(Invalid) as refused:
        approved(account=account)
    assert words in str(refused.value.fields[""])


@stored_long_ago
def test_what_was_approved_before_is_foretold_and_held(
    corporation: Corporation, channel: str, settings: dict[str, object], words: str
) -> None:
    account = corporation.account(channel)
    publication = approved(account=account, publish_at=now() + timedelta(hours=1))
    change(account, settings={**account.settings, **settings})
    (line,) = dry_run.forecast().lines
    assert line.verdict is Verdict.STAYS
    assert any(words in str(one) for one in line.reasons)
    with in_seconds(3601):
        tried(publication)
    assert publication.state is State.HELD
    assert words in publication.reason
    assert not account.is_paused
    assert corporation.shown("") == []


@stored_long_ago
def test_the_channel_itself_refuses_too(
    corporation: Corporation, channel: str, settings: dict[str, object], words: str
) -> None:
    publication = approved(account=corporation.account(channel))
    fence = publishing.claim(publication.id, worker="here")
    assert fence is not None
    envelope = publishing._prepared(publication.id, fence)
    assert envelope is not None
    envelope = replace(envelope, settings={**envelope.settings, **settings})
    receipt = CHANNELS.get(channel).send(envelope)
    assert (receipt.outcome, receipt.pauses_account) == (Outcome.REJECTED, True)
    assert words in receipt.reason or "no employees" in receipt.reason
    assert corporation.shown("") == []


@pytest.mark.parametrize(
    ("channel", "field", "text"),
    [
        ("wecom_moments", "departments", "市场部"),
        ("wecom_moments", "departments", "2，3，市场部"),
        ("wecom_moments", "departments", "0"),
        ("wecom_moments", "senders", "、"),
        ("wecom_moments", "tags", ",,"),
        ("wecom_mass", "tags", ",,"),
        ("wecom_mass", "senders", "、"),
    ],
)
def test_the_form_says_so_first(app: Flask, channel: str, field: str, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        credentials.judged(CHANNELS.get(channel), {**TYPED, field: text})
    assert list(refused.value.fields) == [field]


def test_numbers_are_fine(app: Flask) -> None:
    given = {**TYPED, "departments": "2，3", "tags": "tag-vip"}
    settings = credentials.judged(CHANNELS.get("wecom_moments"), given).settings
    assert (settings["departments"], settings["tags"]) == (["2", "3"], ["tag-vip"])


def test_a_department_posts_and_nobody_else(corporation: Corporation) -> None:
    publication = sent(corporation.account("wecom_moments", senders="", departments="3"))
    corporation.advance(10)
    asked(publication)
    assert range_of(corporation) == {"zhangmin", "chenjing"}
    assert set(employees(publication)) == {"zhangmin", "chenjing"}


def test_nothing_typed_is_everybody(corporation: Corporation) -> None:
    asked(sent(corporation.account("wecom_moments", senders="")))
    corporation.advance(10)
    corporation.control("confirm")
    assert range_of(corporation) == set(corporation.wecom.employees("ww0000demo"))


def test_what_wecom_does_not_take_is_named(corporation: Corporation) -> None:
    account = corporation.account(
        "wecom_moments", senders="lina nobody", departments="3 99", tags="tag-vip tag-gone"
    )
    publication = sent(account)
    corporation.advance(10)
    asked(publication)
    told = publication.attempts[-1].detail["asked"]
    assert told["reason_parts"]["params"] == {
        "employees": "nobody",
        "departments": "99",
        "tags": "tag-gone",
    }
    assert employees(publication)["nobody"] is HandOverState.DECLINED
    corporation.control("confirm")
    asked(publication, later=7200)
    assert publication.state is State.PUBLISHED
    assert "99" in publication.reason
    assert "tag-gone" in publication.reason


def test_a_job_that_takes_nobody_says_whom(corporation: Corporation) -> None:
    publication = sent(corporation.account("wecom_moments", senders="", departments="99"))
    corporation.advance(10)
    asked(publication)
    assert publication.state is State.FAILED
    assert "99" in publication.reason


@pytest.mark.parametrize("channel", ["wecom_moments", "wecom_mass"])
def test_the_test_button_says_so_too(corporation: Corporation, channel: str) -> None:
    account = corporation.account(channel, tags="、")
    assert "names nobody" in CHANNELS.get(channel).try_out(addressing.way_of(account))
