"""Whom a carrier asked and whom it reached, of one publication: counted, listed, confirmed by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _
from sqlalchemy import func, select

from cms.accounts.permissions import Permission
from cms.core.db import session
from cms.core.errors import invalid
from cms.core.i18n import N_
from cms.core.paging import page_number, paginate
from cms.web.guard import requires
from cms.web.today.views import bp
from schedules import publications
from schedules.confirmations import OPEN
from schedules.models import Delivery, EmployeeTask, Publication
from schedules.states import DeliveryState, HandOverState
from schedules.states import PublicationState as State

PER_PAGE = 50
EMPLOYEES_SHOWN = 200
DELIVERY_NAMES = {
    DeliveryState.WAITING: _("Not yet sent"),
    DeliveryState.SENDING: _("Under way"),
    DeliveryState.SENT: _("Reached"),
    DeliveryState.NOT_A_CONTACT: _("No contact any more"),
    DeliveryState.QUOTA_USED: _("Had their messages of the period"),
    DeliveryState.FAILED: _("Refused"),
    DeliveryState.UNCERTAIN: _("Nobody knows"),
}
TASK_NAMES = {
    HandOverState.WAITING: _("Not yet"),
    HandOverState.CONFIRMED: _("Has posted it"),
    HandOverState.DECLINED: _("Declined"),
    HandOverState.EXPIRED: _("Did not answer in time"),
}


@dataclass(frozen=True)
class People:
    """`tasks` those still waited for first; `reached` how many recipients stand where."""

    tasks: Sequence[EmployeeTask]
    confirmed: int
    asked: int
    reached: dict[DeliveryState, int]

    @property
    def recipients(self) -> int:
        return sum(self.reached.values())


def of(publication: Publication) -> People:
    tasks = _tasks(publication.id)
    counted = session.execute(
        select(Delivery.state, func.count())
        .where(Delivery.publication_id == publication.id)
        .group_by(Delivery.state)
    )
    found = {state: number for state, number in counted}
    return People(
        tasks=tasks,
        confirmed=publication.confirmed,
        asked=publication.expected,
        reached={state: found[state] for state in DeliveryState if state in found},
    )


def _tasks(publication_id: int) -> Sequence[EmployeeTask]:
    is_done = EmployeeTask.state == HandOverState.CONFIRMED
    rows = (
        select(EmployeeTask)
        .where(EmployeeTask.publication_id == publication_id)
        .order_by(is_done, EmployeeTask.employee)
        .limit(EMPLOYEES_SHOWN)
    )
    return session.scalars(rows).all()


@bp.get("/publications/<int:publication_id>/recipients")
@requires(Permission.CALENDAR_READ)
def recipients(publication_id: int) -> ResponseReturnValue:
    """Each recipient's fate; they bear the carrier's opaque names."""
    one = publications.get(publication_id)
    state = _state(request.args.get("state"))
    rows = select(Delivery).where(Delivery.publication_id == one.id).order_by(Delivery.id)
    page = paginate(
        rows.where(Delivery.state == state) if state else rows,
        number=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    return render_template(
        "today/recipients.html",
        publication=one,
        page=page,
        state=state,
        people=of(one),
        names=DELIVERY_NAMES,
    )


def _state(text: str | None) -> DeliveryState | None:
    if not text:
        return None
    if text not in set(DeliveryState):
        allowed = ", ".join(DeliveryState)
        raise invalid("state", "bad_filter", N_("Choose one of: %(allowed)s."), allowed=allowed)
    return DeliveryState(text)


def may_confirm(publication: Publication) -> bool:
    """Whether a person may say here that it is live: for an employee, or for the whole pool."""
    if publication.hand_overs:
        return False  # a pack has a page of its own for this
    has_open = any(task.state in OPEN for task in publication.employee_tasks)
    return publication.state is State.HANDED_OVER or (
        publication.state is State.PUBLISHED and has_open
    )
