"""The failure inbox: what needs somebody, by cause; decided one by one, by selection, or by group."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from audience.models import Pool
from cms.accounts.permissions import Permission
from cms.core.db import session
from cms.core.errors import Invalid, Problem, invalid
from cms.core.i18n import N_
from cms.core.paging import Page, page_number, paginate
from cms.web.forms import say, takes
from cms.web.frame import settings
from cms.web.guard import actor, requires
from cms.web.numbers import row_number
from cms.web.today.views import bp
from schedules import advice, batches, decisions, inbox, reminders, wall_time, wishes
from schedules.advice import Action
from schedules.batches import Report
from schedules.decisions import Seen
from schedules.inbox import Cause, Trouble, Wanted
from schedules.models import ChannelAccount, Publication

CAUSES_SHOWN = 12
EACH_SHOWN = 10
PER_PAGE = 50
MOST_OFFERED = 500
_UNKNOWN = N_("Choose one of those offered.")
_DEEDS: Mapping[Action, Callable[..., object]] = {
    Action.RETRY: decisions.publish_now,
    Action.LIVE: decisions.say_live,
    Action.AGAIN: partial(decisions.resolve_uncertain, answer="again"),
    Action.ABSENT: decisions.say_absent,
    Action.REMIND: reminders.ask,
    Action.TAKE_BACK: wishes.ask_withdrawal,
    Action.DROP: decisions.drop,
}


@bp.get("/waiting")
@requires(Permission.CALENDAR_READ)
def waiting() -> ResponseReturnValue:
    return _shown()


@dataclass(frozen=True)
class Kept:
    """What was chosen and typed when something was amiss, to be put back where it stood."""

    rows: frozenset[str]
    whole: str
    day: str
    time: str
    faults: Mapping[str, str]

    def is_of(self, group: inbox.Gathered) -> bool:
        """A form sends the ticks of one group."""
        return group.cause.key == self.whole or any(_seen(one) in self.rows for one in group.rows)


def _kept(error: Invalid) -> Kept:
    given = request.form
    return Kept(
        rows=frozenset(given.getlist("row")),
        whole=given.get("whole", ""),
        day=given.get("day", ""),
        time=given.get("time", ""),
        faults={name: say(problem) for name, problem in error.fields.items()},
    )


def _shown(kept: Kept | None = None) -> str:
    wanted = _wanted()
    everything = inbox.causes(replace(wanted, trouble=None, key=""))
    found = [one for one in everything if _is_wanted(one, wanted)]
    page: Page[Any]
    if wanted.key and found:
        page = paginate(inbox.of_cause(found[0], wanted), number=_number(), per_page=PER_PAGE)
        groups = [inbox.Gathered(found[0], page.rows)]
    else:
        page = _page_of(found)
        groups = inbox.gathered(page.rows, wanted, each=EACH_SHOWN)
    groups = [group for group in groups if group.rows]
    each = advice.actions_of(groups)
    return render_template(
        "today/waiting.html",
        page=page,
        groups=[_drawn(group, each, kept) for group in groups],
        counts=inbox.by_trouble(everything),
        wanted=wanted,
        keep=_keep(),
        accounts=_offered(ChannelAccount),
        pools=_offered(Pool),
        seen=_seen,
    )


@bp.post("/waiting/decide")
@requires(Permission.PUBLICATION_RESOLVE)
@takes("row", "whole", "do", "sure", "day", "time")
def decide() -> ResponseReturnValue:
    """Do one thing to everything chosen; the answer tells what was done, what was not, and why."""
    action = _action(request.form.get("do", ""))
    chosen, remaining = _chosen()
    if not chosen:
        flash(_("Choose at least one post first."), "warning")
        return redirect(url_for("today.waiting", **_keep()))
    if action is Action.AGAIN and request.form.get("sure") != "yes":
        return _are_you_sure(chosen, remaining)
    try:
        deed = _deed(action)
    except Invalid as error:
        return _shown(_kept(error)), 422
    report = batches.each(chosen, deed)
    return render_template(
        "today/decided.html",
        report=report,
        named=_named(report),
        say=say,
        action=action,
        remaining=remaining,
        back=url_for("today.waiting", **_keep()),
    )


def _deed(action: Action) -> Callable[[Publication], Problem | None]:
    """What is done to each row. Times are read before the first row is touched."""
    by = actor()
    if action is Action.MOVE:
        on, at = _when()
        return lambda publication: decisions.move(publication, on=on, at=at, by=by)

    def act(publication: Publication) -> None:
        _DEEDS[action](publication, by=by)

    return act


def _are_you_sure(chosen: list[Seen], remaining: int) -> ResponseReturnValue:
    rows = _rows([one.publication_id for one in chosen])
    return render_template(
        "today/sure.html",
        chosen=[
            (written(one), rows[one.publication_id]) for one in chosen if one.publication_id in rows
        ],
        remaining=remaining,
        keep=_keep(),
    )


# --- what was asked for


def _wanted() -> Wanted:
    """The filters of the address; raises Invalid for what is not offered."""
    since, until = _day(request.args.get("day", ""))
    return Wanted(
        trouble=_trouble(request.args.get("state", "")),
        account_id=_id("account"),
        pool_id=_id("pool"),
        since=since,
        until=until,
        key=request.args.get("cause", "")[:160],
    )


def _is_wanted(cause: Cause, wanted: Wanted) -> bool:
    return wanted.trouble in (None, cause.trouble) and wanted.key in ("", cause.key)


def _keep() -> dict[str, Any]:
    """The filters as they go on to the next address."""
    names = ("state", "account", "pool", "day", "cause")
    return {name: request.args[name] for name in names if request.args.get(name)}


def _trouble(text: str) -> Trouble | None:
    if not text:
        return None
    if text not in set(Trouble):
        allowed = ", ".join(Trouble)
        raise invalid("state", "bad_filter", N_("Choose one of: %(allowed)s."), allowed=allowed)
    return Trouble(text)


def _id(name: str) -> int | None:
    text = request.args.get(name, "")
    if not text:
        return None
    number = row_number(text)
    if number is None:
        raise invalid(name, "bad_filter", _UNKNOWN)
    return number


def _day(text: str) -> tuple[datetime | None, datetime | None]:
    """A day of the workspace, as the two instants it lies between."""
    if not text:
        return None, None
    on = wall_time.parse_date(text, "day")
    start = datetime.combine(on, time(), tzinfo=settings().zone)
    return start, datetime.combine(on + timedelta(days=1), time(), tzinfo=settings().zone)


def _number() -> int:
    return page_number(request.args.get("page"))


def _action(text: str) -> Action:
    if text not in set(Action):
        raise invalid("do", "bad_choice", _UNKNOWN)
    return Action(text)


def _when() -> tuple[date, time | None]:
    at = request.form.get("time", "")
    on = wall_time.parse_date(request.form.get("day", ""), "day")
    return on, wall_time.parse_time(at, "time") if at else None


def _chosen() -> tuple[list[Seen], int]:
    """The ticked rows as they were shown, and every row of a group ticked whole; and how many of
    such a group must wait for the next press."""
    chosen = {one.publication_id: one for one in map(_read, request.form.getlist("row"))}
    key = request.form.get("whole", "")
    remaining = 0
    if key:
        wanted = replace(_wanted(), key=key)
        for cause in inbox.causes(wanted):
            rows = session.scalars(inbox.of_cause(cause, wanted).limit(batches.MOST)).unique().all()
            chosen |= {one.id: Seen.of(one) for one in rows if one.id not in chosen}
            remaining += cause.count - len(rows)
    if len(chosen) > batches.MOST:
        raise invalid(
            "row",
            "too_many",
            N_("At most %(most)s posts at once. Choose fewer."),
            most=batches.MOST,
        )
    return list(chosen.values()), remaining


def _read(text: str) -> Seen:
    number, _sep, rest = text[:80].partition(":")
    state, _sep, fence = rest.partition(":")
    publication_id, claim = row_number(number), row_number(fence)
    if publication_id is None or claim is None:
        raise invalid("row", "bad_choice", _UNKNOWN)
    return Seen(publication_id, state, claim)


def written(seen: Seen) -> str:
    return f"{seen.publication_id}:{seen.state}:{seen.fence}"


def _seen(publication: Publication) -> str:
    """A row as its checkbox remembers it."""
    return written(Seen.of(publication))


def read_seen(text: str, publication: Publication) -> None:
    """For a single button: raise Conflict when the row is not any more what its page showed."""
    if text:
        decisions.check_seen(publication, _read(text))


# --- what is drawn


@dataclass(frozen=True)
class Drawn:
    """A cause as the page shows it."""

    cause: Cause
    rows: list[Publication]
    account: ChannelAccount
    advice: advice.Advice
    actions: tuple[Action, ...]  # what at least one of them would hear
    each: Mapping[int, tuple[Action, ...]]
    kept: Kept | None


def _drawn(
    group: inbox.Gathered, each: Mapping[int, tuple[Action, ...]], kept: Kept | None
) -> Drawn:
    first = group.rows[0]
    heard = {action for one in group.rows for action in each[one.id]}
    return Drawn(
        cause=group.cause,
        rows=group.rows,
        account=first.account,
        advice=advice.of(group.cause.trouble, first, can_move=Action.MOVE in each[first.id]),
        actions=tuple(action for action in Action if action in heard),
        each=each,
        kept=kept if kept and kept.is_of(group) else None,
    )


def _page_of(found: list[Cause]) -> Page[Cause]:
    number = _number()
    start = (number - 1) * CAUSES_SHOWN
    return Page(found[start : start + CAUSES_SHOWN], number, CAUSES_SHOWN, len(found))


def _offered(model: Any) -> list[Any]:
    return list(session.scalars(select(model).order_by(model.name, model.id).limit(MOST_OFFERED)))


def _rows(ids: list[int]) -> dict[int, Publication]:
    found = session.scalars(inbox.by_ids(ids)).unique()
    return {one.id: one for one in found}


def _named(report: Report) -> dict[int, Publication]:
    """Titles for whatever the report has something to say about."""
    return _rows([one.publication_id for one in (*report.left, *report.notes)])
