"""Telling alerts: what waits for a route leaves as one letter or as signed calls, until it is out."""

import hashlib
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import joinedload

from cms.core import mail, sealing, signing
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session, transaction
from cms.core.errors import Refused, TryAgain
from cms.core.i18n import N_, said_in
from cms.core.mail import BadLetter, Letter, NotSent, Unanswered
from cms.core.text import clean_line
from schedules import alert_routes, alerts, limits
from schedules.channels.calling import Line, Reply, Silent
from schedules.models import AlertNotice, AlertRoute
from schedules.states import AlertState, RouteKind

log = structlog.get_logger(__name__)

CALL_SECONDS = 15.0
LEASE = timedelta(minutes=2)  # past it, whoever took a notice has died with it
MOST_AT_ONCE = 50
WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 28800)
)  # then it is given up: a day has passed
SLOW_DOWN = frozenset({429, 502, 503, 504})
GONE = N_("The receiver says that it wants no more of these (410). It has been paused.")

ONE = N_("Somebody is needed: %(what)s")
MANY = N_("Somebody is needed for %(number)s things")
FOOT = N_(
    "You are told once of each cause, however many posts it stops. It counts as over when nothing of it is left."
)
TEST = N_("A test of the alerts: it arrived.")


@dataclass(frozen=True)
class Told:
    """One alert on its way, as it stood when it was taken up."""

    notice_id: int
    tries: int
    cause: str
    words: str
    count: int
    page: str
    first_at: datetime


@dataclass(frozen=True)
class Verdict:
    """What became of one try. `is_final`: trying again would change nothing."""

    is_told: bool
    fault: str = ""
    after: timedelta | None = None
    is_final: bool = False
    pauses_route: bool = False


def tell(route_id: int) -> None:
    """Tell a route everything that waits for it. Safe to run twice, and side by side."""
    began = time.monotonic()
    taken = _take(route_id)
    if not taken:
        return
    route = session.get(AlertRoute, route_id)
    if route is None:
        return
    if route.kind is RouteKind.EMAIL:
        verdict = _mailed(route, taken)
        for one in taken:
            _record(one, route_id, verdict)
        return
    _call_each(route, taken, until=began + LEASE.total_seconds())


def _call_each(route: AlertRoute, taken: Sequence[Told], *, until: float) -> None:
    """One after the other, while the next call would end before another process may take them."""
    route_id = route.id
    for number, one in enumerate(taken):
        if number and time.monotonic() + CALL_SECONDS > until:
            _hand_back(taken[number:])
            return
        verdict = _called(route, one)
        _record(one, route_id, verdict)
        if verdict.pauses_route:
            return  # what else waited was forgotten with the pause


def due() -> list[tuple[int, datetime]]:
    """The routes for which something waits, with the moment since when."""
    rows = session.execute(
        select(AlertNotice.route_id, AlertNotice.next_at)
        .join(AlertNotice.route)
        .where(AlertNotice.state == AlertState.WAITING, AlertNotice.next_at <= now())
        .where(AlertRoute.is_active)
        .order_by(AlertNotice.next_at)
    )
    first: dict[int, datetime] = {}
    for route_id, at in rows:
        first.setdefault(route_id, at)
    return list(first.items())


def try_out(route: AlertRoute) -> str:
    """Send a test that says it is one: "" when it was taken, else why not, for translation.

    It calls out, so no transaction may be open.
    """
    say = partial(said_in, route.lang)
    test = Told(0, 0, "test", say(TEST), 1, f"{current().base_url}/settings/alerts", now())
    if route.kind is RouteKind.EMAIL:
        verdict = _mailed(route, [test])
    else:
        verdict = _called(route, test, kind="alert.test")
    with transaction():
        kept = session.get(AlertRoute, route.id)
        if kept is not None:
            kept.last_fault = verdict.fault[:300]
            kept.last_told_at = now() if verdict.is_told else kept.last_told_at
    return "" if verdict.is_told else verdict.fault


# --- taking and recording


def _take(route_id: int) -> list[Told]:
    """Whatever is due, and what opened so shortly before that one letter tells it all."""
    moment = now()
    with transaction():
        rows = session.scalars(
            select(AlertNotice)
            .where(AlertNotice.route_id == route_id, AlertNotice.state == AlertState.WAITING)
            .where(or_(AlertNotice.next_at <= moment, AlertNotice.tries == 0))
            .where(AlertNotice.next_at <= moment + alerts.GROUPING)
            .order_by(AlertNotice.id)
            .limit(MOST_AT_ONCE)
            .options(joinedload(AlertNotice.alert), joinedload(AlertNotice.route))
        ).all()
        if not any(row.next_at <= moment for row in rows):
            return []
        return [_told(row) for row in rows if row.route.is_active and _is_mine(row, moment)]


def _is_mine(row: AlertNotice, moment: datetime) -> bool:
    done = session.execute(
        update(AlertNotice)
        .where(AlertNotice.id == row.id, AlertNotice.state == AlertState.WAITING)
        .where(AlertNotice.tries == row.tries, AlertNotice.next_at == row.next_at)
        .values(tries=row.tries + 1, next_at=moment + LEASE)
        .execution_options(synchronize_session=False)
    )
    return isinstance(done, CursorResult) and done.rowcount == 1


def _hand_back(untried: Sequence[Told]) -> None:
    """For the next turn, and without a try used up: nobody was called about them."""
    with transaction():
        for one in untried:
            session.execute(
                update(AlertNotice)
                .where(AlertNotice.id == one.notice_id, AlertNotice.tries == one.tries)
                .where(AlertNotice.state == AlertState.WAITING)
                .values(tries=one.tries - 1, next_at=now())
                .execution_options(synchronize_session=False)
            )


def _told(row: AlertNotice) -> Told:
    alert = row.alert
    return Told(
        notice_id=row.id,
        tries=row.tries + 1,
        cause=alert.cause,
        words=alerts.words(alert, partial(said_in, row.route.lang)),
        count=alert.count,
        page=current().base_url + alert.path,
        first_at=alert.first_at,
    )


def _record(one: Told, route_id: int, verdict: Verdict) -> None:
    with transaction():
        notice = session.get(AlertNotice, one.notice_id)
        route = session.get(AlertRoute, route_id)
        if route is None:
            return
        route.last_fault = verdict.fault[:300]
        if verdict.is_told:
            route.last_told_at = now()
        # One given up meanwhile, because its cause went away, has been told all the same.
        is_news = verdict.is_told or (notice is not None and notice.state is AlertState.WAITING)
        if notice is not None and is_news and _is_about(notice, one, route_id):
            _settle(notice, one, verdict)
        if verdict.pauses_route:
            alert_routes.pause(route, by=None, reason=verdict.fault)
    log.info("alert_told", route=route_id, notice=one.notice_id, fault=verdict.fault)


def _is_about(notice: AlertNotice, one: Told, route_id: int) -> bool:
    """Its number may belong to another by now: the one taken up was forgotten, this one given since."""
    return notice.route_id == route_id and notice.alert.cause == one.cause


def _settle(notice: AlertNotice, one: Told, verdict: Verdict) -> None:
    notice.fault = verdict.fault[:300]
    if verdict.is_told:
        notice.state, notice.told_at = AlertState.TOLD, now()
    elif verdict.is_final or verdict.pauses_route or one.tries > len(WAITS):
        notice.state = AlertState.GIVEN_UP
    else:
        wait = WAITS[one.tries - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - spreading only
        notice.next_at = now() + max(wait, verdict.after or timedelta(0))


# --- by letter


def _mailed(route: AlertRoute, told: Sequence[Told]) -> Verdict:
    letter = letter_of(route.address, told, partial(said_in, route.lang))
    try:
        sent = mail.send(letter)
    except (NotSent, Unanswered) as error:
        return Verdict(False, error.reason)
    except mail.Refused as error:
        return Verdict(False, error.said, is_final=not error.is_login)
    except BadLetter as error:
        return Verdict(False, str(error), is_final=True)
    for refusal in sent.refused:
        return Verdict(False, refusal.said, is_final=refusal.is_final)
    return Verdict(True)


def letter_of(address: str, told: Sequence[Told], say: Callable[..., str]) -> Letter:
    """One letter for all of it. Its id is the same when the same things are told again."""
    first = clean_line(told[0].words)[:120]
    subject = say(ONE, what=first) if len(told) == 1 else say(MANY, number=len(told))
    parts = [f"{one.words}\n{one.page}" for one in told]
    names = ",".join(_name(one) for one in told)
    return Letter(
        to=(address,),
        subject=subject,
        text="\n\n".join([*parts, say(FOOT)]) + "\n",
        id=f"alert-{_digest(f'{address} {names}')}" if told[0].notice_id else "",
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )


# --- by webhook


def _called(route: AlertRoute, one: Told, *, kind: str = "alert.opened") -> Verdict:
    body = _body(one, kind)
    try:
        secrets = alert_routes.secrets_of(route)
    except sealing.Unopenable as error:
        return Verdict(False, str(error), is_final=True)
    name = f"msg_{_digest(f'{route.id} {_name(one)}' if one.notice_id else now().isoformat())}"
    headers = {"Content-Type": "application/json"} | signing.headers(secrets, name, body)
    parts = urlsplit(route.address)
    line = Line(f"{parts.scheme}://{parts.netloc}", hush=tuple(secrets), seconds=CALL_SECONDS)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        return _answered(line.call("POST", path, headers=headers, body=body))
    except (TryAgain, Silent) as error:
        return Verdict(False, str(error))
    except Refused as error:
        return Verdict(False, str(error), is_final=True)


def _body(one: Told, kind: str) -> bytes:
    said: dict[str, Any] = {
        "type": kind,
        "timestamp": one.first_at.isoformat(),
        "data": {
            "cause": one.cause,
            "message": one.words,
            "count": one.count,
            "page": one.page,
        },
    }
    return json.dumps(said, ensure_ascii=False).encode()


def _answered(reply: Reply) -> Verdict:
    if 200 <= reply.status < 300:
        return Verdict(True)
    if reply.status == 410:
        return Verdict(False, GONE, pauses_route=True)
    after = None
    if reply.status in SLOW_DOWN:
        after = limits.retry_after(reply.headers.get("retry-after"))
    return Verdict(False, f"HTTP {reply.status}", after=after)


def _name(one: Told) -> str:
    """The same whenever it is told; the number of a notice given anew may be that of another before."""
    return f"{one.cause} {one.first_at.isoformat()}"


def _digest(text: str) -> str:
    """Names that no other installation gives to its own alerts."""
    return hashlib.sha256(f"{current().base_url} {text}".encode()).hexdigest()[:24]
