"""What carriers count by themselves: fetched every day, kept beside our own counts, never added to them."""

import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from cms.core.clock import now
from cms.core.db import give_back, session, transaction
from cms.core.errors import SeedbedError
from feedback.models import CarrierFigure
from schedules import addressing
from schedules.channels import CHANNELS
from schedules.channels.answers import Figure, How
from schedules.models import ChannelAccount, Publication
from schedules.states import PublicationState

log = structlog.get_logger(__name__)

COUNTED_FOR = timedelta(days=31)  # carriers count for thirty days, and tell a day later
PAUSE_SECONDS = 0.2  # between two publications
BUDGET_SECONDS = 600.0  # what is left waits for the next day: the longest unfetched come first
METRICS = ("read", "share", "like", "recommend", "comment", "collect")


@dataclass(frozen=True)
class Counted:
    """One metric of the carrier's: its newest value, and the values it had day by day."""

    metric: str
    on: date
    value: int
    series: tuple[int, ...]
    fetched_at: datetime


def of(publication_id: int) -> list[Counted]:
    """What the carrier has counted of a publication, in one order for all."""
    rows = session.scalars(
        select(CarrierFigure)
        .where(CarrierFigure.publication_id == publication_id)
        .order_by(CarrierFigure.on)
    )
    by_metric: dict[str, list[CarrierFigure]] = defaultdict(list)
    for row in rows:
        by_metric[row.metric].append(row)
    known = [metric for metric in METRICS if metric in by_metric]
    others = sorted(by_metric.keys() - set(METRICS))
    return [_counted(metric, by_metric[metric]) for metric in (*known, *others)]


def due() -> list[int]:
    """Publications whose carrier may have counted more, the longest unfetched first."""
    pulling = [slug for slug in CHANNELS.slugs if How.PULL in CHANNELS.get(slug).gives.values()]
    fetched = (
        select(CarrierFigure.publication_id, func.max(CarrierFigure.fetched_at).label("at"))
        .group_by(CarrierFigure.publication_id)
        .subquery()
    )
    found = session.scalars(
        select(Publication.id)
        .join(Publication.account)
        .outerjoin(fetched, fetched.c.publication_id == Publication.id)
        .where(Publication.state == PublicationState.PUBLISHED)
        .where(Publication.published_at >= now() - COUNTED_FOR)
        .where(ChannelAccount.channel.in_(pulling), ChannelAccount.is_paused.is_(False))
        .order_by(fetched.c.at.is_not(None), fetched.c.at, Publication.id)
    )
    return list(found)


def fetch_all(*, pause: float = PAUSE_SECONDS, budget: float = BUDGET_SECONDS) -> int:
    """Ask about all that are due, one after another; how many there were answers for."""
    waiting = due()
    give_back()
    ends_at = time.monotonic() + budget
    answered = 0
    for publication_id in waiting:
        if time.monotonic() >= ends_at:
            log.warning("figures_left_for_tomorrow", asked=answered, due=len(waiting))
            break
        answered += fetch(publication_id) > 0
        time.sleep(pause)
    return answered


def fetch(publication_id: int) -> int:
    """Ask the carrier about one publication and keep what it says; how many numbers that were."""
    publication = session.get(
        Publication, publication_id, options=[joinedload(Publication.account)]
    )
    if publication is None:
        return 0
    channel = CHANNELS.get(publication.account.channel)
    try:
        envelope = addressing.envelope_of(publication)
    except SeedbedError as error:
        log.warning("no_figures", publication=publication_id, reason=str(error))
        return 0
    give_back()
    figures = channel.ask_figures(envelope)
    with transaction():
        _keep(publication_id, figures)
    return len(figures)


def _keep(publication_id: int, figures: tuple[Figure, ...]) -> None:
    """The carrier's later word replaces its earlier one; a day it no longer names stays."""
    known = {
        (row.metric, row.on): row
        for row in session.scalars(
            select(CarrierFigure).where(CarrierFigure.publication_id == publication_id)
        )
    }
    for figure in figures:
        row = known.get((figure.metric, figure.on))
        if row is None:
            row = CarrierFigure(publication_id=publication_id, metric=figure.metric, on=figure.on)
            session.add(row)
            known[figure.metric, figure.on] = row
        row.value, row.fetched_at = figure.value, now()


def _counted(metric: str, rows: list[CarrierFigure]) -> Counted:
    newest = rows[-1]
    return Counted(
        metric,
        newest.on,
        newest.value,
        tuple(row.value for row in rows),
        max(row.fetched_at for row in rows),
    )
