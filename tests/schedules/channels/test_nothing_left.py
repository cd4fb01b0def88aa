"""A fault of our own before anything was sent is no riddle: the post is simply tried again."""

from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from cms.core import storage
from cms.demo.carriers.feishu import APP, ROBOT, Feishu
from cms.demo.carriers.simulator import Simulator
from cms.demo.carriers.telegram import CHANNEL, TOKEN, Telegram
from schedules import publishing
from schedules.channels import CHANNELS, dingtalk, feishu, slack, telegram, webhook, wecom_robot
from schedules.models import ChannelAccount
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests.content_library.pictures import stored
from tests.demo_carriers import Start
from tests.schedules.channels.chatting import Chat, again, sent
from tests.schedules.channels.outfits import equipped
from tests.schedules.ready import approved

pytestmark = pytest.mark.wire

BY_CALLS = {
    "feishu": (feishu, "_body"),
    "dingtalk": (dingtalk, "_body"),
    "slack": (slack, "_message"),
    "telegram": (telegram, "_shown"),
    "webhook": (webhook, "_message"),
    "wecom_robot": (wecom_robot, "_key"),
}


def broken(*_: Any, **__: Any) -> NoReturn:
    raise OSError(5, "Input/output error")


@pytest.fixture
def chats(start_carriers: Start) -> Callable[[type[Simulator]], Chat]:
    def chat(kind: type[Simulator]) -> Chat:
        carriers, url = start_carriers(kind)
        return Chat(carriers.members[kind.slug], f"{url}/{kind.slug}")

    return chat


def by_app(chat: Chat) -> ChannelAccount:
    return chat.account({"app_id": APP[0]}, webhook=ROBOT, app_secret=APP[1])


def test_those_who_speak_by_recorded_calls_alone_say_so() -> None:
    """Mail goes by another protocol, the sandbox and the reader pages write by themselves."""
    assert {one for one in CHANNELS.slugs if CHANNELS.get(one).speaks_by_calls} == set(BY_CALLS)


@pytest.mark.parametrize("slug", BY_CALLS)
def test_before_any_call_nothing_can_have_left(
    start_carriers: Start, monkeypatch: pytest.MonkeyPatch, slug: str
) -> None:
    publication = approved(account=equipped(slug, start_carriers))
    fence = publishing.claim(publication.id, worker="here")
    envelope = publishing._prepared(publication.id, fence or 0)
    assert envelope is not None
    with monkeypatch.context() as patch:
        patch.setattr(*BY_CALLS[slug], broken)
        receipt = CHANNELS.get(slug).send(envelope)
    assert receipt.outcome is Outcome.NOT_SENT
    assert "Input/output" in receipt.reason


def test_a_disk_that_cannot_be_read_leaves_no_riddle(
    chats: Callable[[type[Simulator]], Chat], monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = chats(Telegram)
    account, kept = chat.account({"chat": CHANNEL}, token=TOKEN), stored()
    with monkeypatch.context() as patch:
        patch.setattr(type(storage.media()), "read", broken)
        publication = sent(account, media_ids=[kept.id])
    assert (publication.state, chat.shown) == (State.SCHEDULED, [])
    assert again(publication).state is State.PUBLISHED
    assert len(chat.shown) == 1


def test_after_an_upload_alone_nothing_can_have_left(
    chats: Callable[[type[Simulator]], Chat], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two calls were made by then, a token fetched and a picture uploaded: readers see neither."""
    chat = chats(Feishu)
    account, kept = by_app(chat), stored()
    with monkeypatch.context() as patch:
        patch.setattr(feishu, "_signed", broken)
        publication = sent(account, media_ids=[kept.id])
    assert len(publication.attempts[0].detail["calls"]) == 2
    assert (publication.state, chat.shown) == (State.SCHEDULED, [])
    assert again(publication).state is State.PUBLISHED


@pytest.mark.parametrize("kind", [Feishu, Telegram])
def test_after_the_call_that_shows_it_nobody_knows(
    chats: Callable[[type[Simulator]], Chat],
    monkeypatch: pytest.MonkeyPatch,
    kind: type[Simulator],
) -> None:
    chat = chats(kind)
    account = by_app(chat) if kind is Feishu else chat.account({"chat": CHANNEL}, token=TOKEN)
    kept = stored()
    with monkeypatch.context() as patch:
        patch.setattr(feishu if kind is Feishu else telegram, "_receipt", broken)
        publication = sent(account, media_ids=[kept.id])
    assert publication.state is State.UNCERTAIN
    assert len(chat.shown) == 1
    assert again(publication).state is State.UNCERTAIN
