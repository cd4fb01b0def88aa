"""Whether the post's account is able to send: open, with its secrets, its settings and its token."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from cms.core import sealing
from cms.core.config import current
from cms.core.db import session
from cms.core.errors import Problem
from cms.core.i18n import N_
from schedules import addressing
from schedules.channels import CHANNELS
from schedules.models import CarrierToken, ChannelAccount
from schedules.preflight.asking import WHEN_IT_LEAVES, Asked, Concern, Level, Question, Subject
from schedules.tokens import fitted
from schedules.warnings import Fix

RETIRED = N_("The account %(account)s has been retired. Move the post to another.")
PAUSED = N_("The account %(account)s is paused. The post waits until it is resumed.")
BLOCKED = N_(
    "The carrier takes nothing from the account %(account)s before %(until)s, and that is too late."
)
UNOPENABLE = N_("The secrets of the account %(account)s cannot be opened. Enter them again.")
INCOMPLETE = N_("The account %(account)s is not complete. It lacks: %(noun)s.")
TOKEN = N_(
    "The token of the account %(account)s ends on %(when)s and could not be renewed: %(fault)s"
)


@dataclass(frozen=True)
class _Health:
    """What holds for every post of one account."""

    concerns: tuple[Concern, ...] = ()
    token_ends: datetime | None = None  # of a token that could not be renewed
    token_fault: str = ""


Known = dict[int, _Health]


def _learn(subjects: Sequence[Subject], _asked: Asked) -> Known:
    accounts = {subject.account.id: subject.account for subject in subjects}
    # An account without secrets has no token either.
    failing = _failing_tokens() if any(one.sealed for one in accounts.values()) else []
    return {key: _health(account, failing) for key, account in accounts.items()}


def _failing_tokens() -> list[CarrierToken]:
    """Those whose last renewal failed: usually none."""
    found = select(CarrierToken).where(
        CarrierToken.last_fault != "",
        or_(CarrierToken.refreshing_until.is_(None), CarrierToken.sealed != ""),
    )
    return list(session.scalars(found))


def _health(account: ChannelAccount, failing: list[CarrierToken]) -> _Health:
    try:
        way = addressing.way_of(account)
    except sealing.Unopenable:
        return _Health((_told(account, "secret_unopenable", UNOPENABLE),))
    channel = CHANNELS.get(account.channel)
    lacking = [
        field.label
        for field in channel.fields
        if field.is_required
        and not field.default
        and not (way.secrets if field.is_secret else way.settings).get(field.name)
    ]
    if lacking:
        return _Health(
            tuple(_told(account, "account_incomplete", INCOMPLETE, noun=one) for one in lacking)
        )
    realm = fitted(channel.realm(way))
    token = next((one for one in failing if _is_within(one.realm, realm)), None)
    if token is None or token.expires_at is None:
        return _Health()
    return _Health(token_ends=token.expires_at, token_fault=token.last_fault)


def _is_within(token_realm: str, realm: str) -> bool:
    return token_realm == realm or token_realm.startswith(f"{realm}:")


def _ask(subject: Subject, known: Known) -> list[Concern]:
    account, health = subject.account, known[subject.account.id]
    found = list(health.concerns)
    if account.retired_at is not None:
        found.append(_told(account, "account_retired", RETIRED))
    elif account.is_paused:
        found.append(_told(account, "account_paused", PAUSED, level=Level.WARNS))
    until = account.blocked_until
    if until is not None and until > subject.late_after:
        found.append(_told(account, "account_blocked", BLOCKED, until=_words(until)))
    if health.token_ends and health.token_ends <= subject.at:
        told = {"when": _words(health.token_ends), "fault": health.token_fault}
        found.append(_told(account, "token_ends", TOKEN, level=Level.WARNS, **told))
    return found


def _told(
    account: ChannelAccount, code: str, words: str, *, level: Level = Level.BLOCKS, **params: str
) -> Concern:
    return Concern(Problem(code, words, {"account": account.name, **params}), level, Fix.ACCOUNT)


def _words(moment: datetime) -> str:
    return f"{moment.astimezone(current().zone):%Y-%m-%d %H:%M}"


QUESTION = Question("account", _ask, _learn, WHEN_IT_LEAVES)
