"""How fast an account may publish: a token bucket in its row, by the minute and by the second."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from cms.core.clock import now
from cms.core.db import session
from schedules import rules
from schedules.channels import CHANNELS
from schedules.limits import LONGEST_BACK_OFF
from schedules.models import ChannelAccount

BURST_SHARE = 6  # a sixth of a minute's tokens may be saved up
SET_BACK = timedelta(minutes=1)  # more than hosts' clocks differ: the clock itself went back


@dataclass(frozen=True)
class Bucket:
    """An account's tokens at one moment.

    In no minute more than `per_minute` can be taken, in no second more than its channel allows.
    """

    tokens: float
    rate: float  # per second

    @property
    def wait(self) -> timedelta | None:
        """How long until a whole token is there; None when there is one now."""
        if self.tokens >= 1:
            return None
        return timedelta(seconds=(1 - self.tokens) / self.rate)


class Course:
    """How the posts of one account would leave one after the other, from a moment on."""

    def __init__(self, account: ChannelAccount, moment: datetime) -> None:
        bucket = bucket_of(account, moment)
        self._most = _pace(account).most
        self._tokens, self._rate, self._at = bucket.tokens, bucket.rate, moment
        self._opens = max(moment, account.blocked_until or moment)

    def leaves(self, due: datetime, late_after: datetime | None = None) -> datetime:
        """When a post due then gets its turn; asked in order of time, each takes its token. Whoever's
        turn comes too late takes none: it is missed before it is claimed."""
        at = max(due, self._opens, self._at)
        tokens = min(self._most, self._tokens + (at - self._at).total_seconds() * self._rate)
        if wait := Bucket(tokens, self._rate).wait:
            at, tokens = at + wait, 1.0
        if late_after is not None and at > late_after:
            return at
        self._tokens, self._at = tokens - 1, at
        return at


@dataclass(frozen=True)
class _Pace:
    """How many tokens may be saved up, and how many come in a second."""

    most: float
    rate: float


def _pace(account: ChannelAccount) -> _Pace:
    """Whatever window one looks at, what was saved up and what comes meanwhile stay within both
    limits."""
    per_minute = max(1, account.per_minute)
    most = max(1.0, per_minute / BURST_SHARE)
    rate = max(per_minute - most, per_minute / 2) / 60
    per_second = CHANNELS.get(account.channel).limits.per_second
    if not per_second or most + rate <= per_second:
        return _Pace(most, rate)
    most = max(1.0, per_second - per_minute / 60)
    rate = max(per_minute - most, per_minute / 2) / 60
    # One at a time keeps its distance by the rate alone; else both come in the same second.
    return _Pace(most, min(rate, per_second if most == 1 else per_second - most))


def bucket_of(account: ChannelAccount, moment: datetime) -> Bucket:
    """The account's bucket, filled up to the moment."""
    pace = _pace(account)
    if account.tokens_at is None:
        return Bucket(pace.most, pace.rate)
    if account.tokens_at - moment > SET_BACK:
        # Nothing would fill it until the old moment comes again: one may go, and counting starts anew.
        return Bucket(max(1.0, min(pace.most, account.tokens)), pace.rate)
    passed = max(0.0, (moment - account.tokens_at).total_seconds())
    return Bucket(min(pace.most, account.tokens + passed * pace.rate), pace.rate)


def is_open(account: ChannelAccount, moment: datetime) -> bool:
    """Whether the account is neither paused by a person nor told to wait by its carrier."""
    blocked = account.blocked_until is not None and account.blocked_until > moment
    return not account.is_paused and not blocked


def take(account_id: int) -> timedelta | None:
    """Take one token under the row's lock; otherwise tell how long to wait."""
    locked = select(ChannelAccount).where(ChannelAccount.id == account_id).with_for_update()
    account = session.scalars(locked.execution_options(populate_existing=True)).one()
    moment = now()
    if account.is_paused:
        return LONGEST_BACK_OFF
    if account.blocked_until and account.blocked_until > moment:
        return account.blocked_until - moment
    bucket = bucket_of(account, moment)
    if bucket.wait and rules.is_on("limits"):
        return bucket.wait
    account.tokens, account.tokens_at = bucket.tokens - 1, moment
    return None
