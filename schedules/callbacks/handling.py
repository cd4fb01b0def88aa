"""What a carrier's call leads to, whatever order calls, answers and our own receipts come in."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import delete, or_, select

from cms.core import events
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.i18n import N_
from schedules import polling
from schedules.callbacks.doors import siblings
from schedules.callbacks.events import CarrierTold
from schedules.channels import oa_mass, oa_publish
from schedules.channels.base import Progress, Standing
from schedules.models import CarrierCall, Publication
from schedules.states import PublicationState as State

log = structlog.get_logger(__name__)

GIVEN_UP = N_("The carrier told of a post that we do not know.")
WAITED_FOR = timedelta(days=1)
KEPT_FOR = timedelta(days=90)
MOST_AT_ONCE = 200
# After these ages an unhandled call is looked at again; then once a quarter of an hour.
PATIENCE = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
QUARTER = 15 * 60

# Our own receipt may still be on its way while a publication is in one of these.
UNSETTLED = frozenset({State.CLAIMED, State.SENDING, State.SCHEDULED})
READERS = {
    "PUBLISHJOBFINISH": oa_publish.told,
    "MASSSENDJOBFINISH": oa_mass.told,
}


def handle(call_id: int) -> None:
    """Do what the call says, once. What it speaks of may not be known yet: then it waits."""
    with transaction():
        call = session.get(CarrierCall, call_id, with_for_update=True, populate_existing=True)
        if call is None or call.handled_at is not None:
            return
        if _is_done(call):
            call.handled_at = now()
        elif now() - call.received_at > WAITED_FOR:
            _give_up(call)


def waiting() -> list[tuple[int, str]]:
    """Calls that nobody has handled, each with a key that changes when it is due to be tried again."""
    found = session.execute(
        select(CarrierCall.id, CarrierCall.received_at)
        .where(CarrierCall.handled_at.is_(None))
        .order_by(CarrierCall.id)
        .limit(MOST_AT_ONCE)
    )
    due = []
    for call_id, received_at in found:
        age = now() - received_at
        if age >= PATIENCE[0]:
            turn = sum(age >= step for step in PATIENCE)
            quarter = int(age.total_seconds() // QUARTER)
            due.append((call_id, f"call-{call_id}-{turn}-{quarter}"))
    return due


def forget_old() -> int:
    """Remove calls that were handled long ago: they speak of people."""
    with transaction():
        done = session.execute(
            delete(CarrierCall).where(
                CarrierCall.handled_at.is_not(None), CarrierCall.received_at < now() - KEPT_FOR
            )
        )
        return int(getattr(done, "rowcount", 0))


def _is_done(call: CarrierCall) -> bool:
    """Whether nothing more is to be done about it."""
    reader = READERS.get(call.kind)
    if reader is None:
        events.emit(CarrierTold(call.account_id, call.kind, dict(call.content)))
        return True
    names, progress = reader(call.content)
    publication = _spoken_of(call, names)
    if publication is None or not _is_settled(publication, progress):
        return False
    polling.apply(publication.id, progress)
    return True


def _is_settled(publication: Publication, progress: Progress) -> bool:
    """Whether the ledger knows enough to take the carrier's word; that it is live always helps."""
    if publication.state is State.UNCERTAIN:
        return progress.standing is Standing.LIVE
    return publication.state not in UNSETTLED


def _spoken_of(call: CarrierCall, names: Mapping[str, str]) -> Publication | None:
    """The publication that bears one of the carrier's names, in any account of the same app."""
    known = {name: value for name, value in names.items() if value}
    if not known:
        return None
    facts: Any = Publication.carrier_facts
    bears = [facts[name].as_string() == value for name, value in known.items()]
    found = (
        select(Publication)
        .where(Publication.account_id.in_(siblings(call.account)))
        .where(or_(Publication.external_id.in_(known.values()), *bears))
        .order_by(Publication.id.desc())
    )
    return session.scalar(found.limit(1).execution_options(populate_existing=True))


def _give_up(call: CarrierCall) -> None:
    """After a day nobody waits any more; the account's page shows it."""
    call.handled_at, call.fault = now(), GIVEN_UP
    call.account.last_fault, call.account.fault_parts = GIVEN_UP, {}
    call.account.last_fault_at = now()
    log.warning("call_given_up", call=call.id, account=call.account_id, kind=call.kind)
