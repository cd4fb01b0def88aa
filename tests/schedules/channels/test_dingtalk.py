"""DingTalk: its codes, its ten-minute lock-out, its signature, and Markdown that shows what was typed."""

import hashlib
import hmac
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest

from cms.core.clock import holding, now
from cms.demo.carriers.dingtalk import ROBOT, DingTalk
from schedules import publishing
from schedules.channels import dingtalk
from schedules.channels.dingtalk import NO_CHECK, NOT_AN_ADDRESS
from schedules.content import outgoing
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import stored
from tests.demo_carriers import Start
from tests.schedules.channels.chatting import Chat, again, log_of, sent, wait_of
from tests.schedules.ready import approved

pytestmark = pytest.mark.wire

SEND = "/robot/send"
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def chat(start_carriers: Start) -> Chat:
    carriers, url = start_carriers(DingTalk)
    return Chat(carriers.members["dingtalk"], f"{url}/dingtalk")


def test_one_post_is_one_message_that_calls_nobody(chat: Chat) -> None:
    publication = sent(chat.account(webhook=ROBOT), text="Hello @all @13800000000 *x*")
    assert publication.state is State.PUBLISHED
    (message,) = chat.shown
    assert (message["kind"], message["all_called"], message["called"]) == ("text", False, [])
    assert message["text"] == outgoing(publication.post).text


@pytest.mark.parametrize(
    ("code", "outcome", "state", "pauses"),
    [
        (-1, Outcome.NOT_SENT, State.SCHEDULED, False),
        (40035, Outcome.REJECTED, State.FAILED, False),
        (43004, Outcome.REJECTED, State.FAILED, False),
        (400105, Outcome.REJECTED, State.FAILED, False),
        (130101, Outcome.NOT_SENT, State.SCHEDULED, False),
        (410100, Outcome.NOT_SENT, State.SCHEDULED, False),
        (300001, Outcome.REJECTED, State.HELD, True),
        (300005, Outcome.REJECTED, State.HELD, True),
        (400101, Outcome.REJECTED, State.HELD, True),
        (310000, Outcome.REJECTED, State.HELD, True),
        (400013, Outcome.REJECTED, State.HELD, True),
        (400102, Outcome.REJECTED, State.HELD, True),
        (400106, Outcome.REJECTED, State.HELD, True),
        (88888, Outcome.REJECTED, State.FAILED, False),
    ],
)
def test_a_code_in_a_200_is_no_success(
    chat: Chat, code: int, outcome: Outcome, state: State, pauses: bool
) -> None:
    chat.script(SEND, f"errcode:{code}")
    publication = sent(chat.account(webhook=ROBOT))
    assert publication.attempts[0].outcome is outcome
    assert publication.state is state
    assert publication.account.is_paused is pauses
    assert publication.attempts[0].detail["calls"][0]["status"] == 200
    assert chat.shown == []


@pytest.mark.parametrize("code", [130101, 410100])
def test_too_fast_waits_out_the_whole_lock(chat: Chat, code: int) -> None:
    chat.script(SEND, f"errcode:{code}")
    before = now()
    publication = sent(chat.account(webhook=ROBOT))
    assert TEN_MINUTES <= wait_of(publication, before) <= TEN_MINUTES + timedelta(seconds=70)


def test_the_lock_is_real_and_ends(chat: Chat) -> None:
    account = chat.account(webhook=ROBOT)
    chat.carrier.book.put("pace", ROBOT, [chat.carrier.now()] * 20)
    publication = sent(account)
    assert publication.state is State.SCHEDULED
    chat.advance(590)
    assert again(publication).state is State.SCHEDULED
    chat.advance(11)
    assert again(publication).state is State.PUBLISHED
    assert len(chat.shown) == 1


@pytest.mark.parametrize(
    ("word", "outcome", "effects"),
    [
        ("before", Outcome.UNCERTAIN, 0),
        ("reset", Outcome.UNCERTAIN, 1),
        ("html", Outcome.UNCERTAIN, 1),
        ("500", Outcome.UNCERTAIN, 0),
        ("429:7", Outcome.NOT_SENT, 0),
    ],
)
def test_what_is_no_answer_of_dingtalk(
    chat: Chat, word: str, outcome: Outcome, effects: int
) -> None:
    chat.script(SEND, word)
    publication = sent(chat.account(webhook=ROBOT))
    assert publication.attempts[0].outcome is outcome
    assert len(chat.shown) == effects


@pytest.mark.parametrize(
    ("word", "seconds"),
    [
        ("limit:90018", 0),  # no wait named: the ledger's own back-off
        ("limit:90018:40", 40),
        ("limit:40035:40", 40),
        ("limit:130101", 600),
        ("limit:410100:5", 600),
        ("limit:-1:30", 30),
    ],
)
def test_who_is_asked_to_wait_waits_whatever_the_code(chat: Chat, word: str, seconds: int) -> None:
    chat.script(SEND, word, "ok")
    before = now()
    publication = sent(chat.account(webhook=ROBOT))
    assert publication.attempts[0].outcome is Outcome.NOT_SENT
    assert publication.state is State.SCHEDULED
    assert publication.due_at - before >= timedelta(seconds=seconds)
    assert again(publication).state is State.PUBLISHED
    assert len(chat.shown) == 1


def test_a_riddle_is_never_sent_again_by_itself(chat: Chat) -> None:
    chat.script(SEND, "reset", "ok")
    publication = sent(chat.account(webhook=ROBOT))
    assert publication.state is State.UNCERTAIN
    assert again(publication).state is State.UNCERTAIN
    assert len(publication.attempts) == len(chat.shown) == 1


def test_the_signature_is_the_one_dingtalk_computes() -> None:
    """The first by `openssl dgst -sha256 -hmac`; the second spelled out."""
    signed = dingtalk.signature(1577262236757, "this is secret")
    assert signed == "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="
    spelled = hmac.digest(b"k\xc3\xa4se", b"1700000000123\nk\xc3\xa4se", hashlib.sha256)
    assert dingtalk.signature(1700000000123, "käse") == b64encode(spelled).decode()


def test_a_signed_robot_takes_only_our_signature(chat: Chat) -> None:
    """Often enough that a sign with + or / in it is among them: those must reach it encoded."""
    chat.control("robot", key=ROBOT, secret="SECdemo")
    account = chat.account(webhook=ROBOT, secret="SECdemo")
    for _ in range(4):
        assert sent(account).state is State.PUBLISHED
    refused = sent(chat.account(webhook=ROBOT, secret="other"))
    assert refused.state is State.HELD
    assert "signature" in refused.account.last_fault
    assert len(chat.shown) == 4


def test_a_clock_an_hour_off_is_refused(chat: Chat) -> None:
    chat.control("robot", key=ROBOT, secret="SECdemo")
    publication = approved(account=chat.account(webhook=ROBOT, secret="SECdemo"))
    fence = publishing.claim(publication.id, worker="here")
    envelope = publishing._prepared(publication.id, fence or 0)
    assert envelope is not None
    with holding(now() - timedelta(seconds=3700)):
        receipt = chat.channel.send(envelope)
    assert (receipt.outcome, receipt.pauses_account) == (Outcome.REJECTED, True)
    with holding(now() - timedelta(seconds=3500)):
        assert chat.channel.send(envelope).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        ({"keywords": ["日报"]}, "keyword"),
        ({"secret": "SECdemo"}, "signature"),
        ({"ip_refused": True}, "IP address"),
    ],
)
def test_the_security_check_says_what_is_missing(
    chat: Chat, setup: dict[str, object], said: str
) -> None:
    chat.control("robot", key=ROBOT, **setup)
    publication = sent(chat.account(webhook=ROBOT))
    assert publication.state is State.HELD
    assert said in publication.account.last_fault


@pytest.mark.parametrize(
    ("verb", "said"),
    [("remove_bot", "removed"), ("stop_bot", "stopped"), ("dissolve_group", "group is gone")],
)
def test_a_robot_that_is_gone_stops_its_account(chat: Chat, verb: str, said: str) -> None:
    chat.control(verb, key=ROBOT)
    publication = sent(chat.account(webhook=ROBOT))
    assert publication.state is State.HELD
    assert said in publication.account.last_fault


def test_a_demanded_keyword_is_asked_for_before(chat: Chat) -> None:
    chat.control("robot", key=ROBOT, keywords=["日报"])
    account = chat.account({"keywords": "日报"}, webhook=ROBOT)
    assert chat.problems(account, "Nothing") == ["keyword_missing"]
    assert sent(account, text="今天的日报").state is State.PUBLISHED


def test_the_whole_body_counts_in_bytes_up_to_the_border(chat: Chat) -> None:
    account = chat.account(webhook=ROBOT)
    room = 20_000 - chat.drawn(account, "").used - 2  # the line end, as JSON writes it
    text = "好🌅" * (room // 7) + "x" * (room % 7)
    assert chat.problems(account, text) == []
    assert chat.problems(account, text + "x") == ["content_too_long"]
    assert sent(account, text=text).state is State.PUBLISHED
    assert chat.shown[0]["bytes"] == 20_000


def test_pictures_nobody_outside_can_fetch_are_left_out_and_that_is_told(chat: Chat) -> None:
    account, kept = chat.account(webhook=ROBOT), stored()
    drawn = chat.drawn(account, "Look", media_ids=[kept.id])
    assert drawn.pictures == ()
    assert "pictures_left_out" in [change.code for change in drawn.changes]
    assert sent(account, text="Look", media_ids=[kept.id]).state is State.PUBLISHED
    assert chat.shown[0]["kind"] == "text"


@pytest.mark.usefixtures("in_public")
def test_text_pictures_and_link_are_one_message(chat: Chat) -> None:
    kept = [stored(), stored((90, 80))]
    publication = sent(
        chat.account(webhook=ROBOT), text="Look\ntwice", media_ids=[one.id for one in kept]
    )
    assert publication.state is State.PUBLISHED
    (message,) = chat.shown
    base = f"https://seedbed.example.com/m/{publication.public_id}"
    for one in kept:
        assert f"![]({base}/{one.sha256}/share)" in message["text"]
    assert f"]({outgoing(publication.post).link})" in message["text"]
    assert message["kind"] == "markdown"


@pytest.mark.usefixtures("in_public")
@pytest.mark.parametrize(
    ("typed", "drawn"),
    [
        ("# not a heading", "\\# not a heading"),
        ("![spy](https://evil.example/x.png)", "!\\[spy\\](https://evil.example/x.png)"),
        ("[here](https://evil.example)", "\\[here\\](https://evil.example)"),
        ("**loud** and `code` ~~gone~~", "\\*\\*loud\\*\\* and \\`code\\` \\~\\~gone\\~\\~"),
        ("1. first", "1\\. first"),
        ("- item", "\\- item"),
        ("> quoted <font color=red>", "\\> quoted \\<font color=red>"),
        ("well-known 3.5", "well-known 3.5"),
    ],
)
def test_markup_typed_as_text_stays_text(chat: Chat, typed: str, drawn: str) -> None:
    account, kept = chat.account(webhook=ROBOT), stored()
    assert sent(account, text=typed, media_ids=[kept.id]).state is State.PUBLISHED
    assert chat.shown[0]["text"].split("\n")[1].rstrip() == drawn


def test_nothing_secret_is_written_down(chat: Chat) -> None:
    chat.control("robot", key=ROBOT, secret="SECdemo")
    whole = f"https://oapi.dingtalk.com/robot/send?access_token={ROBOT}"
    publication = sent(chat.account(webhook=whole, secret="SECdemo"))
    assert publication.state is State.PUBLISHED
    log = log_of(publication)
    assert ROBOT not in log
    assert "SECdemo" not in log
    assert "access_token=•••&timestamp=" in log
    assert "&sign=•••" in log


def test_the_test_button_says_what_it_cannot_know(chat: Chat) -> None:
    assert chat.try_out(chat.account(webhook=ROBOT)) == ""
    assert chat.channel.untested == NO_CHECK
    assert chat.try_out(chat.account(webhook="https://oapi.dingtalk.com/robot")) == NOT_AN_ADDRESS
    assert chat.shown == []


def test_a_post_of_left_out_pictures_alone_is_refused(chat: Chat) -> None:
    post = make.post(account=chat.account(webhook=ROBOT), text="", media_ids=[stored().id])
    alone = replace(outgoing(post), text="", link="")
    assert [problem.code for problem in chat.channel.problems(alone)] == ["content_empty"]
