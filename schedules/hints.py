"""Which publications the workers should hear of now: fair between accounts, within their limits."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator

import structlog
from redis.exceptions import RedisError
from sqlalchemy import func, select

from cms.core.clock import now
from cms.core.db import session
from cms.core.jobs import redis
from schedules import pace, stops
from schedules.models import ChannelAccount, Publication
from schedules.states import PublicationState

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 500
MOST_PER_ACCOUNT = 200
MOST_UNDER_WAY = 20  # of one account; a worker has more threads: a hanging carrier leaves some free
CHUNK = 20
REMIND_SECONDS = 10.0

Sign = tuple[int, int, float]  # id, fence, due: a row put off or returned is news again


class Hinted:
    """What this clock has hinted lately: said again only after a while, in case it was lost."""

    def __init__(
        self, steady: Callable[[], float] = time.monotonic, remind: float = REMIND_SECONDS
    ) -> None:
        self._steady, self._remind = steady, remind
        self._until: dict[Sign, float] = {}

    def news(self, signs: list[Sign]) -> list[Sign]:
        moment = self._steady()
        self._until = {sign: until for sign, until in self._until.items() if until > moment}
        return [sign for sign in signs if sign not in self._until]

    def note(self, signs: list[Sign]) -> None:
        until = self._steady() + self._remind
        self._until.update(dict.fromkeys(signs, until))


def due_by_account() -> dict[int, list[Sign]]:
    """What may go out now, the longest waiting first, no more than each account has tokens for."""
    moment = now()
    place = func.row_number().over(
        partition_by=Publication.account_id, order_by=(Publication.due_at, Publication.id)
    )
    due = (
        select(
            Publication.account_id,
            Publication.id,
            Publication.fence,
            Publication.due_at,
            place.label("place"),
        )
        .where(Publication.state == PublicationState.SCHEDULED, Publication.due_at <= moment)
        .where(stops.clear_of(Publication.account_id))
        .subquery()
    )
    rows = session.execute(
        select(due).where(due.c.place <= MOST_PER_ACCOUNT).order_by(due.c.place).limit(MOST_AT_ONCE)
    ).all()
    room = _room(sorted({row.account_id for row in rows}))
    chosen: dict[int, list[Sign]] = defaultdict(list)
    for row in rows:
        if row.place <= room[row.account_id]:
            chosen[row.account_id].append((row.id, row.fence, row.due_at.timestamp()))
    return chosen


def chunks(
    signs: list[Sign], word: str = "pub", size: int = CHUNK
) -> Iterator[tuple[str, list[int]]]:
    """Ids in handy portions, each with a key that keeps a second identical hint out of the queue."""
    epoch = int(time.time() // REMIND_SECONDS)
    for start in range(0, len(signs), size):
        ids = [sign[0] for sign in signs[start : start + size]]
        yield f"{word}-{ids[0]}-{len(ids)}-{epoch}", ids


def is_broker_there() -> bool:
    """Asked once a round: without a broker there is nobody to hint, and nothing is lost."""
    try:
        return bool(redis().ping())
    except RedisError as error:
        log.warning("broker_away", error=str(error))
        return False


def _room(account_ids: list[int]) -> dict[int, int]:
    """How many more each account may send now; an estimate, the claim decides."""
    moment, under_way = now(), _under_way(account_ids)
    accounts = session.scalars(select(ChannelAccount).where(ChannelAccount.id.in_(account_ids)))
    return {
        account.id: min(
            int(pace.bucket_of(account, moment).tokens),
            MOST_UNDER_WAY - under_way.get(account.id, 0),
        )
        if pace.is_open(account, moment)
        else 0
        for account in accounts
    }


def _under_way(account_ids: list[int]) -> dict[int, int]:
    """How many posts of each account are in some worker's hands."""
    rows = session.execute(
        select(Publication.account_id, func.count())
        .where(
            Publication.account_id.in_(account_ids),
            Publication.state.in_([PublicationState.CLAIMED, PublicationState.SENDING]),
        )
        .group_by(Publication.account_id)
    )
    return {account_id: number for account_id, number in rows}
