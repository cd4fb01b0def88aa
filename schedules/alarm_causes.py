"""What is wrong now, in causes worth an alert: read off the ledger, the accounts and the health checks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select

from cms.core import beats, health, sentences
from cms.core.clock import now
from cms.core.db import session
from cms.core.i18n import N_
from cms.core.sentences import sentence
from schedules import account_health, advice, inbox, stops
from schedules.account_health import Health
from schedules.inbox import Trouble
from schedules.models import ChannelAccount, Publication
from schedules.states import PublicationState as State

OVERDUE = timedelta(seconds=60)
STARTING = timedelta(seconds=60)  # until then the workers of a machine just switched on may lack
_TOLD_BETTER = frozenset({"publishing"})  # its only fault is lateness, which has a cause of its own

POSTS = N_("%(trouble)s, %(account)s, posts: %(count)s. %(reason)s")
PAUSED = N_("The carrier refuses the account %(account)s, so it is paused. %(reason)s")
LATE = N_("Posts that should have left more than a minute ago: %(number)s.")
UNWELL = N_("%(check)s: %(finding)s")

NAMES: Mapping[Trouble, str] = {
    Trouble.UNCERTAIN: N_("Uncertain"),
    Trouble.EXPIRED: N_("Not confirmed"),
    Trouble.FAILED: N_("Failed"),
    Trouble.HELD: N_("Held"),
    Trouble.MISSED: N_("Missed"),
    Trouble.EXPIRING: N_("Little time left"),
    Trouble.WISH: N_("Stuck change"),
}


@dataclass(frozen=True)
class AlarmCause:
    """One thing to tell once. A parameter that is itself a sentence is a mapping with its parts."""

    key: str
    message: str
    path: str  # the page where it can be mended
    count: int = 1
    params: Mapping[str, Any] = field(default_factory=dict)


def present() -> dict[str, AlarmCause]:
    """Every cause there is now, by key."""
    found = [*_posts(), *_paused(), *_late(), *_unwell()]
    return {cause.key: cause for cause in found}


def worded(
    message: str, params: Mapping[str, Any], say: Callable[[str], str], count: int = 1
) -> str:
    """The whole sentence in the language that `say` speaks."""
    return sentences.worded(message, {"count": count, **params} if params else {}, say)


def _posts() -> Iterator[AlarmCause]:
    causes = inbox.causes()
    examples = inbox.examples(causes)
    for cause in causes:
        example = examples.get(cause.example_id)
        if example is None:  # dealt with between the two questions
            continue
        said = advice.of(cause.trouble, example)
        yield AlarmCause(
            key=cause.key,
            message=POSTS,
            path=f"/today/waiting?cause={cause.key}",
            count=cause.count,
            params={
                "trouble": sentence(NAMES[cause.trouble]),
                "account": example.account.name,
                "reason": sentence(said.happened, said.params),
            },
        )


def _paused() -> Iterator[AlarmCause]:
    """Paused by its carrier's refusal; what a person pauses needs no alarm."""
    paused = select(ChannelAccount).where(ChannelAccount.is_paused).order_by(ChannelAccount.id)
    accounts = list(session.scalars(paused))
    conditions = account_health.conditions(accounts)
    for account in accounts:
        found = conditions[account.id]
        if found.health is not Health.REFUSED:
            continue
        yield AlarmCause(
            key=f"paused-{account.id}",
            message=PAUSED,
            path=f"/settings/accounts/{account.id}",
            params={
                "account": account.name,
                "reason": dict(found.why_parts) or sentence(found.why),
            },
        )


def _late() -> Iterator[AlarmCause]:
    """What is overdue although its account may send: nobody stopped it, no carrier asked to wait."""
    moment = now()
    is_open = and_(
        ChannelAccount.is_paused.is_(False),
        or_(ChannelAccount.blocked_until.is_(None), ChannelAccount.blocked_until < moment),
    )
    number = session.scalar(
        select(func.count())
        .select_from(Publication)
        .join(Publication.account)
        .where(Publication.state == State.SCHEDULED, Publication.due_at < moment - OVERDUE)
        .where(is_open, stops.clear_of(Publication.account_id))
    )
    if number:
        yield AlarmCause("overdue", LATE, "/settings/health", number, {"number": number})


def _unwell() -> Iterator[AlarmCause]:
    told_otherwise = _TOLD_BETTER | ({"processes"} if _is_starting() else set())
    for slug, finding in health.examine().items():
        if finding.level is not health.Level.FAULT or slug in told_otherwise:
            continue
        check = health.CHECKS.get(slug)
        yield AlarmCause(
            key=f"health-{slug}",
            message=UNWELL,
            path="/settings/health",
            params={
                "check": sentence(check.label),
                "finding": sentence(finding.message, finding.params),
            },
        )


def _is_starting() -> bool:
    """Whether no clock has run for long: those who start beside it may need a moment more."""
    floor = now() - STARTING
    return all(beat.started_at > floor for beat in beats.alive() if beat.kind == "clock")
