"""Feishu: what its codes prove, how it wants to be signed, and that nobody is called by mistake."""

import hashlib
import hmac
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest

from cms.core.clock import holding, now
from cms.demo.carriers.feishu import APP, ROBOT, Feishu
from schedules import publishing
from schedules.channels import feishu, pasted
from schedules.channels.feishu import NO_CHECK, NOT_AN_ADDRESS
from schedules.content import outgoing
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import stored
from tests.demo_carriers import Start
from tests.schedules.channels.chatting import Chat, again, log_of, sent, wait_of
from tests.schedules.ready import approved

pytestmark = pytest.mark.wire

WITH_APP = {"webhook": ROBOT, "app_secret": APP[1]}
HOOK = "/open-apis/bot/v2/hook/" + ROBOT


@pytest.fixture
def chat(start_carriers: Start) -> Chat:
    carriers, url = start_carriers(Feishu)
    return Chat(carriers.members["feishu"], f"{url}/feishu")


def test_one_post_is_one_message_with_its_link(chat: Chat) -> None:
    publication = sent(chat.account(webhook=ROBOT), text="早上好 🌅")
    assert publication.state is State.PUBLISHED
    (message,) = chat.shown
    assert message["text"] == outgoing(publication.post).text
    assert message["text"].startswith("早上好 🌅\nhttp://localhost/l/")


@pytest.mark.parametrize(
    ("code", "outcome", "state", "pauses"),
    [
        (9499, Outcome.REJECTED, State.FAILED, False),
        (19002, Outcome.REJECTED, State.FAILED, False),
        (19024, Outcome.REJECTED, State.FAILED, False),
        (11232, Outcome.NOT_SENT, State.SCHEDULED, False),
        (19001, Outcome.REJECTED, State.HELD, True),
        (19021, Outcome.REJECTED, State.HELD, True),
        (19022, Outcome.REJECTED, State.HELD, True),
        (77777, Outcome.REJECTED, State.FAILED, False),
    ],
)
def test_a_code_in_a_200_is_no_success(
    chat: Chat, code: int, outcome: Outcome, state: State, pauses: bool
) -> None:
    chat.script(HOOK, f"errcode:{code}")
    publication = sent(chat.account(webhook=ROBOT))
    assert publication.attempts[0].outcome is outcome
    assert publication.state is state
    assert publication.account.is_paused is pauses
    assert publication.attempts[0].detail["calls"][0]["status"] == 200
    assert chat.shown == []


@pytest.mark.parametrize(
    ("word", "outcome", "effects"),
    [
        ("before", Outcome.UNCERTAIN, 0),
        ("reset", Outcome.UNCERTAIN, 1),
        ("html", Outcome.UNCERTAIN, 1),
        ("huge", Outcome.UNCERTAIN, 1),
        ("500", Outcome.UNCERTAIN, 0),
        ("429:7", Outcome.NOT_SENT, 0),
    ],
)
def test_what_is_no_answer_of_feishu(chat: Chat, word: str, outcome: Outcome, effects: int) -> None:
    chat.script(HOOK, word)
    publication = sent(chat.account(webhook=ROBOT))
    assert publication.attempts[0].outcome is outcome
    assert len(chat.shown) == effects


@pytest.mark.parametrize(
    ("word", "shortest", "longest"),
    [
        ("limit:9499", 1, 6),  # no wait named: the ledger's own back-off
        ("limit:9499:40", 40, 41),
        ("limit:77777:40", 40, 41),
        ("limit:19024:40", 40, 41),
        ("limit:11232", 10, 61),
        ("limit:11232:90", 90, 91),
        ("errcode:99991400", 10, 61),
    ],
)
def test_who_is_asked_to_wait_waits_whatever_the_code(
    chat: Chat, word: str, shortest: float, longest: float
) -> None:
    chat.script(HOOK, word, "ok")
    before = now()
    publication = sent(chat.account(webhook=ROBOT))
    assert publication.attempts[0].outcome is Outcome.NOT_SENT
    assert publication.state is State.SCHEDULED
    wait = publication.due_at - before
    assert timedelta(seconds=shortest) <= wait <= timedelta(seconds=longest + 5)
    assert again(publication).state is State.PUBLISHED
    assert len(chat.shown) == 1


def test_a_riddle_is_never_sent_again_by_itself(chat: Chat) -> None:
    chat.script(HOOK, "reset", "ok")
    publication = sent(chat.account(webhook=ROBOT))
    assert publication.state is State.UNCERTAIN
    assert again(publication).state is State.UNCERTAIN
    assert len(publication.attempts) == len(chat.shown) == 1


def test_the_sixth_in_a_second_waits_a_while(chat: Chat) -> None:
    account = chat.account(webhook=ROBOT)
    moment = chat.carrier.now() + 5  # not to depend on our own speed
    chat.carrier.book.put("pace", f"{ROBOT}/s", [moment] * 5)
    before = now()
    publication = sent(account)
    assert publication.state is State.SCHEDULED
    assert timedelta(seconds=10) <= wait_of(publication, before) <= timedelta(seconds=61)
    chat.advance(61)
    assert again(publication).state is State.PUBLISHED
    assert len(chat.shown) == 1


def test_a_removed_robot_stops_its_account(chat: Chat) -> None:
    chat.control("remove_bot", key=ROBOT)
    publication = sent(chat.account(webhook=ROBOT))
    assert publication.state is State.HELD
    assert "removed" in publication.account.last_fault


def test_the_signature_is_the_one_feishu_computes() -> None:
    """The first by `openssl dgst -sha256 -hmac`; the second spelled out."""
    assert feishu.signature(1599360473, "demo") == "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="
    spelled = hmac.new(b"1700000000\nk\xc3\xa4se", digestmod=hashlib.sha256).digest()
    assert feishu.signature(1700000000, "käse") == b64encode(spelled).decode()


def test_a_signed_robot_takes_only_our_signature(chat: Chat) -> None:
    chat.control("robot", key=ROBOT, secret="s1gn-me")
    assert sent(chat.account(webhook=ROBOT, secret="s1gn-me")).state is State.PUBLISHED
    assert sent(chat.account(webhook=ROBOT, secret="other")).state is State.HELD
    assert sent(chat.account(webhook=ROBOT)).state is State.HELD
    assert len(chat.shown) == 1


def test_a_clock_an_hour_off_is_refused(chat: Chat) -> None:
    chat.control("robot", key=ROBOT, secret="s1gn-me")
    account = chat.account(webhook=ROBOT, secret="s1gn-me")
    publication = approved(account=account)
    fence = publishing.claim(publication.id, worker="here")
    envelope = publishing._prepared(publication.id, fence or 0)
    assert envelope is not None
    with holding(now() + timedelta(seconds=3700)):
        receipt = chat.channel.send(envelope)
    assert (receipt.outcome, receipt.pauses_account) == (Outcome.REJECTED, True)
    with holding(now() + timedelta(seconds=3500)):
        assert chat.channel.send(envelope).outcome is Outcome.ACCEPTED


def test_the_whole_body_counts_in_bytes_up_to_the_border(chat: Chat) -> None:
    chat.control("robot", key=ROBOT, secret="s1gn-me")
    account = chat.account(webhook=ROBOT, secret="s1gn-me")
    bare = chat.drawn(account, "").used
    room = 20_000 - bare - 2  # the line end before the link, as JSON writes it
    text = "好🌅" * (room // 7) + "x" * (room % 7)
    assert chat.problems(account, text) == []
    assert chat.problems(account, text + "x") == ["content_too_long"]
    assert chat.problems(account, text[:-1] + '"') == ["content_too_long"]  # JSON escapes it
    publication = sent(account, text=text)
    assert publication.state is State.PUBLISHED
    assert chat.shown[0]["bytes"] == 20_000


def test_a_mention_typed_as_text_calls_nobody(chat: Chat) -> None:
    typed = 'Hello <at user_id="all">all</at>'
    account = chat.account(webhook=ROBOT)
    assert chat.carrier.book.shown() == []
    publication = sent(account, text=typed)
    assert publication.state is State.PUBLISHED
    assert chat.shown[0]["called"] == []
    assert "user_id=" in chat.shown[0]["text"]
    drawn = chat.drawn(account, typed)
    assert "mention_tamed" in [change.code for change in drawn.changes]
    assert drawn.text == chat.channel.render(outgoing(publication.post)).text.replace(
        outgoing(publication.post).link, drawn.text.splitlines()[-1]
    )


def test_a_demanded_keyword_is_asked_for_before(chat: Chat) -> None:
    chat.control("robot", key=ROBOT, keywords=["日报", "News"])
    account = chat.account({"keywords": "日报，News"}, webhook=ROBOT)
    assert chat.problems(account, "Nothing") == ["keyword_missing"]
    assert chat.problems(account, "今天的日报") == []
    assert sent(account, text="The News").state is State.PUBLISHED
    assert sent(chat.account(webhook=ROBOT), text="Nothing").state is State.FAILED


def test_nothing_secret_is_written_down(chat: Chat) -> None:
    chat.control("robot", key=ROBOT, secret="s1gn-me")
    whole = f"https://open.feishu.cn/open-apis/bot/v2/hook/{ROBOT}"
    publication = sent(chat.account(webhook=whole, secret="s1gn-me"))
    assert publication.state is State.PUBLISHED
    log = log_of(publication)
    assert ROBOT not in log
    assert "s1gn-me" not in log
    assert '\\"sign\\": \\"•••\\"' in log


def test_a_pasted_lark_address_goes_to_lark() -> None:
    lark = f"https://open.larksuite.com{HOOK}"
    assert pasted.site({}, feishu.SITE, lark, feishu.LARK) == feishu.LARK
    assert pasted.site({"base_url": "http://demo"}, feishu.SITE, lark, feishu.LARK) == "http://demo"
    elsewhere = f"https://open.larksuite.com.example{HOOK}"
    assert pasted.site({}, feishu.SITE, elsewhere, feishu.LARK) == feishu.SITE


@pytest.mark.parametrize("typed", ["short", "https://example.com/x/y", "../../a-long-path-x"])
def test_what_is_no_address_calls_nobody(chat: Chat, typed: str) -> None:
    account = chat.account(webhook=typed)
    publication = sent(account)
    assert (publication.state, publication.account.last_fault) == (State.HELD, NOT_AN_ADDRESS)
    assert "calls" not in publication.attempts[0].detail


def test_the_test_button_says_what_it_cannot_know(chat: Chat) -> None:
    account = chat.account(webhook=ROBOT)
    assert chat.try_out(account) == ""
    assert chat.channel.untested == NO_CHECK
    assert chat.try_out(chat.account(webhook="nonsense!")) == NOT_AN_ADDRESS
    bad = chat.account({"app_id": APP[0]}, webhook=ROBOT, app_secret="wrong")
    assert chat.try_out(bad) == feishu.APP_REFUSED
    assert chat.shown == []


def test_without_an_app_pictures_are_left_out_and_that_is_told(chat: Chat) -> None:
    account, kept = chat.account(webhook=ROBOT), stored()
    drawn = chat.drawn(account, "Look", media_ids=[kept.id])
    assert drawn.pictures == ()
    assert "pictures_left_out" in [change.code for change in drawn.changes]
    assert sent(account, text="Look", media_ids=[kept.id]).state is State.PUBLISHED
    assert chat.shown[0]["images"] == []


def test_with_an_app_text_pictures_and_link_are_one_message(chat: Chat) -> None:
    kept = [stored(), stored((500, 400))]
    account = chat.account({"app_id": APP[0]}, **WITH_APP)
    publication = sent(account, text="Look\ntwice", media_ids=[one.id for one in kept])
    assert publication.state is State.PUBLISHED
    (message,) = chat.shown
    link = outgoing(publication.post).link
    assert message["text"] == f"Look\ntwice\n{link}"
    assert message["links"] == [link]
    assert len(message["images"]) == 2
    second = sent(chat.account({"app_id": APP[0]}, **WITH_APP), media_ids=[kept[0].id])
    assert second.state is State.PUBLISHED
    assert len(chat.carrier.book.all("image")) == 2
    assert "images" not in log_of(second)  # the same app's second account uploads nothing anew
    assert len(chat.carrier.book.all("token")) == 1
    assert APP[1] not in log_of(publication)
    assert "t-demo" not in log_of(publication)


def test_a_token_withdrawn_early_is_renewed_once(chat: Chat) -> None:
    account = chat.account({"app_id": APP[0]}, **WITH_APP)
    sent(account, media_ids=[stored().id])
    chat.control("revoke_tokens")
    chat.advance(2)
    publication = sent(account, media_ids=[stored((90, 80)).id])
    assert publication.state is State.PUBLISHED
    assert chat.carrier.book.get("count", "token") == 2


@pytest.mark.parametrize("step", ["/images", "/internal"])
def test_silence_before_the_message_is_only_tried_again(chat: Chat, step: str) -> None:
    chat.script(step, "reset", "ok")
    account = chat.account({"app_id": APP[0]}, **WITH_APP)
    publication = sent(account, media_ids=[stored().id])
    assert publication.attempts[0].outcome is Outcome.NOT_SENT
    assert again(publication).state is State.PUBLISHED
    assert len(chat.shown) == 1


@pytest.mark.parametrize(
    ("word", "wait"),
    [("errcode:99991400", 10), ("limit:234006", 0), ("limit:99991400:90", 90)],
)
@pytest.mark.parametrize("step", ["/images", "/internal"])
def test_a_first_step_that_is_put_off_is_made_again(
    chat: Chat, step: str, word: str, wait: int
) -> None:
    chat.script(step, word, "ok")
    before = now()
    account = chat.account({"app_id": APP[0]}, **WITH_APP)
    publication = sent(account, media_ids=[stored().id])
    assert publication.attempts[0].outcome is Outcome.NOT_SENT
    assert not account.is_paused
    assert publication.due_at - before >= timedelta(seconds=wait)
    assert again(publication).state is State.PUBLISHED
    assert len(chat.shown) == 1


def test_an_unknown_code_for_a_token_is_no_wrong_secret(chat: Chat) -> None:
    chat.script("/internal", "errcode:2200", "ok")
    account = chat.account({"app_id": APP[0]}, **WITH_APP)
    publication = sent(account, media_ids=[stored().id])
    assert (publication.state, account.is_paused) == (State.SCHEDULED, False)
    assert "2200" in account.last_fault
    assert again(publication).state is State.PUBLISHED


@pytest.mark.parametrize("code", [234006, 234001])
def test_a_picture_feishu_does_not_take_is_the_posts_fault(chat: Chat, code: int) -> None:
    """Its refusals bring no data; nothing was shown, so nobody is asked whether it arrived."""
    chat.script("/images", f"errcode:{code}")
    account = chat.account({"app_id": APP[0]}, **WITH_APP)
    publication = sent(account, media_ids=[stored().id])
    assert (publication.state, account.is_paused) == (State.FAILED, False)
    assert str(code) in publication.reason
    assert chat.shown == []


@pytest.mark.parametrize("code", [10003, 10014, 99991543])
def test_a_wrong_app_pauses_its_account(chat: Chat, code: int) -> None:
    chat.script("/internal", f"errcode:{code}")
    account = chat.account({"app_id": APP[0]}, **WITH_APP)
    publication = sent(account, media_ids=[stored().id])
    assert (publication.state, account.is_paused) == (State.HELD, True)
    assert account.last_fault == feishu.APP_REFUSED


def test_a_token_refused_twice_is_fetched_another_time(chat: Chat) -> None:
    chat.script("/images", "errcode:99991663", "errcode:99991663", "ok")
    account = chat.account({"app_id": APP[0]}, **WITH_APP)
    publication = sent(account, media_ids=[stored().id])
    assert (publication.state, account.is_paused) == (State.SCHEDULED, False)
    assert again(publication).state is State.PUBLISHED


def test_a_post_of_left_out_pictures_alone_is_refused(chat: Chat) -> None:
    account, kept = chat.account(webhook=ROBOT), stored()
    post = make.post(account=account, text="", media_ids=[kept.id])
    alone = replace(outgoing(post), text="", link="")
    assert [problem.code for problem in chat.channel.problems(alone)] == ["content_empty"]
