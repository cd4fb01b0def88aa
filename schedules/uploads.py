"""Pictures at carriers: uploaded when needed, kept while they last, never shared between realms."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from cms.core.clock import now
from cms.core.db import give_back, session, transaction
from schedules.models import CarrierUpload

MARGIN = timedelta(hours=6)  # renewed that long before the carrier throws it away


@dataclass(frozen=True)
class Uploaded:
    """What the carrier calls it, and how long it keeps it; none: for good."""

    reference: str
    lives: timedelta | None = None


def reference(
    realm: str, sha256: str, purpose: str, upload: Callable[[], Uploaded], *, stale: str = ""
) -> str:
    """The carrier's name for our file, uploading it when it is unknown or nearly over.

    `upload` runs with no transaction open; two workers may both upload, the later one is kept.
    `stale` is a reference the carrier has just refused.
    """
    known = _known(realm, sha256, purpose)
    if known and known != stale:
        return known
    made = upload()
    _keep(realm, sha256, purpose, made)
    return made.reference


def _known(realm: str, sha256: str, purpose: str) -> str:
    row = session.execute(
        select(CarrierUpload.reference, CarrierUpload.expires_at).where(
            CarrierUpload.realm == realm,
            CarrierUpload.sha256 == sha256,
            CarrierUpload.purpose == purpose,
        )
    ).first()
    give_back()
    if row is None or (row.expires_at is not None and row.expires_at - MARGIN <= now()):
        return ""
    return str(row.reference)


def _keep(realm: str, sha256: str, purpose: str, made: Uploaded) -> None:
    moment = now()
    with transaction():
        row = session.scalar(
            select(CarrierUpload)
            .where(
                CarrierUpload.realm == realm,
                CarrierUpload.sha256 == sha256,
                CarrierUpload.purpose == purpose,
            )
            .with_for_update()
        )
        if row is None:
            row = CarrierUpload(realm=realm, sha256=sha256, purpose=purpose)
            session.add(row)
        row.reference, row.uploaded_at = made.reference, moment
        row.expires_at = moment + made.lives if made.lives else None
