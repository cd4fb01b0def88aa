"""Whether the post's pictures are there, and such that the carrier can be given them."""

from collections.abc import Sequence

from sqlalchemy import select

from cms.core import storage
from cms.core.db import session
from cms.core.errors import Problem
from cms.core.i18n import N_
from content_library.models import Media
from schedules import renditions
from schedules.channels import CHANNELS
from schedules.channels.base import Limits, Takes
from schedules.envelopes import Picture
from schedules.preflight.asking import Asked, Concern, Question, Subject

DRAWABLE = frozenset({"jpeg", "png", "webp"})  # what a rendition can be made in
MISSING = Problem("picture_missing", N_("A picture of the post no longer exists."))
LOST = Problem(
    "picture_lost",
    N_("The file of a picture is missing from the store. Upload it again, or leave it out."),
)
WRONG_FORMAT = N_("%(carrier)s takes no pictures in this format, and none can be made for it.")

Known = dict[int, tuple[Picture, bool]]  # with whether its file is there


def _learn(subjects: Sequence[Subject], _asked: Asked) -> Known:
    wanted = {one for subject in subjects for one in _used(subject)}
    if not wanted:
        return {}
    measures = (Media.id, Media.sha256, Media.mime, Media.width, Media.height, Media.size)
    rows = session.execute(select(*measures, Media.file).where(Media.id.in_(wanted)))
    kept = storage.media()
    return {row[0]: (Picture(*row[:6]), row.file in kept) for row in rows}


def _ask(subject: Subject, known: Known) -> list[Concern]:
    found: list[Concern] = []
    channel = CHANNELS.get(subject.account.channel)
    for media_id in _used(subject):
        picture, is_kept = known.get(media_id, (None, False))
        if picture is None:
            found.append(Concern(MISSING))
        elif not is_kept:
            found.append(Concern(LOST))
        elif not _can_be_sent(picture, channel.limits):
            told = Problem("picture_format", WRONG_FORMAT, {"carrier": channel.name})
            found.append(Concern(told))
    return list({one.problem.code: one for one in found}.values())


def _used(subject: Subject) -> tuple[int, ...]:
    """The post's own pictures, and the cover where the carrier shows articles."""
    content = subject.content
    cover = content.cover if content and content.kind == "article" else None
    if cover is None or Takes.ARTICLE not in CHANNELS.get(subject.account.channel).takes:
        return subject.media_ids
    return tuple(dict.fromkeys((*subject.media_ids, cover.media_id)))


def _can_be_sent(picture: Picture, limits: Limits) -> bool:
    """As it is, or made anew: any picture can be made smaller, so only the format can be hopeless."""
    if not limits.pictures:
        return True  # that it takes none at all is the carrier's own question
    return bool(DRAWABLE & set(limits.picture_formats)) or not renditions.changes([picture], limits)


QUESTION = Question("pictures", _ask, _learn)
