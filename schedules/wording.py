"""What a new post says and shows before anybody has written in it: taken from its asset version."""

from collections.abc import Sequence

from cms.core.errors import invalid
from cms.core.i18n import N_
from content_library import media
from content_library.models import AssetVersion
from schedules.channels import CHANNELS
from schedules.models import ChannelAccount

SHOWN = ("poster", "cover")


def words_of(version: AssetVersion) -> str:
    """Title and summary; a summary that only repeats the title is left out."""
    title, summary = version.title.strip(), version.summary.strip()
    if not summary or summary == title:
        return title
    return f"{title}\n{summary}"


def pictures_of(version: AssetVersion, account: ChannelAccount) -> list[int]:
    """The poster or cover, as many as the account's carrier takes."""
    found = [link.media_id for link in version.media_links if link.role in SHOWN]
    return found[: CHANNELS.get(account.channel).limits.pictures]


def checked_pictures(media_ids: Sequence[int]) -> list[int]:
    """The same pictures once each, in order; raises Invalid for one that does not exist."""
    wanted = list(dict.fromkeys(int(one) for one in media_ids))
    if len(media.by_ids(wanted)) != len(wanted):
        raise invalid("media_ids", "picture_missing", N_("One of the pictures no longer exists."))
    return wanted
