"""Campaign parameters (UTM): the rules, one for a channel or for all others, and putting them on an address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from sqlalchemy import ColumnElement, and_, or_, select

from audience.models import Pool, Stage
from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session
from cms.core.errors import Invalid, NotFound, Problem, invalid
from cms.core.i18n import N_
from cms.core.text import clean_line
from schedules.channels import CHANNELS
from schedules.models import ChannelAccount, Post, Publication, TrackedLink, UtmRule

OTHERS = ""  # the channel of the rule for all that have none of their own
NAMES = ("source", "medium", "campaign")
PLACES = ("channel", "pool", "stage", "week", "asset")
LONGEST = 120
SAMPLE_URL = "https://example.com/course?lesson=1"
_PLACE = re.compile(r"\{([^{}]*)\}")

BAD_PLACE = N_("There is no {%(name)s}. These can be filled in: %(known)s.")
STRAY_BRACE = N_("A brace stands alone. Write places like {pool}.")
TOO_LONG = N_("At most %(limit)s characters.")
NO_CHANNEL = N_("Choose one of the channels offered.")


@dataclass(frozen=True)
class Facts:
    """What fills the places of a rule."""

    channel: str
    pool: str
    stage: str
    week: str
    asset: str


@dataclass(frozen=True)
class UtmFields:
    """What a person says in a rule."""

    channel: str = OTHERS
    source: str = ""
    medium: str = ""
    campaign: str = ""
    is_active: bool = True


# --- finders


def rules() -> list[UtmRule]:
    """All of them; the one for all other channels comes first."""
    return list(session.scalars(select(UtmRule).order_by(UtmRule.channel)))


def get(rule_id: int) -> UtmRule:
    """The rule of that number; raises NotFound."""
    found = session.get(UtmRule, rule_id)
    if found is None:
        raise NotFound("rule")
    return found


def of_channel(channel: str) -> UtmRule | None:
    return session.scalar(select(UtmRule).where(UtmRule.channel == channel))


def address_of(link: TrackedLink) -> str:
    """Where a link to the outside leads, with what the rule of its channel adds; one query."""
    row = session.execute(
        select(
            ChannelAccount.channel,
            Pool.slug.label("pool"),
            Stage.slug.label("stage"),
            Post.wall_date,
            Post.asset_id,
            *(getattr(UtmRule, name) for name in NAMES),
        )
        .select_from(Publication)
        .join(ChannelAccount, ChannelAccount.id == Publication.account_id)
        .join(Pool, Pool.id == Publication.pool_id)
        .join(Stage, Stage.id == Pool.stage_id)
        .join(Post, Post.id == Publication.post_id)
        .join(UtmRule, _applies())
        .where(Publication.id == link.publication_id)
        .order_by(UtmRule.channel.desc())  # a channel's own rule before the one for all others
        .limit(1)
    ).first()
    if row is None:
        return link.target
    facts = Facts(row.channel, row.pool, row.stage, week_of(row.wall_date), str(row.asset_id))
    return tagged(link.target, {name: getattr(row, name) for name in NAMES}, facts)


def _applies() -> ColumnElement[bool]:
    own = UtmRule.channel == ChannelAccount.channel
    return and_(UtmRule.is_active.is_(True), or_(own, UtmRule.channel == OTHERS))


def example(fields: UtmFields) -> str:
    """What the rule would make of an address, for a post of this week to one of the team's pools."""
    row = session.execute(
        select(Pool.slug, Stage.slug)
        .join(Pool.stage)
        .where(Pool.is_active)
        .order_by(Pool.id)
        .limit(1)
    ).first()
    pool, stage = row or ("java-1", "active")
    today = now().astimezone(current().zone).date()
    facts = Facts(fields.channel or "wecom_robot", pool, stage, week_of(today), "42")
    return tagged(SAMPLE_URL, {name: getattr(fields, name) for name in NAMES}, facts)


# --- putting together


def tagged(url: str, templates: Mapping[str, str], facts: Facts) -> str:
    """The address with the parameters it does not have yet; everything else of it stays as it is."""
    parts = urlsplit(url)
    there = {name.lower() for name, _value in parse_qsl(parts.query, keep_blank_values=True)}
    added = [
        f"utm_{name}={quote(value, safe='')}"
        for name in NAMES
        if f"utm_{name}" not in there and (value := filled(templates.get(name, ""), facts))
    ]
    if not added:
        return url
    query = "&".join(part for part in (parts.query.rstrip("&"), *added) if part)
    return urlunsplit(parts._replace(query=query))


def filled(template: str, facts: Facts) -> str:
    """The template with its places filled; what is no place stays as it was written."""
    known = vars(facts)
    return _PLACE.sub(lambda match: known.get(match[1], match[0]), template).strip()


def week_of(day: date) -> str:
    """The ISO week, as it is said in campaigns: 2026-w19."""
    year, week, _weekday = day.isocalendar()
    return f"{year}-w{week:02d}"


# --- operations


def save(fields: UtmFields, *, by: User | None) -> UtmRule:
    """Keep the rule of that channel. Raises Invalid, each fault beside its field."""
    fields = checked(fields)
    rule = of_channel(fields.channel)
    if rule is None:
        rule = UtmRule(channel=fields.channel)
        session.add(rule)
    for name in (*NAMES, "is_active"):
        setattr(rule, name, getattr(fields, name))
    session.flush()  # the audit entry needs its number
    said = {name: getattr(fields, name) for name in (*NAMES, "is_active")}
    audit.record("utm_rule.saved", rule, by=by, channel=fields.channel, **said)
    return rule


def remove(rule: UtmRule, *, by: User | None) -> None:
    """Its channel follows the rule for all others again, or none."""
    audit.record("utm_rule.removed", rule, by=by, channel=rule.channel)
    session.delete(rule)


def checked(fields: UtmFields) -> UtmFields:
    """The same, cleaned; raises Invalid."""
    if fields.channel != OTHERS and fields.channel not in CHANNELS:
        raise invalid("channel", "bad_choice", NO_CHANNEL)
    cleaned = {name: clean_line(getattr(fields, name)) for name in NAMES}
    faults = {name: fault for name, text in cleaned.items() if (fault := _fault(text))}
    if faults:
        raise Invalid(faults)
    return UtmFields(channel=fields.channel, is_active=fields.is_active, **cleaned)


def _fault(template: str) -> Problem | None:
    if len(template) > LONGEST:
        return Problem("content_too_long", TOO_LONG, {"limit": LONGEST})
    for name in _PLACE.findall(template):
        if name not in PLACES:
            known = ", ".join(f"{{{one}}}" for one in PLACES)
            return Problem("bad_place", BAD_PLACE, {"name": name[:40], "known": known})
    if set(_PLACE.sub("", template)) & set("{}"):
        return Problem("bad_place", STRAY_BRACE)
    return None
