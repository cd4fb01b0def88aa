"""Telegram: texts, photos and albums as one call each; changes, withdrawals, and groups that move."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from cms.accounts.models import AuditEntry
from cms.core.clock import now
from cms.core.db import session
from cms.demo.carriers.telegram import CHANNEL, TOKEN, Refusal, Telegram, is_in_shape
from schedules.addressing import envelope_of
from schedules.channels import CHANNELS, telegram, verdicts
from schedules.channels.base import Receipt
from schedules.channels.telegram import NO_CHAT, NO_TOKEN, OTHER_PICTURES, TOO_OLD
from schedules.content import outgoing
from schedules.envelopes import Envelope
from schedules.models import ChannelAccount, Publication
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests.content_library.pictures import png, stored
from tests.demo_carriers import Start
from tests.schedules.channels.chatting import Chat, again, log_of, sent, wait_of

pytestmark = pytest.mark.wire

GROUP = "-1000002"
CHANNEL_NUMBER = "-1001000000001"


@pytest.fixture
def chat(start_carriers: Start) -> Chat:
    carriers, url = start_carriers(Telegram)
    return Chat(carriers.members["telegram"], f"{url}/telegram")


def bot(chat: Chat, where: str = CHANNEL, token: str = TOKEN) -> ChannelAccount:
    return chat.account({"chat": where}, token=token)


def test_one_post_is_one_message_with_its_number_and_address(chat: Chat) -> None:
    publication = sent(bot(chat), text="Good *morning* <b>🌅</b> & _all_")
    assert publication.state is State.PUBLISHED
    (message,) = chat.shown
    assert message["text"] == outgoing(publication.post).text
    assert publication.external_id == f"{CHANNEL_NUMBER}:{message['messages'][0]}"
    assert publication.external_url == f"https://t.me/seedbed_demo/{message['messages'][0]}"


def test_a_private_group_has_no_address(chat: Chat) -> None:
    publication = sent(bot(chat, GROUP))
    assert publication.external_id.startswith(f"{GROUP}:")
    assert publication.external_url == ""


def test_pictures_and_words_are_one_effect(chat: Chat) -> None:
    one = sent(bot(chat), text="One", media_ids=[stored().id])
    assert one.state is State.PUBLISHED
    chat.advance(2)
    kept = [stored((300, 200)), stored((200, 300)), stored((90, 80), kind="WEBP")]
    three = sent(bot(chat), text="Three", media_ids=[media.id for media in kept])
    assert three.state is State.PUBLISHED
    photo, album = chat.shown
    assert (photo["text"], len(photo["photos"])) == (outgoing(one.post).text, 1)
    assert (album["text"], len(album["photos"])) == (outgoing(three.post).text, 3)
    assert three.external_id.count(",") == 2


def test_what_will_be_done_to_pictures_is_told(chat: Chat) -> None:
    drawn = chat.drawn(bot(chat), "Look", media_ids=[stored((90, 80), kind="WEBP").id])
    assert [change.code for change in drawn.changes] == ["link_added", "picture_converted"]


def test_words_count_in_utf16_units_up_to_the_border(chat: Chat) -> None:
    account, kept = bot(chat), stored()
    room = 4096 - chat.drawn(account, "").used - 1
    text = "🌅" * (room // 2) + "x" * (room % 2)
    assert chat.problems(account, text) == []
    assert chat.problems(account, text + "x") == ["content_too_long"]
    assert sent(account, text=text).state is State.PUBLISHED
    caption = text[: (room - 3072) // 2] + "x" * ((room - 3072) % 2)
    assert chat.problems(account, caption, media_ids=[kept.id]) == []
    assert chat.problems(account, caption + "x", media_ids=[kept.id]) == ["content_too_long"]
    chat.advance(2)
    assert sent(account, text=caption, media_ids=[kept.id]).state is State.PUBLISHED


def test_an_eleventh_picture_is_too_many(chat: Chat) -> None:
    kept = [stored((40 + n, 40)).id for n in range(11)]
    assert chat.problems(bot(chat), "Look", media_ids=kept[:10]) == []
    assert chat.problems(bot(chat), "Look", media_ids=kept) == ["too_many_pictures"]


@pytest.mark.parametrize(
    ("code", "description", "outcome", "pauses"),
    [
        (400, "Bad Request: can't parse entities", Outcome.REJECTED, False),
        (400, "Bad Request: chat not found", Outcome.REJECTED, True),
        (400, "Bad Request: not enough rights to send text messages", Outcome.REJECTED, True),
        (401, "Unauthorized", Outcome.REJECTED, True),
        (403, "Forbidden: bot was blocked by the user", Outcome.REJECTED, True),
        (404, "Not Found", Outcome.REJECTED, True),
        (409, "Conflict: terminated by other getUpdates request", Outcome.NOT_SENT, False),
        (413, "Request Entity Too Large", Outcome.REJECTED, False),
        (418, "A teapot", Outcome.REJECTED, False),
        (500, "Internal Server Error", Outcome.UNCERTAIN, False),
        (502, "Bad Gateway", Outcome.UNCERTAIN, False),
    ],
)
def test_what_each_refusal_proves(
    chat: Chat,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    description: str,
    outcome: Outcome,
    pauses: bool,
) -> None:
    def refuse(*_: object) -> None:
        raise Refusal(code, description)

    monkeypatch.setattr(Telegram, "_chat", refuse)
    publication = sent(bot(chat))
    assert publication.attempts[0].outcome is outcome
    assert publication.account.is_paused is pauses


@pytest.mark.parametrize(
    ("verb", "given"),
    [("kick", {"chat": GROUP}), ("revoke_token", {}), ("demote", {"chat": GROUP})],
)
def test_a_bot_that_was_shut_out_stops_its_account(
    chat: Chat, verb: str, given: dict[str, str]
) -> None:
    chat.control(verb, **given)
    publication = sent(bot(chat, GROUP))
    assert (publication.state, publication.account.is_paused) == (State.HELD, True)
    assert chat.shown == []


def test_the_wait_is_the_one_telegram_names(chat: Chat) -> None:
    account = bot(chat, GROUP)
    moment = chat.carrier.now()
    chat.carrier.book.put("pace", f"{GROUP}/m", [moment] * 20)
    before = now()
    publication = sent(account)
    assert publication.state is State.SCHEDULED
    assert timedelta(seconds=40) <= wait_of(publication, before) <= timedelta(seconds=43)
    chat.advance(61)
    assert again(publication).state is State.PUBLISHED
    assert len(chat.shown) == 1


@pytest.mark.parametrize(
    ("said", "header", "seconds"),
    [
        ({"ok": False, "error_code": 400, "description": "Bad Request"}, "30", 30),
        ({"ok": False, "error_code": 429, "parameters": None}, "30", 30),
        ({"ok": False, "error_code": 429, "parameters": {"retry_after": 50}}, "30", 50),
        ({"ok": True, "result": True}, "", 0),
    ],
)
def test_whatever_a_429_says_it_asks_to_wait(
    chat: Chat,
    monkeypatch: pytest.MonkeyPatch,
    said: dict[str, object],
    header: str,
    seconds: int,
) -> None:
    headers = {"Retry-After": header} if header else {}
    answer = lambda self, *_: self.json(said, 429, **headers)  # noqa: E731
    monkeypatch.setattr(Telegram, "_handled", answer)
    before = now()
    publication = sent(bot(chat))
    assert publication.attempts[0].outcome is Outcome.NOT_SENT
    assert publication.due_at - before >= timedelta(seconds=seconds)


def test_a_500_promises_nothing_whatever_it_says(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}
    monkeypatch.setattr(Telegram, "_handled", lambda self, *_: self.json(said, 502))
    assert sent(bot(chat)).state is State.UNCERTAIN


@pytest.mark.parametrize(("size", "fits"), [((2000, 100), True), ((2001, 100), False)])
def test_a_picture_too_long_and_thin_is_told_beforehand(
    chat: Chat, size: tuple[int, int], fits: bool
) -> None:
    account = bot(chat)
    for shape in (size, size[::-1]):
        kept = stored(shape)
        codes = chat.problems(account, "Look", media_ids=[kept.id])
        assert codes == ([] if fits else ["picture_too_thin"])
    assert is_in_shape(png(*size)) is fits


@pytest.mark.parametrize("size", [(9000, 1200), (9980, 499), (1000, 9001)])
def test_a_picture_too_large_is_made_smaller(chat: Chat, size: tuple[int, int]) -> None:
    account, kept = bot(chat), stored(size)
    assert is_in_shape(png(*size)) is (sum(size) <= 10_000)
    assert chat.problems(account, "Look", media_ids=[kept.id]) == []
    assert sent(account, text="Look", media_ids=[kept.id]).state is State.PUBLISHED


@pytest.mark.parametrize(("word", "effects"), [("reset", 1), ("html", 1), ("huge", 1), ("500", 0)])
def test_a_riddle_is_never_sent_again_by_itself(chat: Chat, word: str, effects: int) -> None:
    chat.script("/sendPhoto", word, "ok")
    publication = sent(bot(chat), media_ids=[stored().id])
    assert publication.state is State.UNCERTAIN
    assert again(publication).state is State.UNCERTAIN
    assert len(publication.attempts) == 1
    assert len(chat.shown) == effects


def test_a_group_that_moved_is_followed(chat: Chat) -> None:
    """Telegram itself says where to: the setting changes, the trail says so, and one message appears."""
    chat.control("migrate", chat=GROUP, to=-100777)
    account = bot(chat, GROUP)
    publication = sent(account)
    assert publication.state is State.SCHEDULED
    assert account.settings["chat"] == "-100777"
    entry = session.scalar(
        select(AuditEntry)
        .where(AuditEntry.action == "account.changed")
        .order_by(AuditEntry.id.desc())
    )
    assert entry is not None
    assert "-100777" in json.dumps(entry.detail)
    assert again(publication).state is State.PUBLISHED
    assert [message["chat"] for message in chat.shown] == [-100777]


def changed(publication: Publication, **fields: object) -> Envelope:
    session.expire_all()
    envelope = envelope_of(publication)
    return replace(envelope, outgoing=replace(envelope.outgoing, **fields))  # type: ignore[arg-type]


def amend(envelope: Envelope) -> Receipt:
    return CHANNELS.get("telegram").carry_amendment(envelope)


def withdraw(publication: Publication) -> Receipt:
    session.expire_all()
    return CHANNELS.get("telegram").carry_withdrawal(envelope_of(publication))


@pytest.mark.parametrize("pictures", [0, 1, 2])
def test_words_can_be_changed_twice_the_same(chat: Chat, pictures: int) -> None:
    kept = [stored((60 + n, 50)).id for n in range(pictures)]
    publication = sent(bot(chat), media_ids=kept)
    for _ in range(2):
        receipt = amend(changed(publication, text="Better words"))
        assert receipt.outcome is Outcome.ACCEPTED
        assert receipt.external_id == publication.external_id
    assert [one["text"] for one in chat.carrier.book.shown("edit")] == ["Better words"]


def test_pictures_cannot_be_changed(chat: Chat) -> None:
    publication = sent(bot(chat), media_ids=[stored().id])
    receipt = amend(changed(publication, pictures=()))
    assert (receipt.outcome, receipt.reason) == (Outcome.REJECTED, OTHER_PICTURES)
    chat.advance(2)
    words_only = sent(bot(chat))
    more = outgoing(publication.post).pictures
    assert amend(changed(words_only, pictures=more)).reason == OTHER_PICTURES


@pytest.mark.parametrize("pictures", [0, 2])
def test_a_message_can_be_taken_back_for_two_days(chat: Chat, pictures: int) -> None:
    kept = [stored((60 + n, 50)).id for n in range(pictures)]
    publication = sent(bot(chat), media_ids=kept)
    chat.advance(47 * 3600)
    for _ in range(2):  # what is gone already counts as taken back
        assert withdraw(publication).outcome is Outcome.ACCEPTED
    assert len(chat.carrier.book.shown("delete")) == max(1, pictures)


def test_after_two_days_it_is_refused_with_the_reason(chat: Chat) -> None:
    publication = sent(bot(chat))
    chat.advance(48 * 3600 + 10)
    receipt = withdraw(publication)
    assert (receipt.outcome, receipt.reason) == (Outcome.REJECTED, TOO_OLD)
    assert not receipt.pauses_account


def test_the_test_button_asks_who_the_bot_is_and_where(chat: Chat) -> None:
    assert chat.try_out(bot(chat)) == ""
    assert chat.try_out(bot(chat, "https://t.me/seedbed_demo")) == ""
    assert chat.try_out(bot(chat, "@nowhere_at_all")) == telegram.UNKNOWN_CHAT
    assert chat.try_out(bot(chat, token="1000002:some-other-token")) == telegram.BAD_TOKEN
    assert chat.try_out(bot(chat, token="nonsense")) == NO_TOKEN
    assert chat.try_out(bot(chat, "my chat!")) == NO_CHAT
    chat.control("demote", chat=CHANNEL_NUMBER)
    assert chat.try_out(bot(chat)) == telegram.NOT_ADMINISTRATOR
    assert chat.shown == []


def test_the_test_button_notices_a_group_without_the_bot(chat: Chat) -> None:
    account = bot(chat, GROUP)
    assert chat.try_out(account) == ""
    chat.script("/getChatMember", "429:7", "ok")
    assert chat.try_out(account) == verdicts.BUSY
    chat.control("demote", chat=GROUP)
    assert chat.try_out(account) == telegram.SHUT_OUT
    chat.control("leave", chat=GROUP)
    assert chat.try_out(account) == telegram.SHUT_OUT
    assert sent(account).state is State.HELD
    assert chat.shown == []


def test_nothing_secret_is_written_down(chat: Chat) -> None:
    whole = f"https://api.telegram.org/bot{TOKEN}/sendMessage"
    texts = sent(bot(chat, token=whole), text="Words")
    chat.advance(2)
    photos = sent(bot(chat, token=whole), text="Words", media_ids=[stored().id])
    for publication in (texts, photos):
        assert publication.state is State.PUBLISHED
        assert TOKEN not in log_of(publication)
        assert TOKEN.partition(":")[2] not in log_of(publication)
    assert "/bot•••/sendMessage" in log_of(texts)
