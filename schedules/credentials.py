"""What accounts are given to reach their carriers: judging it, sealing it, moving it to a new key."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from cms.core import sealing
from cms.core.clock import now
from cms.core.db import give_back, session, transaction
from cms.core.errors import Invalid, Problem
from cms.core.health import Check, Finding, Level
from cms.core.http import AddressNotAllowed
from cms.core.i18n import N_
from cms.core.text import clean_line
from schedules.channels import CHANNELS
from schedules.channels.answers import Field
from schedules.channels.base import Channel
from schedules.channels.calling import check_address
from schedules.models import AlertRoute, CarrierToken, ChannelAccount

LONGEST = 2_000
HIGHEST = 10**9
ON = frozenset({"yes", "on", "true", "1", "y"})
WANTED = N_("This is needed to reach the carrier.")
TOO_LONG = N_("At most %(limit)s characters.")
BAD_LETTERS = N_("This holds letters that no such key has, perhaps unseen ones. Copy it again.")
NO_NUMBER = N_("Give a whole number, 0 or more.")
NO_CHOICE = N_("Choose one of those offered.")
NO_ADDRESS = N_("Give a whole address that begins with https:// or http://.")
NOT_CALLED = N_("That address lies inside a private network and may not be called.")
CLOSED = N_("The secrets of these accounts cannot be opened; their posts are held: %(names)s")
_PRINTED = re.compile(r"[ -~]+")  # what headers can hold, and carriers make tokens and keys of
_BETWEEN = re.compile(r"[,;\s，；、]+")


@dataclass(frozen=True)
class Judged:
    """An account's own fields after judging: what people may read, and what nobody may."""

    settings: dict[str, Any]
    secrets: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class Resealed:
    """What a round of resealing did; `unopenable` names those whose key is gone."""

    moved: int
    unopenable: tuple[str, ...]
    tokens_dropped: int = 0


def judged(channel: Channel, given: Mapping[str, str], *, kept: Collection[str] = ()) -> Judged:
    """What the channel's fields become from texts by field name. Raises Invalid with every fault.

    An empty secret that is among `kept` stays what it is. Looks up addresses, so no transaction
    may be open.
    """
    faults: dict[str, Problem] = {}
    settings: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    for one in channel.fields:
        text = _cleaned(one, given.get(one.name, ""))
        problem = _problem(one, text, is_kept=one.name in kept)
        if problem:
            faults[one.name] = problem
        elif one.is_secret and text:
            secrets[one.name] = text
        elif not one.is_secret and (text or one.kind == "flag"):
            settings[one.name] = _value(one, text)
    if faults:
        raise Invalid(faults)
    return Judged(settings, secrets)


def texts(channel: Channel, settings: Mapping[str, Any]) -> dict[str, str]:
    """The readable settings as a form shows them, by field name; what is not set shows its default."""
    shown = {}
    for one in channel.fields:
        if not one.is_secret:
            value = settings.get(one.name, one.default)
            shown[one.name] = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
            if one.kind == "flag":
                shown[one.name] = "yes" if str(value).lower() in ON else ""
    return shown


def opened(account: ChannelAccount) -> dict[str, str] | None:
    """The account's secrets by field name; None when no known key opens them."""
    try:
        return sealing.unseal(account.sealed)
    except sealing.Unopenable:
        return None


def keep(
    account: ChannelAccount, judged: Judged, *, forgotten: Collection[str] = (), anew: bool = False
) -> list[str]:
    """Write it into the account; the names of what changed. Settings of no field survive.

    Secrets that were not given stay, unless they are `forgotten` or all are given `anew`.
    """
    own = {one.name for one in CHANNELS.get(account.channel).fields if not one.is_secret}
    before = dict(account.settings)
    others = {name: value for name, value in before.items() if name not in own}
    account.settings = others | judged.settings
    changed = [name for name in sorted(own) if before.get(name) != account.settings.get(name)]
    return changed + _keep_secrets(account, judged.secrets, forgotten=forgotten, anew=anew)


def reseal() -> Resealed:
    """Bring every secret under the newest key, each in a transaction of its own; safe to repeat."""
    moved, names = 0, []
    for model, key in [*_rows(ChannelAccount), *_rows(AlertRoute)]:
        try:
            moved += _reseal(model, key)
        except sealing.Unopenable:
            names.append(_name(model, key))
    tokens_moved, dropped = _reseal_tokens()
    return Resealed(moved + tokens_moved, tuple(names), dropped)


def unopenable() -> list[ChannelAccount]:
    """The accounts in service whose secrets no known key opens."""
    found = (
        select(ChannelAccount)
        .where(ChannelAccount.sealed != "", ChannelAccount.retired_at.is_(None))
        .order_by(ChannelAccount.name)
    )
    return [account for account in session.scalars(found) if opened(account) is None]


def is_address(one: Field) -> bool:
    """Whether the field holds an address that we shall call."""
    return one.kind == "url" or one.name.endswith("url") or one.default.startswith("http")


def _keep_secrets(
    account: ChannelAccount, given: Mapping[str, str], *, forgotten: Collection[str], anew: bool
) -> list[str]:
    known = opened(account)
    if not given and not forgotten and not anew:
        return []  # what cannot be opened stays as well: its key may come back
    left = {} if anew else {k: v for k, v in (known or {}).items() if k not in forgotten}
    wanted = left | dict(given)
    changed = [name for name in sorted(wanted | (known or {})) if _differs(name, wanted, known)]
    if changed or known is None:
        account.sealed, account.secrets_changed_at = sealing.seal(wanted), now()
    return changed


def _differs(name: str, wanted: Mapping[str, str], known: Mapping[str, str] | None) -> bool:
    return known is None or wanted.get(name) != known.get(name)


def _cleaned(one: Field, text: str) -> str:
    """Surrounding spaces are a slip of the hand, in secrets too; an empty field means its default."""
    text = text.strip() if one.is_secret or one.kind == "list" else clean_line(text)
    if one.kind == "flag" or text:
        return text
    return "" if one.is_secret else one.default


def _problem(one: Field, text: str, *, is_kept: bool) -> Problem | None:
    if one.kind == "flag":
        return None
    if not text:
        return Problem("needed", WANTED) if one.is_required and not is_kept else None
    if len(text) > LONGEST:
        return Problem("too_long", TOO_LONG, {"limit": LONGEST})
    if one.is_secret and not _PRINTED.fullmatch(text):
        return Problem("bad_letters", BAD_LETTERS)
    if one.kind == "number" and not (
        text.isascii() and text.isdigit() and int(text[:11]) <= HIGHEST
    ):
        return Problem("bad_number", NO_NUMBER)
    if one.kind == "choice" and text not in {value for value, _ in one.choices}:
        return Problem("bad_choice", NO_CHOICE)
    if is_address(one) or text.startswith(("http://", "https://")):
        return _address_problem(text)
    return one.check(text) if one.check else None


def _address_problem(text: str) -> Problem | None:
    if not re.match(r"https?://[^/\s]+", text, re.IGNORECASE):
        return Problem("bad_address", NO_ADDRESS)
    give_back()
    try:
        check_address(text)
    except AddressNotAllowed:
        return Problem("address_not_allowed", NOT_CALLED)
    return None


def _value(one: Field, text: str) -> Any:
    match one.kind:
        case "number":
            return int(text)
        case "flag":
            return text.lower() in ON
        case "list":
            return [part for part in _BETWEEN.split(text) if part]
    return text


def _rows(model: type[ChannelAccount] | type[AlertRoute]) -> Iterator[tuple[Any, int]]:
    found = select(model.id).where(model.sealed != "").order_by(model.id)
    return ((model, key) for key in session.scalars(found).all())


def _reseal(model: Any, key: int | str) -> bool:
    """Move one row's seal; False when it was under the newest key already."""
    with transaction():
        row = session.get(model, key, with_for_update=True, populate_existing=True)
        if row is None or not row.sealed or sealing.is_newest(row.sealed):
            return False
        row.sealed = sealing.renewed(row.sealed)
        return True


def _reseal_tokens() -> tuple[int, int]:
    """Tokens can be had anew: one that no key opens is dropped, and nobody has to do anything."""
    moved = dropped = 0
    found = select(CarrierToken.realm).where(CarrierToken.sealed != "").order_by(CarrierToken.realm)
    for realm in session.scalars(found).all():
        try:
            moved += _reseal(CarrierToken, realm)
        except sealing.Unopenable:
            dropped += 1
            with transaction():
                row = session.get(CarrierToken, realm, with_for_update=True)
                if row is not None:
                    row.sealed, row.expires_at, row.version = "", None, row.version + 1
    return moved, dropped


def _name(model: Any, key: int) -> str:
    row = session.get(model, key)
    return str(getattr(row, "name", None) or getattr(row, "address", key))


def _all_open() -> Finding:
    closed = unopenable()
    figures = {"unopenable": len(closed)}
    if not closed:
        return Finding(Level.WELL, N_("All can be opened."), figures=figures)
    names = ", ".join(account.name for account in closed)
    return Finding(Level.WARNING, CLOSED, {"names": names}, figures)


CHECKS_OF_CREDENTIALS = (Check("credentials", N_("Secrets of accounts"), _all_open),)
