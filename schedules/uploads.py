"""Pictures at carriers: uploaded when needed, kept while they last, never shared between realms."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.exc import IntegrityError

from cms.core.clock import now
from cms.core.db import give_back, session, transaction
from schedules.models import CarrierUpload
from schedules.tokens import fitted

MARGIN = timedelta(hours=6)  # renewed that long before the carrier throws it away
SHARE = 4  # of a short life the last quarter


@dataclass(frozen=True)
class Uploaded:
    """What the carrier calls it, and how long it keeps it; none: for good."""

    reference: str
    lives: timedelta | None = None


@dataclass(frozen=True)
class _Place:
    """One file at one carrier for one purpose."""

    realm: str
    sha256: str
    purpose: str

    def here(self) -> tuple[ColumnElement[bool], ...]:
        return (
            CarrierUpload.realm == self.realm,
            CarrierUpload.sha256 == self.sha256,
            CarrierUpload.purpose == self.purpose,
        )


def reference(
    realm: str, sha256: str, purpose: str, upload: Callable[[], Uploaded], *, stale: str = ""
) -> str:
    """The carrier's name for our file, uploading it when it is unknown or nearly over.

    `upload` runs with no transaction open; two workers may both upload, the later one is kept.
    `stale` is a reference the carrier has just refused: nobody is given it again.
    """
    place = _Place(fitted(realm), sha256, purpose)
    known = _known(place)
    if known and known != stale:
        return known
    if known:
        _drop(place, stale)
    asked_at = now()
    made = upload()
    _keep(place, made, asked_at)
    return made.reference


def held(realm: str) -> int:
    """How many of the realm's uploads the carrier still keeps for us."""
    lasting = or_(CarrierUpload.expires_at.is_(None), CarrierUpload.expires_at > now())
    found = select(func.count()).where(CarrierUpload.realm == fitted(realm), lasting)
    return session.scalar(found) or 0


def _known(place: _Place) -> str:
    columns = (CarrierUpload.reference, CarrierUpload.uploaded_at, CarrierUpload.expires_at)
    row = session.execute(select(*columns).where(*place.here())).first()
    give_back()
    if row is None:
        return ""
    if row.expires_at is not None:
        margin = min(MARGIN, (row.expires_at - row.uploaded_at) / SHARE)
        if row.expires_at - margin <= now():
            return ""
    return str(row.reference)


def _drop(place: _Place, stale: str) -> None:
    with transaction():
        session.execute(
            delete(CarrierUpload)
            .where(*place.here(), CarrierUpload.reference == stale)
            .execution_options(synchronize_session=False)
        )


def _keep(place: _Place, made: Uploaded, asked_at: datetime) -> None:
    """Write it down; of two workers that write the first row at once, the second changes it."""
    try:
        _write(place, made, asked_at)
    except IntegrityError:
        _write(place, made, asked_at)


def _write(place: _Place, made: Uploaded, asked_at: datetime) -> None:
    with transaction():
        row = session.scalar(
            select(CarrierUpload)
            .where(*place.here())
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if row is None:
            row = CarrierUpload(realm=place.realm, sha256=place.sha256, purpose=place.purpose)
            session.add(row)
        row.reference, row.uploaded_at = made.reference, asked_at
        # The carrier counts from before its answer came.
        row.expires_at = asked_at + made.lives if made.lives else None
