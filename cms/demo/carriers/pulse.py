"""What happens at the demo carriers by itself: reviews end, employees act, and the product is told."""

from collections.abc import Callable
from typing import Any

import structlog

from cms.demo.carriers.official_account import OfficialAccount
from cms.demo.carriers.serving import Carriers
from cms.demo.carriers.wecom import WeCom

log = structlog.get_logger(__name__)

Turn = Callable[[], None]


class Pulse:
    """One `turn` a second. `on_news` hears when an employee has done something.

    At the real WeCom nobody says so: Seedbed asks after a minute, five, fifteen. Whoever presses a
    button on a demo page wants to see now what comes of it.
    """

    def __init__(self, carriers: Carriers, on_news: Callable[[], None]) -> None:
        self._on_news = on_news
        self._turns = [turn for member in carriers.members.values() for turn in self._of(member)]
        self._done = 0

    def turn(self) -> None:
        """Let what is due happen; a carrier that stumbles does not hold up the others."""
        for turn in self._turns:
            try:
                turn()
            except Exception:  # the door of one carrier's turn
                log.exception("demo_carrier_stumbled")

    def _of(self, member: Any) -> list[Turn]:
        match member:
            case OfficialAccount():
                return [lambda: _review(member)]
            case WeCom():
                self._done = _done(member)
                return [lambda: self._watch(member)]
        return []

    def _watch(self, wecom: WeCom) -> None:
        done = _done(wecom)
        if done != self._done:
            self._done = done
            self._on_news()


def _review(account: OfficialAccount) -> None:
    with account.book.whole():
        account.settle()
    account.caller.deliver(account.now())  # outside the lock: whoever is told may call back


def _done(wecom: WeCom) -> int:
    """How often employees have pressed their button; asking lets those do so whose time has come."""
    sent = [bool((wecom.mass_task(msgid) or {}).get("done_at")) for msgid in wecom.book.all("mass")]
    posted = [
        bool(at)
        for moment_id in wecom.book.all("moment")
        for at in (wecom.moment(moment_id) or {"published": {}})["published"].values()
    ]
    return sum(sent) + sum(posted)
