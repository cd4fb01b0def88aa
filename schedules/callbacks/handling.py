"""What a carrier's call leads to, whatever order calls, answers and our own receipts come in."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import or_, select
from sqlalchemy.exc import InterfaceError, OperationalError

from cms.core import events
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.i18n import N_
from cms.core.retention import forget
from schedules import polling
from schedules.callbacks import recognising
from schedules.callbacks.doors import siblings
from schedules.callbacks.events import CarrierTold
from schedules.channels import oa_mass, oa_publish
from schedules.channels.base import Progress, Standing
from schedules.models import CarrierCall, Publication
from schedules.states import PublicationState as State

log = structlog.get_logger(__name__)

GIVEN_UP = N_("The carrier told of a post that we do not know.")
BROKEN = N_("A call of the carrier could not be read. The log says why.")
WAITED_FOR = timedelta(days=1)
RECOGNISED_WITHIN = timedelta(minutes=30)  # a call names nothing new later on
KEPT_FOR = timedelta(days=30)  # after it was handled
LATELY = timedelta(days=60)  # what is older is known by its number, not by what its steps left
MOST_AT_ONCE = 200
# After these ages an unhandled call is looked at again; then once a quarter of an hour.
PATIENCE = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
QUARTER = 15 * 60

Reader = Callable[[Mapping[str, Any]], tuple[dict[str, str], Progress]]

# Our own receipt may still be on its way while a publication is in one of these.
UNSETTLED = frozenset({State.CLAIMED, State.SENDING, State.SCHEDULED})
MAY_BE_TOLD_OF = tuple(state for state in State if state is not State.PLANNED)
READERS: dict[str, Reader | None] = {
    "PUBLISHJOBFINISH": oa_publish.told,
    "MASSSENDJOBFINISH": oa_mass.told,
}


def handle(call_id: int) -> None:
    """Do what the call says, once. What it speaks of may not be known yet: then it waits."""
    try:
        _recognise(call_id)
        with transaction():
            call = _locked(call_id)
            if call is not None and _is_done(call):
                call.handled_at, call.fault = now(), ""
            elif call is not None and _is_over(call):
                _give_up(call, GIVEN_UP)
    except (OperationalError, InterfaceError):  # the database is away: the clock hints again
        raise
    except Exception:  # the door of one call
        log.exception("call_not_read", call=call_id)
        _note_broken(call_id)


def _recognise(call_id: int) -> None:
    """That something nobody knows the number of went live may be what a lost answer would have said."""
    call = session.get(CarrierCall, call_id, populate_existing=True)
    reader = READERS.get(call.kind) if call is not None and call.handled_at is None else None
    if call is None or reader is None or now() - call.received_at > RECOGNISED_WITHIN:
        return
    names, progress = reader(call.content)
    if progress.standing is Standing.LIVE and _spoken_of(call, names) is None:
        recognising.look_up(siblings(call.account), since=call.received_at - LATELY)


def _locked(call_id: int) -> CarrierCall | None:
    call = session.get(CarrierCall, call_id, with_for_update=True, populate_existing=True)
    return call if call is not None and call.handled_at is None else None


def _is_over(call: CarrierCall) -> bool:
    return now() - call.received_at > WAITED_FOR


def _note_broken(call_id: int) -> None:
    """A later version may read it; after a day it is not tried any more."""
    with transaction():
        call = _locked(call_id)
        if call is not None and _is_over(call):
            _give_up(call, BROKEN)
        elif call is not None:
            call.fault = BROKEN


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
    """Remove calls that were handled long ago: they speak of people. How many there were."""
    old = select(CarrierCall.id).where(CarrierCall.handled_at < now() - KEPT_FOR)
    return forget(old, CarrierCall.id)


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
    is_named = Publication.external_id.in_(known.values())
    ours = (
        select(Publication)
        .where(Publication.account_id.in_(siblings(call.account)))
        .order_by(Publication.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    lately = ours.where(
        Publication.state.in_(MAY_BE_TOLD_OF), Publication.due_at > call.received_at - LATELY
    )
    return session.scalar(lately.where(or_(is_named, *bears))) or session.scalar(
        ours.where(is_named)
    )


def _give_up(call: CarrierCall, why: str) -> None:
    """After a day nobody waits any more; the account's page shows it."""
    call.handled_at, call.fault = now(), why
    call.account.last_fault, call.account.fault_parts = why, {}
    call.account.last_fault_at = now()
    log.warning("call_given_up", call=call.id, account=call.account_id, kind=call.kind)
