"""Access tokens of carriers: one renewal serves all workers, ahead of the minute that needs it.

`version` is the fence: taking the lock, giving it back and forgetting each raise it, so whoever looked
before, or held the lock too long, finds that the row is no longer what it saw.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError

from cms.core import sealing
from cms.core.clock import now
from cms.core.db import give_back, session, transaction
from cms.core.errors import SeedbedError, TryAgain
from cms.core.i18n import N_
from schedules.models import CarrierToken

EARLY = timedelta(minutes=5)  # renewed that long before its end
SHARE = 4  # of a short life the last quarter
LOCK = timedelta(seconds=20)  # how long a renewer may take before another tries
POLL_SECONDS = 0.1
NEVER = -1  # the version of a row that does not exist
LONGEST_REALM = 160
GIVEN_BACK_AFTER = timedelta(seconds=30)
NOT_RENEWED = N_("Another worker is renewing the account's token; it was not ready in time.")
BROKE_OFF = N_("The renewal of the account's token broke off. The log says why.")
GIVEN_BACK = N_("The carrier gave out the token again that it had just refused.")


@dataclass(frozen=True)
class Fresh:
    """A token just fetched, and how long it lives."""

    token: str
    lives: timedelta


@dataclass(frozen=True)
class _Seen:
    """What the row said at one moment. `token` is empty when it may not be used any more."""

    version: int
    token: str = ""
    is_fresh: bool = False


def token(realm: str, fetch: Callable[[], Fresh], *, stale: str = "", patience: float = 8.0) -> str:
    """The realm's token. `fetch` is called by one worker only, with no transaction open.

    `stale` is a token the carrier has just refused: it is never handed out again. Raises TryAgain
    when another worker holds the lock longer than `patience` seconds; whatever `fetch` raises.
    While one worker renews a token ahead of its end, the others go on with it.
    """
    realm = fitted(realm)
    give_up = time.monotonic() + patience
    while True:
        seen = _look(realm, stale)
        if seen.is_fresh:
            return seen.token
        fence = _locked(realm, seen, stale)
        if fence is not None:
            made = _renewed(realm, fetch, fence=fence, stale=stale, good=seen.token)
            if made:
                return made
        elif seen.token:
            return seen.token
        if time.monotonic() >= give_up:
            raise TryAgain(NOT_RENEWED)
        time.sleep(POLL_SECONDS)


def expires_at(realm: str) -> datetime | None:
    """When the realm's token ends, or the first of those below it; None when there is none."""
    return session.scalar(select(func.min(CarrierToken.expires_at)).where(_within(realm)))


def forget(realm: str) -> None:
    """The credentials have changed: the next caller fetches a new one.

    It speaks of the realm and of those below it (`wecom:corp` and `wecom:corp:agent`). Whoever is
    renewing with the old credentials at this moment has its answer thrown away.
    """
    with transaction():
        session.execute(
            update(CarrierToken)
            .where(_within(realm))
            .values(
                sealed="",
                expires_at=None,
                refreshing_until=None,
                version=CarrierToken.version + 1,
                last_fault="",
            )
            .execution_options(synchronize_session=False)
        )


def fitted(realm: str) -> str:
    """The realm as the ledger can hold it: a long one keeps its beginning and gets a digest."""
    if len(realm) <= LONGEST_REALM:
        return realm
    return f"{realm[:90]}#{sha256(realm.encode()).hexdigest()}"


def _within(realm: str) -> ColumnElement[bool]:
    realm = fitted(realm)
    return or_(
        CarrierToken.realm == realm, CarrierToken.realm.startswith(f"{realm}:", autoescape=True)
    )


def _look(realm: str, stale: str) -> _Seen:
    """What is known; a token sealed with a key that is gone counts as none: it can be had anew."""
    columns = (
        CarrierToken.version,
        CarrierToken.sealed,
        CarrierToken.expires_at,
        CarrierToken.refreshed_at,
    )
    row = session.execute(select(*columns).where(CarrierToken.realm == realm)).first()
    give_back()
    if row is None:
        return _Seen(NEVER)
    try:
        found = sealing.unseal(row.sealed).get("token", "")
    except sealing.Unopenable:
        found = ""
    left = row.expires_at - now() if row.expires_at else timedelta(0)
    if not found or found == stale or left <= timedelta(0):
        return _Seen(row.version)
    lives = row.expires_at - row.refreshed_at if row.refreshed_at else EARLY * SHARE
    return _Seen(row.version, found, is_fresh=left > min(EARLY, lives / SHARE))


def _locked(realm: str, seen: _Seen, stale: str) -> int | None:
    """Take the lock if nobody holds it and nothing has changed since `seen`: the fence, or None."""
    if seen.version == NEVER:
        return _entered(realm)
    values: dict[str, object] = {"version": seen.version + 1}
    if stale and not seen.token:
        values |= {"sealed": "", "expires_at": None}  # nobody is to get it meanwhile
    moment = now()
    until = CarrierToken.refreshing_until
    # A lock far in the future is left from before the machine's clock went back.
    free = or_(until.is_(None), until < moment, until > moment + 2 * LOCK)
    with transaction():
        done = session.execute(
            update(CarrierToken)
            .where(CarrierToken.realm == realm, CarrierToken.version == seen.version, free)
            .values(refreshing_until=moment + LOCK, **values)
            .execution_options(synchronize_session=False)
        )
        is_ours = isinstance(done, CursorResult) and done.rowcount == 1
    return seen.version + 1 if is_ours else None


def _entered(realm: str) -> int | None:
    """The realm's first row; of several who write it at once, one does."""
    try:
        with transaction():
            first = {"realm": realm, "version": 0, "refreshing_until": now() + LOCK}
            session.execute(insert(CarrierToken).values(first))
    except IntegrityError:
        return None
    return 0


def _renewed(realm: str, fetch: Callable[[], Fresh], *, fence: int, stale: str, good: str) -> str:
    """Fetch and keep; "" when another took over meanwhile. However it ends, the lock is released.

    `good` is the token that still holds for a while, should the carrier be away just now.
    """
    asked_at, fault = now(), BROKE_OFF
    fresh: Fresh | None = None
    try:
        fresh = _fetched(fetch, stale)
    except SeedbedError as error:
        fault = str(error)
        if good and isinstance(error, TryAgain):
            return good
        raise
    finally:
        if fresh is None:
            _release(realm, fence, {"last_fault": fault[:300]})
    kept = {
        "sealed": sealing.seal({"token": fresh.token}),
        "expires_at": asked_at + fresh.lives,  # the carrier counts from before its answer came
        "refreshed_at": asked_at,
        "last_fault": "",
    }
    return fresh.token if _release(realm, fence, kept) else ""


def _fetched(fetch: Callable[[], Fresh], stale: str) -> Fresh:
    fresh = fetch()
    if stale and fresh.token == stale:
        raise TryAgain(GIVEN_BACK, GIVEN_BACK_AFTER)
    return fresh


def _release(realm: str, fence: int, values: dict[str, object]) -> bool:
    """Give the lock back together with what came of it; False when it was no longer ours."""
    with transaction():
        done = session.execute(
            update(CarrierToken)
            .where(CarrierToken.realm == realm, CarrierToken.version == fence)
            .values(refreshing_until=None, version=fence + 1, **values)
            .execution_options(synchronize_session=False)
        )
        return isinstance(done, CursorResult) and done.rowcount == 1
