"""Runs of the model: asking for one, taking it up once, and finding what it left."""

import secrets
from datetime import timedelta

from sqlalchemy import Select, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import joinedload

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound
from feedback.models import ModelRun, RunState

STUCK_AFTER = timedelta(minutes=20)
UNDECIDED = (RunState.WAITING, RunState.FITTING)


def get(run_id: int) -> ModelRun:
    """The run of that number; raises NotFound."""
    run = session.get(ModelRun, run_id)
    if run is None:
        raise NotFound("model run")
    return run


def newest_first() -> Select[ModelRun]:
    """All runs, for the caller to page."""
    return select(ModelRun).options(joinedload(ModelRun.requested_by)).order_by(ModelRun.id.desc())


def latest() -> ModelRun | None:
    """The newest run that was fitted to its end."""
    return session.scalar(
        select(ModelRun)
        .where(ModelRun.state == RunState.DONE)
        .order_by(ModelRun.fitted_at.desc(), ModelRun.id.desc())
        .limit(1)
    )


def pending() -> ModelRun | None:
    """A run that waits or is being fitted."""
    return session.scalar(
        select(ModelRun)
        .where(ModelRun.state.in_(UNDECIDED), ModelRun.fitted_at > now() - STUCK_AFTER)
        .order_by(ModelRun.id)
        .limit(1)
    )


def request(*, by: User | None) -> ModelRun:
    """Ask for a run; the one that is waiting already serves everybody who asks."""
    known = session.scalar(
        select(ModelRun).where(ModelRun.state == RunState.WAITING).order_by(ModelRun.id).limit(1)
    )
    if known is not None:
        return known
    moment = now()
    run = ModelRun(
        version=f"joint-{moment:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
        state=RunState.WAITING,
        fitted_at=moment,
        requested_by_id=by.id if by else None,
        deliveries=0,
        detail={},
    )
    session.add(run)
    session.flush()  # the job and the audit trail name the run by its id
    audit.record("model_run.requested", run, by=by)
    return run


def claim(run_id: int) -> bool:
    """Take the run up: true for exactly one of all who try, and again when that one has died."""
    free = or_(
        ModelRun.state == RunState.WAITING,
        (ModelRun.state == RunState.FITTING) & (ModelRun.fitted_at < now() - STUCK_AFTER),
    )
    claimed = session.execute(
        update(ModelRun)
        .where(ModelRun.id == run_id, free)
        .values(state=RunState.FITTING, fitted_at=now())
        .execution_options(synchronize_session=False)
    )
    return isinstance(claimed, CursorResult) and claimed.rowcount == 1


def waiting() -> list[int]:
    """Runs nobody has taken up, or whose worker has died."""
    stuck = (ModelRun.state == RunState.FITTING) & (ModelRun.fitted_at < now() - STUCK_AFTER)
    return list(
        session.scalars(
            select(ModelRun.id)
            .where(or_(ModelRun.state == RunState.WAITING, stuck))
            .order_by(ModelRun.id)
            .limit(5)
        )
    )
