"""Confirmations that a person enters for somebody else: per employee or for the whole pool, with proof."""

from sqlalchemy import select

from cms.accounts import audit
from cms.accounts.models import User
from cms.accounts.permissions import Permission, may
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound, conflict, forbidden, invalid
from cms.core.i18n import N_
from cms.core.text import check_length, clean_text, is_blank
from content_library.models import Media
from schedules import confirmations, handover, progress
from schedules.channels.base import Progress, Standing
from schedules.models import EmployeeTask, Publication
from schedules.states import HandOverState
from schedules.states import PublicationState as State

_LIVE = (State.HANDED_OVER, State.PUBLISHED)


def confirm_by_hand(
    publication: Publication,
    employee: str = "",
    *,
    by: User,
    note: str = "",
    proof: Media | None = None,
) -> None:
    """It is live: one employee has posted it, or, with no employee named, the whole pool has it.

    Saying so twice changes nothing. Raises Forbidden, NotFound for an employee nobody asked,
    Conflict when it is not with its carrier any more, Invalid `proof_missing`.
    """
    _check(publication, by)
    if not employee:
        handover.confirm_without_pack(publication, by=by, note=note, proof=proof)
        return
    task = _task(publication, employee)
    if task.state is HandOverState.CONFIRMED:
        return
    handover.check_proof(note, proof)
    task.confirmed_at, task.proof_media_id = now(), proof.id if proof else None
    _answer(task, HandOverState.CONFIRMED, by=by, note=note)


def decline_by_hand(publication: Publication, employee: str, *, by: User, reason: str) -> None:
    """This employee will not post it. When nobody is left, the publication has failed."""
    _check(publication, by)
    task = _task(publication, employee)
    if task.state is HandOverState.DECLINED:
        return
    if is_blank(reason):
        raise invalid("reason", "content_empty", N_("Say why, so that somebody can help."))
    if not confirmations.raises(HandOverState.DECLINED, task):
        raise conflict("already_confirmed", N_("This employee has posted it already."))
    _answer(task, HandOverState.DECLINED, by=by, note=reason)


def _check(publication: Publication, by: User) -> None:
    if not may(by.role, Permission.PUBLICATION_RESOLVE):
        raise forbidden("not_your_pack", N_("This pack was handed to somebody else."))
    session.refresh(publication, with_for_update={"of": Publication})
    if publication.state not in _LIVE:
        raise conflict("changed_meanwhile", N_("Somebody else was quicker. Look again."))


def _task(publication: Publication, employee: str) -> EmployeeTask:
    found = session.scalar(
        select(EmployeeTask).where(
            EmployeeTask.publication_id == publication.id, EmployeeTask.employee == employee
        )
    )
    if found is None:
        raise NotFound("employee")
    return found


def _answer(task: EmployeeTask, state: HandOverState, *, by: User, note: str) -> None:
    note = clean_text(note).strip()
    check_length("note", note, handover.NOTE_CHARACTERS)
    task.state, task.note, task.decided_by_id = state, note, by.id
    task.updated_at = now()
    session.flush()  # what follows is counted from the rows
    said = {"note": note} if note else {}
    audit.record(f"employee_task.{state.value}", task, by=by, employee=task.employee, **said)
    progress.apply(task.publication_id, Progress(Standing.UNKNOWN))
