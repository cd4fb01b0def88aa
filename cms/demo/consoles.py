"""What the demo team has typed at the carriers' own consoles: employees, robots, our callback address."""

from sqlalchemy import select

from cms.core import demo_carriers
from cms.core.config import current
from cms.core.db import session
from cms.demo import ways
from cms.demo.carriers import families, feishu, wecom
from cms.demo.carriers.mail import SUFFIX, letters_folder
from cms.demo.carriers.official_account import OfficialAccount
from cms.demo.carriers.official_account_tokens import APPID
from cms.demo.carriers.serving import Carriers
from schedules import accounts, credentials
from schedules.channels.callback_fields import KEY, TOKEN
from schedules.models import ChannelAccount

# Employees answer within a minute or two, where real ones take hours.
LIVELY = {"on": True, "pace": 0.28, "forgetful": 0.0, "slow": 2}


def begin_anew() -> Carriers:
    """Empty every ledger and mailbox, then set the carriers up for the demo team."""
    demo_carriers.open_mail()
    carriers = families.opened()
    for member in carriers.members.values():
        member.book.clear()
    for letter in letters_folder().glob(f"*{SUFFIX}"):
        letter.unlink()
    _set_up(carriers)
    return carriers


def connect(carriers: Carriers) -> None:
    """Tell the demo carriers what the accounts' own keys are and where we are called."""
    _call_back(carriers)
    receiver = carriers.members["receiver"]
    keys = [_secrets(one).get("secret", "") for one in _of_channel("webhook")]
    receiver.book.put("own", "secrets", [key for key in keys if key])


def _set_up(carriers: Carriers) -> None:
    members = carriers.members
    corporation = {"corpid": wecom.CORPID, "secret": wecom.SECRET, "employees": ways.EMPLOYEES}
    members["wecom"].control("corp", corporation)
    members["wecom"].control("auto", LIVELY)
    # A service account may send more than once a day, or the demo would soon have nothing to show.
    members["oa"].control("switch", {"kind": "service"})
    # Once a message is refused; once one arrives and its answer does not, so that somebody has to look.
    members["dingtalk"].book.put("script", "/robot/send", ["errcode:40035", "ok"])
    members["feishu"].book.put("script", f"/hook/{feishu.ROBOT}", ["reset", "ok"])


def _call_back(carriers: Carriers) -> None:
    account = accounts.by_slug("oa-publish")
    member = carriers.members["oa"]
    if account is None or not isinstance(member, OfficialAccount) or not account.callback_token:
        return
    known = _secrets(account)
    settings = current()
    # The carrier lives on this machine: it need not find its way through proxies.
    url = f"http://127.0.0.1:{settings.port}/callbacks/{account.callback_token}"
    member.caller.configure(
        url=url, token=known.get(TOKEN, ""), key=known.get(KEY, ""), receive_id=APPID
    )


def _of_channel(channel: str) -> list[ChannelAccount]:
    found = select(ChannelAccount).where(ChannelAccount.channel == channel)
    return list(session.scalars(found.order_by(ChannelAccount.id)))


def _secrets(account: ChannelAccount) -> dict[str, str]:
    return credentials.opened(account) or {}
