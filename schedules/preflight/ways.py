"""Whether the post's account reaches its pool, and the pool is still in use."""

from typing import Any

from cms.core.errors import Problem
from cms.core.i18n import N_
from schedules.models import ChannelAccount
from schedules.preflight.asking import Concern, Question, Subject
from schedules.warnings import Fix

INACTIVE = Problem("pool_inactive", N_("The pool is no longer in use."))
NOT_REACHED = Problem("pool_not_reached", N_("The account does not reach this pool."))


def reaches(account: ChannelAccount, pool_id: int) -> bool:
    """Whether the account can speak to the pool."""
    return any(pool.id == pool_id for pool in account.pools)


def _ask(subject: Subject, _known: Any) -> list[Concern]:
    if subject.post is None:
        return []
    found = []
    if not subject.pool.is_active:
        found.append(Concern(INACTIVE, fix=Fix.MOVE))
    if not reaches(subject.account, subject.pool.id):
        found.append(Concern(NOT_REACHED, fix=Fix.MOVE))
    return found


QUESTION = Question("way", _ask)
