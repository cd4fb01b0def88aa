"""What each channel's account needs in tests: its demo carrier, its settings, its secrets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cms.core import sealing
from cms.core.db import transaction
from cms.demo.carriers import dingtalk, feishu, slack, telegram, wecom
from cms.demo.carriers.mail import Mailbox
from cms.demo.carriers.official_account import STANDING_COVER, OfficialAccount
from cms.demo.carriers.official_account_tokens import APPID
from cms.demo.carriers.official_account_tokens import SECRET as APP_SECRET
from cms.demo.carriers.receiver import Receiver
from cms.demo.carriers.simulator import Simulator
from schedules import subscribers
from schedules.models import ChannelAccount
from tests import factories as make
from tests.demo_carriers import Start


@dataclass(frozen=True)
class Outfit:
    """How to reach one channel's demo carrier as a sound account would.

    `{base}` in a setting stands for the carrier's address; `prepare` tells the carrier what it has
    to know of us.
    """

    carrier: type[Simulator]
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[Simulator], None] = lambda carrier: None
    stock: Callable[[ChannelAccount], object] = lambda account: None  # with rows of our own


SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"  # for tests only

OFFICIAL_ACCOUNT = Outfit(
    OfficialAccount,
    {"appid": APPID, "cover_media_id": STANDING_COVER},
    {"appsecret": APP_SECRET},
)

EMAIL = Outfit(
    Mailbox,
    {"sender_name": "Seeds"},
    stock=lambda account: subscribers.add(account, "ann@example.com", by=None),
)

WECOM = {"corpid": wecom.CORPID, "senders": ["lina", "wangwei"]}

OUTFITS: dict[str, Outfit] = {  # by slug of the channel; none: it speaks to nobody outside
    "email": EMAIL,
    "webhook": Outfit(
        Receiver,
        {"url": "{base}/hook"},
        {"secret": SECRET},
        lambda carrier: carrier.book.put("own", "secrets", [SECRET]),
    ),
    "oa_publish": OFFICIAL_ACCOUNT,
    "oa_mass": OFFICIAL_ACCOUNT,
    "wecom_robot": Outfit(wecom.WeCom, secrets={"key": wecom.ROBOT}),
    "wecom_mass": Outfit(wecom.WeCom, WECOM, {"corpsecret": wecom.SECRET}),
    "wecom_moments": Outfit(wecom.WeCom, WECOM, {"corpsecret": wecom.SECRET}),
    "feishu": Outfit(feishu.Feishu, secrets={"webhook": feishu.ROBOT}),
    "dingtalk": Outfit(dingtalk.DingTalk, secrets={"webhook": dingtalk.ROBOT}),
    "slack": Outfit(slack.Slack, secrets={"webhook": slack.HOOK}),
    "telegram": Outfit(telegram.Telegram, {"chat": telegram.CHANNEL}, {"token": telegram.TOKEN}),
}


def equipped(slug: str, start: Start) -> ChannelAccount:
    """An account of the channel that works, its demo carrier running."""
    outfit = OUTFITS.get(slug)
    if outfit is None:
        return make.account(channel=slug, per_minute=6000)
    carriers, url = start(outfit.carrier)
    outfit.prepare(carriers.members[outfit.carrier.slug])
    base = f"{url}/{outfit.carrier.slug}"
    settings = {"base_url": base} | {
        name: value.replace("{base}", base) if isinstance(value, str) else value
        for name, value in outfit.settings.items()
    }
    account = make.account(channel=slug, per_minute=6000, settings=settings)
    with transaction():
        account.sealed = sealing.seal(outfit.secrets)
        outfit.stock(account)
    return account
