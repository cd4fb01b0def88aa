"""Slack: plain words that are answers, an app's methods, and text that calls nobody."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cms.core.clock import now
from cms.core.db import session
from cms.demo.carriers.slack import (
    CONVERSATION,
    HOOK,
    MOST_WORDS,
    TOKEN,
    Slack,
    words_of,
)
from schedules.addressing import envelope_of
from schedules.channels import calling, slack
from schedules.channels.slack import NO_HOOK, NOT_AN_ADDRESS, NOT_WITH_WEBHOOK
from schedules.content import outgoing
from schedules.models import ChannelAccount, Publication
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.content_library.pictures import stored
from tests.demo_carriers import Start
from tests.schedules.channels.chatting import Chat, again, log_of, sent, wait_of

pytestmark = pytest.mark.wire

PATH = "/services/" + HOOK


@pytest.fixture
def chat(start_carriers: Start) -> Chat:
    carriers, url = start_carriers(Slack)
    return Chat(carriers.members["slack"], f"{url}/slack")


def with_app(chat: Chat) -> ChannelAccount:
    return chat.account({"conversation": CONVERSATION}, token=TOKEN)


def test_one_post_is_one_message_with_its_link(chat: Chat) -> None:
    publication = sent(chat.account(webhook=HOOK), text="Good morning 🌅")
    assert (publication.state, publication.external_id) == (State.PUBLISHED, "")
    (message,) = chat.shown
    content = outgoing(publication.post)
    assert message["text"] == f"Good morning 🌅\n<{content.link}|{content.title}>"


@pytest.mark.parametrize(
    ("word", "status", "state"),
    [
        ("invalid_payload", 400, State.FAILED),
        ("no_text", 400, State.FAILED),
        ("too_many_attachments", 400, State.FAILED),
        ("something_new", 400, State.FAILED),
        ("action_prohibited", 403, State.HELD),
        ("posting_to_general_channel_denied", 403, State.HELD),
        ("invalid_token", 403, State.HELD),
        ("channel_not_found", 404, State.HELD),
        ("no_service", 404, State.HELD),
        ("no_active_hooks", 404, State.HELD),
        ("no_team", 404, State.HELD),
        ("team_disabled", 403, State.HELD),
        ("channel_is_archived", 410, State.HELD),
        ("something_new", 410, State.HELD),
        ("rollup_error", 500, State.UNCERTAIN),
        ("okay", 200, State.UNCERTAIN),
        ("", 200, State.UNCERTAIN),
    ],
)
def test_every_word_leads_somewhere(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, word: str, status: int, state: State
) -> None:
    """Also for the words the demo has no way to bring about: it is made to say them."""
    monkeypatch.setattr("cms.demo.carriers.slack.TROUBLES", {"said": (status, word)})
    chat.control("hook", key=HOOK, trouble="said")
    publication = sent(chat.account(webhook=HOOK))
    assert publication.state is state
    assert publication.account.is_paused is (state is State.HELD)


@pytest.mark.parametrize("trouble", ["removed", "archived", "prohibited", "gone_channel"])
def test_a_webhook_that_ended_stops_its_account(chat: Chat, trouble: str) -> None:
    chat.control("hook", key=HOOK, trouble=trouble)
    publication = sent(chat.account(webhook=HOOK))
    assert (publication.state, publication.account.is_paused) == (State.HELD, True)
    assert chat.shown == []


def test_the_second_in_a_second_waits_as_long_as_slack_says(chat: Chat) -> None:
    account = chat.account(webhook=HOOK)
    assert sent(account).state is State.PUBLISHED
    chat.carrier.book.put("pace", HOOK, [chat.carrier.now() + 5])  # not to depend on our own speed
    before = now()
    publication = sent(account)
    assert publication.state is State.SCHEDULED
    assert timedelta(seconds=1) <= wait_of(publication, before) <= timedelta(seconds=3)
    chat.advance(10)
    assert again(publication).state is State.PUBLISHED
    assert len(chat.shown) == 2


@pytest.mark.parametrize(("word", "effects"), [("reset", 1), ("html", 1), ("500", 0)])
def test_a_riddle_is_never_sent_again_by_itself(chat: Chat, word: str, effects: int) -> None:
    chat.script(PATH, word, "ok")
    publication = sent(chat.account(webhook=HOOK))
    assert publication.state is State.UNCERTAIN
    assert again(publication).state is State.UNCERTAIN
    assert len(publication.attempts) == 1
    assert len(chat.shown) == effects


def test_a_webhook_that_hangs_holds_its_account_back(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "DEFAULT_SECONDS", 0.3)
    chat.script(PATH, "hang")
    before = now()
    publication = sent(chat.account(webhook=HOOK))
    assert publication.state is State.UNCERTAIN
    assert wait_of(publication, before) > timedelta(seconds=5)
    assert len(chat.shown) == 1


@pytest.mark.parametrize("typed", ["<!everyone> hi", "<@U123> hi", "<!channel|x>", "<!here>"])
def test_a_mention_typed_as_text_calls_nobody(chat: Chat, typed: str) -> None:
    assert sent(chat.account(webhook=HOOK), text=typed).state is State.PUBLISHED
    assert chat.shown[0]["called"] == []
    assert chat.shown[0]["text"].split("\n")[0] == typed


@pytest.mark.parametrize(
    ("typed", "drawn"),
    [
        ("See https://a.example/x.", "See <https://a.example/x>."),
        ("(https://a.example/x)", "(<https://a.example/x>)"),
        ("https://a.example/q?a=1&b=2, then", "<https://a.example/q?a=1&b=2>, then"),
        ("看https://a.example/好。然后", "看<https://a.example/>好。然后"),
        ("http://a.example/a|b", "<http://a.example/a%7Cb>"),
        ("<https://a.example>", "<<https://a.example>>"),
        ("https://", "https://"),
        ("HTTPS://A.example/_x_", "<HTTPS://A.example/_x_>"),
    ],
)
def test_an_address_in_the_text_is_a_link_to_tap(chat: Chat, typed: str, drawn: str) -> None:
    """Slack is told to make nothing of plain words by itself, so links are made for it."""
    account = chat.account(webhook=HOOK)
    assert sent(account, text=typed).state is State.PUBLISHED
    assert chat.shown[0]["text"].split("\n")[0] == drawn
    assert chat.shown[0]["called"] == []
    assert chat.drawn(account, typed).text == typed


def test_what_is_added_to_make_links_counts(chat: Chat) -> None:
    account = chat.account(webhook=HOOK)
    text = "https://a.example/x " * 10
    assert chat.problems(account, text + "y" * (3000 - len(text) - 20)) == []
    assert chat.problems(account, text + "y" * (3000 - len(text) - 19)) == ["content_too_long"]


@pytest.mark.usefixtures("in_public")
def test_the_blocks_stay_below_what_slack_takes_together(chat: Chat) -> None:
    """Ten pictures, each with the words that stand for it."""
    kept = [stored((60 + n, 50)).id for n in range(10)]
    asset = make.asset(title="&" * 200)
    publication = sent(with_app(chat), asset=asset, text="x" * 3000, media_ids=kept)
    assert publication.state is State.PUBLISHED
    envelope = envelope_of(publication)
    untitled = replace(envelope.outgoing, title="")
    blocks = slack._message(untitled)["blocks"]
    assert len(blocks) == 12
    assert words_of({"blocks": blocks}) <= MOST_WORDS
    assert words_of({"blocks": [*blocks, *blocks]}) > MOST_WORDS


def test_a_title_cannot_break_out_of_its_link(chat: Chat) -> None:
    asset = make.asset(title="A > B | <!everyone> & C")
    assert sent(chat.account(webhook=HOOK), asset=asset).state is State.PUBLISHED
    assert chat.shown[0]["called"] == []
    assert "A > B ¦ <!everyone> & C" in chat.shown[0]["text"]


def test_the_escaped_text_counts_up_to_the_border(chat: Chat) -> None:
    account = chat.account(webhook=HOOK)
    assert chat.problems(account, "好" * 3000) == []
    assert chat.problems(account, "好" * 3001) == ["content_too_long"]
    assert chat.problems(account, "&" * 600) == []
    assert chat.problems(account, "&" * 601) == ["content_too_long"]
    assert sent(account, text="<" * 750).state is State.PUBLISHED


def test_what_slack_would_draw_as_formatting_is_told(chat: Chat) -> None:
    account = chat.account(webhook=HOOK)
    codes = [change.code for change in chat.drawn(account, "so *much* of it").changes]
    assert "formatting" in codes
    codes = [change.code for change in chat.drawn(account, "2 * 3 and snake_case_name").changes]
    assert "formatting" not in codes


def test_pictures_nobody_outside_can_fetch_are_left_out_and_that_is_told(chat: Chat) -> None:
    account, kept = chat.account(webhook=HOOK), stored()
    drawn = chat.drawn(account, "Look", media_ids=[kept.id])
    assert drawn.pictures == ()
    assert "pictures_left_out" in [change.code for change in drawn.changes]
    assert sent(account, text="Look", media_ids=[kept.id]).state is State.PUBLISHED
    assert chat.shown[0]["images"] == []
    post = make.post(account=account, text="", media_ids=[kept.id])
    alone = replace(outgoing(post), text="", body="", link="")
    assert [problem.code for problem in chat.channel.problems(alone)] == ["content_empty"]


@pytest.mark.usefixtures("in_public")
def test_text_pictures_and_link_are_one_message(chat: Chat) -> None:
    kept = [stored(), stored((90, 80))]
    account = chat.account(webhook=HOOK)
    publication = sent(account, text="Look", media_ids=[one.id for one in kept])
    assert publication.state is State.PUBLISHED
    base = f"https://seedbed.example.com/m/{publication.public_id}"
    (message,) = chat.shown
    assert message["images"] == [f"{base}/{one.sha256}/share" for one in kept]
    drawn = chat.drawn(account, "Look", media_ids=[kept[0].id])
    assert [change.code for change in drawn.changes] == ["pictures_fetched", "link_own_block"]


def test_with_a_token_the_message_has_a_name(chat: Chat) -> None:
    publication = sent(with_app(chat))
    assert publication.state is State.PUBLISHED
    (message,) = chat.shown
    assert publication.external_id == f"{CONVERSATION}:{message['ts']}"
    assert TOKEN not in log_of(publication)


@pytest.mark.parametrize(
    ("verb", "given", "said"),
    [
        ("revoke_token", {}, "token"),
        ("kick", {"channel": CONVERSATION}, "does not let the app write"),
    ],
)
def test_a_token_that_ended_stops_its_account(
    chat: Chat, verb: str, given: dict[str, str], said: str
) -> None:
    chat.control(verb, **given)
    publication = sent(with_app(chat))
    assert publication.attempts[0].detail["calls"][0]["status"] == 200
    assert publication.state is State.HELD
    assert said in publication.account.last_fault


def test_a_token_that_cannot_be_sent_is_no_carrier_that_cannot_be_reached(chat: Chat) -> None:
    """One that was kept before the form looked at its letters."""
    account = chat.account({"conversation": CONVERSATION}, token="xoxb-\u200bdemo")
    publication = sent(account)
    assert (publication.state, account.is_paused) == (State.HELD, True)
    assert account.last_fault == calling.NOT_SENDABLE
    assert chat.try_out(account) == calling.NOT_SENDABLE
    assert chat.shown == []


def test_with_a_token_too_fast_waits_as_well(chat: Chat) -> None:
    account = with_app(chat)
    chat.carrier.book.put("pace", CONVERSATION, [chat.carrier.now() + 5])
    assert sent(account).state is State.SCHEDULED
    assert chat.shown == []


@pytest.mark.parametrize("word", ["internal_error", "fatal_error", "request_timeout"])
def test_an_error_on_their_side_promises_nothing(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr("cms.demo.carriers.slack._fault", lambda message: word)
    assert sent(with_app(chat)).state is State.UNCERTAIN


def amended(publication: Publication, text: str) -> Outcome:
    envelope = envelope_of(publication)
    changed = replace(envelope.outgoing, text=text, body=text)
    return slack_channel().carry_amendment(replace(envelope, outgoing=changed)).outcome


def slack_channel() -> slack.Slack:
    return slack.Slack()


def test_a_message_with_a_name_can_be_changed_and_taken_back(chat: Chat) -> None:
    publication = sent(with_app(chat))
    assert amended(publication, "Better words") is Outcome.ACCEPTED
    assert chat.carrier.book.shown("edit")[0]["text"].startswith("Better words")
    session.expire_all()
    for _ in range(2):  # what is gone already counts as taken back
        receipt = slack_channel().carry_withdrawal(envelope_of(publication))
        assert receipt.outcome is Outcome.ACCEPTED
    assert len(chat.carrier.book.shown("delete")) == 1
    assert amended(publication, "Too late") is Outcome.REJECTED


def test_through_a_webhook_nothing_can_be_changed(chat: Chat) -> None:
    publication = sent(chat.account(webhook=HOOK))
    for act in (slack_channel().carry_amendment, slack_channel().carry_withdrawal):
        receipt = act(envelope_of(publication))
        assert (receipt.outcome, receipt.reason) == (Outcome.REJECTED, NOT_WITH_WEBHOOK)


def test_the_test_button_shows_nobody_anything(chat: Chat) -> None:
    assert chat.try_out(chat.account(webhook=f"https://hooks.slack.com{PATH}")) == ""
    assert chat.try_out(chat.account(webhook="T1/B1/nobody")) == NO_HOOK
    assert chat.try_out(chat.account(webhook="https://hooks.slack.com/")) == NOT_AN_ADDRESS
    assert chat.try_out(with_app(chat)) == ""
    wrong = chat.account({"conversation": CONVERSATION}, token="xoxb-wrong")
    assert chat.try_out(wrong) == slack.NO_APP
    assert chat.try_out(chat.account(token=TOKEN)) == slack.NO_CONVERSATION
    assert chat.shown == []


def test_nothing_secret_is_written_down(chat: Chat) -> None:
    publication = sent(chat.account(webhook=f"https://hooks.slack.com{PATH}"))
    assert publication.state is State.PUBLISHED
    assert HOOK not in log_of(publication)
    assert HOOK.rpartition("/")[2] not in log_of(publication)
