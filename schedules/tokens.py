"""Access tokens of carriers: one renewal serves all workers, ahead of the minute that needs it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.engine import CursorResult

from cms.core import sealing
from cms.core.clock import now
from cms.core.db import give_back, session, transaction
from cms.core.errors import SeedbedError, TryAgain
from cms.core.i18n import N_
from schedules.models import CarrierToken

EARLY = timedelta(minutes=5)  # renewed that long before its end
LOCK = timedelta(seconds=20)  # how long a renewer may take before another tries
POLL_SECONDS = 0.1
NOT_RENEWED = N_("Another worker is renewing the account's token; it was not ready in time.")


@dataclass(frozen=True)
class Fresh:
    """A token just fetched, and how long it lives."""

    token: str
    lives: timedelta


def token(realm: str, fetch: Callable[[], Fresh], *, stale: str = "", patience: float = 8.0) -> str:
    """The realm's token. `fetch` is called by one worker only, with no transaction open.

    `stale` is a token the carrier has just refused: it is never handed out again. Raises TryAgain
    when another worker holds the lock longer than `patience` seconds; whatever `fetch` raises.
    """
    give_up = time.monotonic() + patience
    while True:
        known = _known(realm, stale)
        if known:
            return known
        if _locked(realm):
            return _renewed(realm, fetch)
        if time.monotonic() >= give_up:
            raise TryAgain(NOT_RENEWED)
        time.sleep(POLL_SECONDS)


def expires_at(realm: str) -> datetime | None:
    """When the realm's token ends; None when there is none."""
    return session.scalar(select(CarrierToken.expires_at).where(CarrierToken.realm == realm))


def forget(realm: str) -> None:
    """The credentials have changed: the next caller fetches a new one."""
    with transaction():
        session.execute(
            update(CarrierToken)
            .where(CarrierToken.realm == realm)
            .values(sealed="", expires_at=None)
        )


def _known(realm: str, stale: str) -> str:
    row = session.execute(
        select(CarrierToken.sealed, CarrierToken.expires_at).where(CarrierToken.realm == realm)
    ).first()
    give_back()
    if row is None or not row.sealed or row.expires_at is None or row.expires_at - EARLY <= now():
        return ""
    found = sealing.unseal(row.sealed).get("token", "")
    return "" if found == stale else found


def _locked(realm: str) -> bool:
    """Take the lock, if nobody holds it: one statement decides."""
    moment = now()
    with transaction():
        if session.get(CarrierToken, realm) is None:
            session.add(CarrierToken(realm=realm, refreshing_until=moment + LOCK))
            return True
        free = or_(CarrierToken.refreshing_until.is_(None), CarrierToken.refreshing_until < moment)
        done = session.execute(
            update(CarrierToken)
            .where(CarrierToken.realm == realm, free)
            .values(refreshing_until=moment + LOCK)
            .execution_options(synchronize_session=False)
        )
        return isinstance(done, CursorResult) and done.rowcount == 1


def _renewed(realm: str, fetch: Callable[[], Fresh]) -> str:
    try:
        fresh = fetch()
    except SeedbedError as error:
        _write(realm, {"refreshing_until": None, "last_fault": str(error)[:300]})
        raise
    moment = now()
    _write(
        realm,
        {
            "sealed": sealing.seal({"token": fresh.token}),
            "expires_at": moment + fresh.lives,
            "refreshing_until": None,
            "refreshed_at": moment,
            "version": CarrierToken.version + 1,
            "last_fault": "",
        },
    )
    return fresh.token


def _write(realm: str, values: dict[str, object]) -> None:
    with transaction():
        session.execute(
            update(CarrierToken)
            .where(CarrierToken.realm == realm)
            .values(values)
            .execution_options(synchronize_session=False)
        )
