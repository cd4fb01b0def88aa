"""Whom a WeCom post is for: a range that was typed is asked for whole, or nothing is sent."""

import pytest
from flask import Flask

from cms.core.errors import Invalid
from schedules import addressing, credentials
from schedules.channels import CHANNELS
from schedules.states import HandOverState, Outcome
from schedules.states import PublicationState as State
from tests.schedules.channels.corporation import Corporation, asked, employees, newest, sent

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


@pytest.mark.parametrize(("settings", "words"), ATTEMPTS)
def test_what_would_be_left_out_stops_the_post_and_the_account(
    corporation: Corporation, settings: dict[str, object], words: str
) -> None:
    publication = sent(corporation.account("wecom_moments", **settings))
    assert newest(publication).outcome is Outcome.REJECTED
    assert publication.state is State.HELD
    assert publication.account.is_paused
    assert words in publication.account.last_fault
    assert corporation.shown("moment_task") == []


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
