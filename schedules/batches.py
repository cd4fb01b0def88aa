"""One decision about many publications: each row in a transaction of its own, each fault told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import OperationalError

from cms.core.db import transaction
from cms.core.errors import Problem, SeedbedError
from cms.core.i18n import N_
from schedules import publications
from schedules.decisions import Seen, check_seen
from schedules.models import Publication

log = structlog.get_logger(__name__)

MOST = 200  # of one request
BROKE = Problem(
    "broken", N_("It could not be done; the log says why. The others were not held up.")
)
NO_DATABASE = Problem("database_away", N_("The database did not answer. Nothing was done here."))


@dataclass(frozen=True)
class Left:
    """One publication that was left as it is, and why."""

    publication_id: int
    problem: Problem

    @property
    def is_done_already(self) -> bool:
        return self.problem.code == "already_done"


@dataclass
class Report:
    """What became of a batch. `notes` are things worth saying about rows that were done."""

    done: list[int] = field(default_factory=list)
    notes: list[Left] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)


def each(seen: Sequence[Seen], decide: Callable[[Publication], Problem | None]) -> Report:
    """Decide about each as it was seen. A poisonous row fails alone and is named."""
    report = Report()
    for one in seen:
        try:
            note = _one(one, decide)
        except SeedbedError as error:
            report.left.append(Left(one.publication_id, error.problem))
        except OperationalError:
            log.exception("batch_without_database", publication=one.publication_id)
            report.left.append(Left(one.publication_id, NO_DATABASE))
        except Exception:  # the door of one row
            log.exception("batch_row_broke", publication=one.publication_id)
            report.left.append(Left(one.publication_id, BROKE))
        else:
            report.done.append(one.publication_id)
            report.notes += [Left(one.publication_id, note)] if note else []
    return report


def _one(seen: Seen, decide: Callable[[Publication], Problem | None]) -> Problem | None:
    with transaction():
        publication = publications.get(seen.publication_id)
        check_seen(publication, seen)
        return decide(publication)
