"""How fast an account may publish: a token bucket in its row, and how long to wait after an answer."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from sqlalchemy import select

from cms.core.clock import now
from cms.core.db import session
from schedules.models import ChannelAccount

SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(hours=6)
LONGEST_BACK_OFF = timedelta(minutes=5)
FIRST_BACK_OFF = timedelta(seconds=2)
BURST_SHARE = 6  # a sixth of a minute's tokens may be saved up
SET_BACK = timedelta(minutes=1)  # more than hosts' clocks differ: the clock itself went back


@dataclass(frozen=True)
class Bucket:
    """An account's tokens at one moment; in no minute more than `per_minute` can be taken."""

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
        self._most = _most_saved(account)
        self._tokens, self._rate, self._at = bucket.tokens, bucket.rate, moment
        self._opens = max(moment, account.blocked_until or moment)

    def leaves(self, due: datetime) -> datetime:
        """When a post due then gets its turn; asked in order of time, each takes its token."""
        at = max(due, self._opens, self._at)
        tokens = min(self._most, self._tokens + (at - self._at).total_seconds() * self._rate)
        if wait := Bucket(tokens, self._rate).wait:
            at, tokens = at + wait, 1.0
        self._tokens, self._at = tokens - 1, at
        return at


def _most_saved(account: ChannelAccount) -> float:
    return max(1.0, max(1, account.per_minute) / BURST_SHARE)


def bucket_of(account: ChannelAccount, moment: datetime) -> Bucket:
    """The account's bucket, filled up to the moment."""
    per_minute = max(1, account.per_minute)
    most = _most_saved(account)
    rate = max(per_minute - most, per_minute / 2) / 60
    if account.tokens_at is None:
        return Bucket(most, rate)
    if account.tokens_at - moment > SET_BACK:
        # Nothing would fill it until the old moment comes again: one may go, and counting starts anew.
        return Bucket(max(1.0, account.tokens), rate)
    passed = max(0.0, (moment - account.tokens_at).total_seconds())
    return Bucket(min(most, account.tokens + passed * rate), rate)


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
    if bucket.wait:
        return bucket.wait
    account.tokens, account.tokens_at = bucket.tokens - 1, moment
    return None


def clamped(wait: timedelta) -> timedelta:
    """A carrier's wish how long to wait, never below a second nor above six hours."""
    return max(SHORTEST_WAIT, min(LONGEST_WAIT, wait))


def retry_after(header: str | None) -> timedelta | None:
    """Read a Retry-After header, seconds or a date, clamped; None when it says nothing usable."""
    text = (header or "").strip()
    if not text:
        return None
    digits = text.lstrip("-+")
    if digits.isascii() and digits.isdigit():
        seconds = min(int(digits[:12]), LONGEST_WAIT.total_seconds())
        return clamped(timedelta(seconds=-seconds if text.startswith("-") else seconds))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return clamped((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now())


def back_off(tries: int) -> timedelta:
    """How long to wait before the next try: doubling, bounded, spread so that nobody marches."""
    doubled = min(FIRST_BACK_OFF * 2 ** min(tries, 16), LONGEST_BACK_OFF)
    return doubled * random.uniform(0.5, 1.0)  # noqa: S311 - spreading, not secrecy
