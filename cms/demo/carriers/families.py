"""Every demo carrier there is, and their ledgers in this data directory."""

from pathlib import Path

from cms.core import demo_carriers
from cms.core.config import current
from cms.demo.carriers.dingtalk import DingTalk
from cms.demo.carriers.feishu import Feishu
from cms.demo.carriers.mail import Mailbox
from cms.demo.carriers.official_account import OfficialAccount
from cms.demo.carriers.receiver import Receiver
from cms.demo.carriers.serving import Carriers, Pages
from cms.demo.carriers.simulator import Simulator
from cms.demo.carriers.slack import Slack
from cms.demo.carriers.telegram import Telegram
from cms.demo.carriers.wecom import WeCom

FAMILIES: tuple[type[Simulator], ...] = (
    WeCom,
    OfficialAccount,
    Feishu,
    DingTalk,
    Slack,
    Telegram,
    Mailbox,
    Receiver,
)


def folder() -> Path:
    """Where they keep their ledgers."""
    return current().folder(demo_carriers.FOLDER)


def opened(pages: Pages | None = None) -> Carriers:
    """All of them, as this data directory knows them."""
    return Carriers(folder(), FAMILIES, pages)
