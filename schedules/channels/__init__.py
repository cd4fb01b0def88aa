"""The channels we can publish through: one file each, one line each here."""

from cms.core.i18n import N_
from cms.core.registry import Registry
from schedules.channels.base import Channel
from schedules.channels.dingtalk import DingTalk
from schedules.channels.email import Email
from schedules.channels.feishu import Feishu
from schedules.channels.manual import Manual
from schedules.channels.oa_mass import OaMass
from schedules.channels.oa_publish import OaPublish
from schedules.channels.reader import Reader
from schedules.channels.sandbox import Sandbox
from schedules.channels.slack import Slack
from schedules.channels.telegram import Telegram
from schedules.channels.webhook import Webhook
from schedules.channels.wecom_mass import WecomMass
from schedules.channels.wecom_moments import WecomMoments
from schedules.channels.wecom_robot import WecomRobot

CHANNELS: Registry[Channel] = Registry(
    N_("channel"),
    Reader(),
    Manual(),
    Sandbox(),
    Webhook(),
    WecomRobot(),
    WecomMass(),
    WecomMoments(),
    OaPublish(),
    OaMass(),
    Email(),
    Feishu(),
    DingTalk(),
    Slack(),
    Telegram(),
)

__all__ = ["CHANNELS", "Channel"]
