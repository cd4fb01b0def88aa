"""Alerts: a cause of trouble opens one, however many posts it stops; it settles when the cause is gone."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, exists, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.i18n import N_
from cms.core.retention import forget
from schedules import alarm_causes, alert_routes
from schedules.alarm_causes import AlarmCause, worded
from schedules.models import Alert, AlertNotice, AlertRoute
from schedules.states import AlertState

GROUPING = timedelta(seconds=15)  # causes that open together are told together
FLAPPING = timedelta(minutes=10)  # a cause that returns within that time is the same one
FRESH = timedelta(minutes=1)  # how old `last_at` may become while nothing else changes
KEPT_FOR = timedelta(days=180)  # after its cause was gone
OVER = N_("It was over before it could be told.")


def refresh() -> None:
    """Open what is new, settle what is gone, and have each route told once. Many clocks may."""
    present = alarm_causes.present()
    known = {alert.cause: alert for alert in session.scalars(_open_ones()).all()}
    for key, cause in present.items():
        alert = known.get(key)
        if alert is None:
            _open(cause)
        elif _differs(alert, cause):
            _follow(alert.id, cause)
    gone = [alert.id for key, alert in known.items() if key not in present]
    if gone:
        _settle(gone)
    give_notices()


def forget_old() -> int:
    """Remove what was over long ago, with its notices; how many there were."""
    old = select(Alert.id).where(Alert.settled_at < now() - KEPT_FOR, Alert.open_cause.is_(None))
    return forget(old, AlertNotice.alert_id, Alert.id)


def latest() -> Select[Alert]:
    """Alerts, those still open first, then the newest, with their notices, for the caller to page."""
    return (
        select(Alert)
        .order_by(Alert.settled_at.is_not(None), Alert.first_at.desc(), Alert.id.desc())
        .options(selectinload(Alert.notices).joinedload(AlertNotice.route))
    )


def words(alert: Alert, say: Callable[[str], str]) -> str:
    """The alert in the language that `say` speaks."""
    return worded(alert.message, alert.params, say, alert.count)


def _open_ones() -> Select[Alert]:
    return select(Alert).where(Alert.open_cause.is_not(None))


def _differs(alert: Alert, cause: AlarmCause) -> bool:
    return (
        alert.count != cause.count
        or alert.message != cause.message
        or alert.params != dict(cause.params)
        or now() - alert.last_at > FRESH
    )


def _open(cause: AlarmCause) -> None:
    """One process wins, whoever else saw the cause at the same moment."""
    try:
        with transaction(), session.begin_nested():
            if not _reopen(cause):
                session.add(_new(cause))
    except IntegrityError:
        pass  # another clock was a moment earlier


def _reopen(cause: AlarmCause) -> bool:
    """A cause that flaps goes on with the alert it had, so that nobody is told twice; who was not told
    before it went away is told now."""
    lately = (
        select(Alert.id)
        .where(Alert.cause == cause.key, Alert.settled_at >= now() - FLAPPING)
        .order_by(Alert.id.desc())
        .limit(1)
    )
    found = session.scalar(lately)
    if found is None:
        return False
    done = session.execute(
        update(Alert)
        .where(Alert.id == found, Alert.open_cause.is_(None))
        .values(open_cause=cause.key, settled_at=None, last_at=now(), count=cause.count)
        .execution_options(synchronize_session=False)
    )
    if not (isinstance(done, CursorResult) and done.rowcount == 1):
        return False
    alert_routes.forget_given_up(AlertNotice.alert_id == found)
    return True


def _new(cause: AlarmCause) -> Alert:
    moment = now()
    return Alert(
        cause=cause.key,
        open_cause=cause.key,
        message=cause.message,
        params=dict(cause.params),
        path=cause.path,
        count=cause.count,
        first_at=moment,
        last_at=moment,
    )


def _follow(alert_id: int, cause: AlarmCause) -> None:
    """Its numbers grow in silence."""
    with transaction():
        alert = session.get(Alert, alert_id, populate_existing=True)
        if alert is None or alert.open_cause is None:
            return
        alert.count, alert.last_at = cause.count, now()
        alert.message, alert.params, alert.path = cause.message, dict(cause.params), cause.path


def _settle(alert_ids: list[int]) -> None:
    """What nobody has been told of yet need not be told any more."""
    moment = now()
    with transaction():
        session.execute(
            update(Alert)
            .where(Alert.id.in_(alert_ids), Alert.open_cause.is_not(None))
            .values(open_cause=None, settled_at=moment)
            .execution_options(synchronize_session=False)
        )
        waiting = (
            AlertNotice.alert_id.in_(alert_ids),
            AlertNotice.state == AlertState.WAITING,
        )
        session.execute(delete(AlertNotice).where(*waiting, AlertNotice.tries == 0))
        session.execute(
            update(AlertNotice)
            .where(*waiting)
            .values(state=AlertState.GIVEN_UP, fault=OVER)
            .execution_options(synchronize_session=False)
        )


def give_notices() -> None:
    """One notice for every open alert on every active route, whoever else gives them too."""
    given = exists().where(AlertNotice.alert_id == Alert.id, AlertNotice.route_id == AlertRoute.id)
    lacking = (
        select(Alert.id, AlertRoute.id)
        .select_from(Alert)
        .join(AlertRoute, AlertRoute.is_active.is_(True))
        .where(Alert.open_cause.is_not(None), ~given)
        .order_by(Alert.id)
    )
    for alert_id, route_id in session.execute(lacking).all():
        _give(alert_id, route_id, now() + GROUPING)


def _give(alert_id: int, route_id: int, at: datetime) -> None:
    try:
        with transaction(), session.begin_nested():
            session.add(AlertNotice(alert_id=alert_id, route_id=route_id, next_at=at))
    except IntegrityError:
        pass  # another clock gave it, or the route was removed this moment
