"""The accounts with which the demo team speaks to the demo carriers, one or two of every channel."""

import base64
import re
import secrets as chance
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from audience import personas, pools
from cms.accounts.models import User
from cms.core import signing
from cms.core.config import current
from cms.core.db import session, transaction
from cms.demo.carriers import dingtalk, feishu, slack, telegram, wecom
from cms.demo.carriers.official_account import STANDING_COVER
from cms.demo.carriers.official_account_tokens import APPID, SECRET
from schedules import accounts, alert_routes, subscribers
from schedules.accounts import AccountFields
from schedules.alert_routes import RouteFields
from schedules.credentials import Judged
from schedules.models import ChannelAccount
from schedules.states import RouteKind

# Who works at the demo corporation: those who hold the personas, and two colleagues.
EMPLOYEES = {
    "CenLan": "岑岚",
    "XiaoHe": "小禾",
    "LuWendi": "陆闻笛",
    "HeZhixia": "何之夏",
    "LinYue": "林越",
    "TangJia": "唐嘉",
}
SENDERS = ("CenLan", "XiaoHe", "LuWendi", "HeZhixia")
TOLD = "xu.minglang@hedeng.example"  # whoever has the watch reads the alerts
LETTERS = "letter"
SUBSCRIBERS = (
    "an.ning chen.ruoxi deng.siyuan fang.zhou gao.yue han.xiaomei jiang.nan kang.le li.muyang liu.qing "
    "luo.yi meng.fan ning.zhe pan.xinyi qian.duo shen.an tao.ran wei.lai xie.tian yan.hui"
)
_OF_DEMO = re.compile(r"http://127\.0\.0\.1:\d+(?=/|$)")
_ADDRESSES = ("base_url", "url")


@dataclass(frozen=True)
class Way:
    """One account as it is set up; `at` is the demo carrier's slug, the start of its address."""

    slug: str
    name: str
    channel: str
    at: str
    pools: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    persona: str = ""


_CORPORATION = {"corpid": wecom.CORPID}
_APP = {"corpsecret": wecom.SECRET}
_ARTICLES = {"appid": APPID, "author": "禾灯学堂", "cover_media_id": STANDING_COVER}

WAYS = (
    Way(
        "wecom-moments",
        "企业微信朋友圈",
        "wecom_moments",
        "wecom",
        ("moments-silent", "moments-churned", "moments-active"),
        {**_CORPORATION, "senders": list(EMPLOYEES)},
        _APP,
        "cen-lan",
    ),
    Way(
        "wecom-mass",
        "企业微信群发",
        "wecom_mass",
        "wecom",
        ("moments-churned", "moments-active"),
        {**_CORPORATION, "senders": list(SENDERS), "chat_type": "single"},
        _APP,
        "xiao-he",
    ),
    Way(
        "wecom-robot",
        "晚自习群机器人",
        "wecom_robot",
        "wecom",
        ("group-active", "group-new"),
        {},
        {"key": wecom.ROBOT},
    ),
    Way(
        "oa-publish",
        "公众号：发布",
        "oa_publish",
        "oa",
        ("group-silent", "group-paying", "group-new"),
        _ARTICLES,
        {"appsecret": SECRET},
    ),
    Way(
        "oa-mass",
        "公众号：群发",
        "oa_mass",
        "oa",
        ("group-active", "group-silent"),
        _ARTICLES,
        {"appsecret": SECRET},
    ),
    Way(
        "feishu",
        "飞书：学员群",
        "feishu",
        "feishu",
        ("group-paying", "group-active"),
        {"app_id": feishu.APP[0]},
        {"webhook": feishu.ROBOT, "app_secret": feishu.APP[1]},
    ),
    Way(
        "dingtalk",
        "钉钉：企业内训",
        "dingtalk",
        "dingtalk",
        ("group-new", "group-paying"),
        {},
        {"webhook": dingtalk.ROBOT},
    ),
    Way(
        "slack",
        "Slack #alumni",
        "slack",
        "slack",
        ("group-paying",),
        {"conversation": slack.CONVERSATION},
        {"token": slack.TOKEN},
    ),
    Way(
        "telegram",
        "Telegram 频道",
        "telegram",
        "telegram",
        ("moments-churned",),
        {"chat": telegram.CHANNEL},
        {"token": telegram.TOKEN},
    ),
    Way(
        LETTERS,
        "一周一信",
        "email",
        "mail",
        ("group-silent", "moments-active", "group-paying"),
        {"sender_name": "禾灯学堂", "about": "禾灯学堂，给订阅过的朋友。虚构的学校，不寄真信。"},
    ),
    Way("website", "自家网站", "webhook", "receiver", ("group-new", "group-active")),
)
BY_SLUG = {way.slug: way for way in WAYS}


def open_all(by: User) -> None:
    """Add the accounts, the readers of the letters, and whom alerts are told."""
    called = {"callback_secret": chance.token_hex(12), "callback_key": _encoding_key()}
    for way in WAYS:
        given = dict(way.secrets)
        if way.at == "oa":
            given |= called  # one app, one pair of keys, however many accounts
        if way.channel == "webhook":
            given["secret"] = signing.new_secret()
        _open(way, given, by)
    letters = accounts.by_slug(LETTERS)
    if letters is not None:
        lines = [f"{name}@hedeng.example" for name in SUBSCRIBERS.split()]
        subscribers.add(letters, "\n".join(lines), by=by)
    alert_routes.add(RouteFields(RouteKind.EMAIL, TOLD, "zh"), by=by)


def follow() -> int:
    """Have the accounts call the demo carriers where they are now; how many had to move."""
    moved = 0
    with transaction():
        for account in session.scalars(select(ChannelAccount)):
            fresh = {**account.settings, **_moved(account.settings)}
            if fresh != account.settings:
                account.settings = fresh
                moved += 1
    return moved


def _open(way: Way, secrets: dict[str, str], by: User) -> None:
    settings = dict(way.settings)
    if way.channel == "webhook":
        settings |= {"url": f"{current().carriers_url}/{way.at}/hook", "receiver_dedupes": True}
    elif way.channel != "email":
        settings["base_url"] = f"{current().carriers_url}/{way.at}"
    reached = [found.id for slug in way.pools if (found := pools.by_slug(slug))]
    persona = personas.by_slug(way.persona) if way.persona else None
    fields = AccountFields(
        way.name,
        way.channel,
        persona_id=persona.id if persona else None,
        pool_ids=reached,
        own=Judged(settings, secrets),
    )
    accounts.add(fields, by=by, slug=way.slug)


def _moved(settings: Mapping[str, Any]) -> dict[str, str]:
    """Those addresses that lead to demo carriers, as they are now."""
    return {
        name: _OF_DEMO.sub(current().carriers_url, str(settings[name]), count=1)
        for name in _ADDRESSES
        if _OF_DEMO.match(str(settings.get(name) or ""))
    }


def _encoding_key() -> str:
    """43 letters and digits, as an account's console makes them."""
    while True:
        key = base64.b64encode(chance.token_bytes(32)).decode()[:43]
        if key.isalnum():
            return key
