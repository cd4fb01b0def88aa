"""Whether the post's asset may go out on the day the post leaves."""

from typing import Any
from zoneinfo import ZoneInfo

from cms.core.clock import now
from cms.core.errors import Problem
from cms.core.i18n import N_
from content_library.models import AssetStatus
from schedules.preflight.asking import Concern, Question, Subject
from schedules.warnings import Fix

RETIRED = Problem("asset_retired", N_("The asset has been retired. Choose another."))
DRAFT = Problem("asset_not_ready", N_("The asset is still a draft. Finish it first."))
EXPIRED = Problem("asset_expired", N_("The asset is past its last day. Choose another."))
TOO_EARLY = Problem("asset_too_early", N_("The asset may not be used yet."))


def _ask(subject: Subject, _known: Any) -> list[Concern]:
    if subject.post is None:
        return []
    asset = subject.post.asset
    found = []
    if asset.status is AssetStatus.RETIRED:
        found.append(Concern(RETIRED, fix=Fix.SWAP))
    if asset.status is AssetStatus.DRAFT:
        found.append(Concern(DRAFT, fix=Fix.FINISH))
    leaves = max(subject.at, now()).astimezone(ZoneInfo(subject.post.zone)).date()
    if asset.valid_until and asset.valid_until < leaves:
        found.append(Concern(EXPIRED, fix=Fix.SWAP))
    if asset.valid_from and asset.valid_from > leaves:
        found.append(Concern(TOO_EARLY, fix=Fix.MOVE))
    return found


QUESTION = Question("asset", _ask)
