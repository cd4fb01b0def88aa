"""The people on an e-mail account's list: added by the team, gone by one click, never put back in silence."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select, update
from sqlalchemy.engine import CursorResult

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import NotFound, conflict, invalid
from cms.core.i18n import N_
from schedules import addresses
from schedules.addresses import Line
from schedules.models import ChannelAccount, Subscriber

MOST_LINES = 5_000
AT_ONCE = 500  # addresses in one question to the database
TOO_MANY = N_("At most %(limit)s lines at once; these are %(count)s. Add them in parts.")
ON_THE_LIST = N_("%(address)s is on the list.")


@dataclass(frozen=True)
class Added:
    """What became of pasted lines."""

    added: int
    known: Sequence[Line] = ()  # on the list already, or twice in what was given
    left: Sequence[Line] = ()  # were on it and left; only they themselves say when they come back
    bad: Sequence[Line] = ()


@dataclass(frozen=True)
class Numbers:
    """How many are on a list, and how many have left it."""

    active: int
    left: int


def get(account: ChannelAccount, subscriber_id: int) -> Subscriber:
    """The one of that id on that account's list; raises NotFound."""
    found = session.get(Subscriber, subscriber_id)
    if found is None or found.account_id != account.id:
        raise NotFound("subscriber")
    return found


def of_account(
    account: ChannelAccount, *, search: str = "", left: bool = False
) -> Select[Subscriber]:
    """Those on the list, or those who left it, by address, for the caller to page."""
    found = select(Subscriber).where(Subscriber.account_id == account.id)
    found = found.where(Subscriber.left_at.isnot(None) if left else Subscriber.left_at.is_(None))
    if search.strip():
        found = found.where(Subscriber.address.contains(search.strip().lower(), autoescape=True))
    return found.order_by(Subscriber.address, Subscriber.id)


def numbers(account: ChannelAccount) -> Numbers:
    """How many are on the account's list and how many have left."""
    counted = select(func.count(Subscriber.id), func.count(Subscriber.left_at))
    total, left = session.execute(counted.where(Subscriber.account_id == account.id)).one()
    return Numbers(total - left, left)


def is_listed(account_slug: str) -> bool:
    """Whether anybody is on the list of the account of that slug."""
    anybody = (
        select(Subscriber.id)
        .join(Subscriber.account)
        .where(ChannelAccount.slug == account_slug, Subscriber.left_at.is_(None))
    )
    return session.scalar(anybody.limit(1)) is not None


def add(account: ChannelAccount, text: str, *, by: User | None) -> Added:
    """Add every new address of the text. Bad lines are told and do not stop the rest.

    Raises Invalid when there are too many lines, or none.
    """
    lines = list(addresses.found_in(text))
    if not lines:
        raise invalid("lines", "content_empty", N_("There is no address here. Paste some."))
    if len(lines) > MOST_LINES:
        raise invalid("lines", "too_many_lines", TOO_MANY, limit=MOST_LINES, count=len(lines))
    sound = [line for line in lines if line.address]
    standing = _standing(account, {line.address for line in sound})
    fresh: dict[str, Line] = {}
    known, left = [], []
    for line in sound:
        if standing.get(line.address):
            left.append(line)
        elif line.address in standing or line.address in fresh:
            known.append(line)
        else:
            fresh[line.address] = line
    _enter(account, fresh)
    if fresh:
        audit.record("subscribers.added", account, by=by, count=len(fresh))
    return Added(len(fresh), known, left, [line for line in lines if line.problem])


def remove(subscriber: Subscriber, *, by: User | None) -> None:
    """Take somebody off the list; from then on only `let_back` puts them on it again."""
    if _leave(subscriber.id):
        audit.record("subscriber.removed", subscriber, by=by)


def let_back(subscriber: Subscriber, *, by: User | None) -> None:
    """They asked to have the letters again. Raises Conflict when they are on the list."""
    if subscriber.left_at is None:
        raise conflict("on_the_list", ON_THE_LIST, address=subscriber.address)
    subscriber.left_at = None
    audit.record("subscriber.let_back", subscriber, by=by)


def leave(token: str) -> None:
    """The reader's own way off the list; twice, or with a token that nobody has, changes nothing."""
    found = session.scalar(select(Subscriber).where(Subscriber.token == token))
    if found is not None and _leave(found.id):
        audit.record("subscriber.left", found, by=None)


def _leave(subscriber_id: int) -> bool:
    """Whether this was the moment they left; of two clicks at once, one is."""
    done = session.execute(
        update(Subscriber)
        .where(Subscriber.id == subscriber_id, Subscriber.left_at.is_(None))
        .values(left_at=now())
    )
    return isinstance(done, CursorResult) and done.rowcount == 1


def _standing(account: ChannelAccount, wanted: Iterable[str]) -> dict[str, bool]:
    """Of the addresses, those the list knows, and whether they left it."""
    asked = sorted(wanted)
    found: dict[str, bool] = {}
    for at in range(0, len(asked), AT_ONCE):
        rows = session.execute(
            select(Subscriber.address, Subscriber.left_at).where(
                Subscriber.account_id == account.id,
                Subscriber.address.in_(asked[at : at + AT_ONCE]),
            )
        )
        found |= {address: left_at is not None for address, left_at in rows}
    return found


def _enter(account: ChannelAccount, wanted: Iterable[str]) -> None:
    moment = now()
    session.add_all(
        Subscriber(
            account_id=account.id,
            address=address,
            token=secrets.token_urlsafe(24),
            added_at=moment,
        )
        for address in wanted
    )
