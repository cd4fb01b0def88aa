"""Whether the carrier lets the account send another post in its own day or month."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import Problem
from cms.core.i18n import N_
from schedules.channels import CHANNELS
from schedules.channels.answers import Per, Quota
from schedules.models import ChannelAccount, Publication
from schedules.preflight.asking import WHEN_IT_LEAVES, Asked, Concern, Question, Subject
from schedules.preflight.contact_policy import OUT, WAITING, is_before
from schedules.warnings import Fix

A_DAY = N_(
    "The carrier takes %(most)s a day from %(account)s, and %(count)s are settled for that day."
)
A_MONTH = N_(
    "The carrier lets %(account)s reach each reader %(most)s times a month, and %(count)s are "
    "settled for that month."
)
CARRIERS_ZONE = ZoneInfo("Asia/Shanghai")  # where all carriers that count have their calendar
AROUND = timedelta(days=32)


@dataclass(frozen=True)
class _Counted:
    """One settled publication through an account with a quota."""

    row: Any
    quota: Quota


@dataclass(frozen=True)
class Known:
    """The settled publications of all accounts whose carriers count."""

    counted: list[_Counted] = field(default_factory=list)
    asked: Asked = Asked.PLANNED
    ignored: set[int] = field(default_factory=set)  # publications that will not leave after all


def left(account: ChannelAccount) -> tuple[Quota, int] | None:
    """What the carrier counts, and how many of them nothing is settled for in its day or month."""
    quota = _quota_of(account)
    if quota is None:
        return None
    moment = now()
    same = _period(quota, moment)
    count = sum(
        _period(quota, one.row.due_at) == same and _shares(one.quota, quota)
        for one in _counted({account.channel}, [moment])
    )
    return quota, max(0, quota.most - count)


def _quota_of(account: ChannelAccount) -> Quota | None:
    return CHANNELS.get(account.channel).quota_for(account.settings)


def _learn(subjects: Sequence[Subject], asked: Asked) -> Known:
    limited = [one for one in subjects if _quota_of(one.account)]
    if not limited:
        return Known()
    channels = {one.account.channel for one in limited}
    return Known(_counted(channels, [one.at for one in limited]), asked)


def _counted(channels: set[str], moments: list[datetime]) -> list[_Counted]:
    """What is settled around those moments through any account of the channels; two questions."""
    accounts = session.scalars(select(ChannelAccount).where(ChannelAccount.channel.in_(channels)))
    quotas = {one.id: quota for one in accounts if (quota := _quota_of(one))}
    rows = session.execute(
        select(Publication.id, Publication.account_id, Publication.due_at, Publication.state)
        .where(Publication.account_id.in_(quotas))
        .where(Publication.due_at.between(min(moments) - AROUND, max(moments) + AROUND))
        .where(Publication.state.in_(WAITING | OUT))
    )
    return [_Counted(row, quotas[row.account_id]) for row in rows]


def _ask(subject: Subject, known: Known) -> list[Concern]:
    quota = _quota_of(subject.account)
    if quota is None:
        return []
    same = _period(quota, subject.at)
    count = sum(
        _period(quota, one.row.due_at) == same
        for one in known.counted
        if one.row.id != subject.publication_id and one.row.id not in known.ignored
        if _shares(one.quota, quota) and is_before(one.row, subject, known.asked)
    )
    if count < quota.most:
        return []
    params = {"account": subject.account.name, "most": quota.most, "count": count}
    words = A_DAY if quota.per is Per.DAY else A_MONTH
    return [Concern(Problem("quota", words, params), fix=Fix.MOVE)]


def _shares(other: Quota, quota: Quota) -> bool:
    """Whether everybody whom the one reaches was reached by the other."""
    return other.of == quota.of and other.to in ("", quota.to)


def _period(quota: Quota, at: datetime) -> tuple[int, ...]:
    local = at.astimezone(CARRIERS_ZONE)
    month = (local.year, local.month)
    return (*month, local.day) if quota.per is Per.DAY else month


QUESTION = Question("quota", _ask, _learn, WHEN_IT_LEAVES)
