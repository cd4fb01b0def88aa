"""Whether a post could go out as it stands: asked when it is approved and again just before sending."""

from zoneinfo import ZoneInfo

from cms.core.clock import now
from cms.core.errors import Invalid, Problem
from cms.core.i18n import N_
from cms.core.text import is_blank
from content_library.models import Asset, AssetStatus
from schedules.channels import CHANNELS
from schedules.content import outgoing
from schedules.envelopes import Outgoing
from schedules.models import ChannelAccount, Post


def problems(post: Post) -> list[Problem]:
    """Everything that stands in the way, in words that need no further explanation."""
    return problems_of(post, outgoing(post))


def problems_of(post: Post, content: Outgoing) -> list[Problem]:
    """The same for content already put together."""
    return [
        *_of_the_asset(post.asset, post.zone),
        *_of_the_way(post),
        *_of_the_pictures(content),
        *CHANNELS.get(post.account.channel).problems(content),
    ]


def check(post: Post) -> None:
    """Raise Invalid, speaking of the whole post, when something stands in the way."""
    for problem in problems(post):
        raise Invalid({"": problem})


def reaches(account: ChannelAccount, pool_id: int) -> bool:
    """Whether the account can speak to the pool."""
    return any(pool.id == pool_id for pool in account.pools)


def _of_the_asset(asset: Asset, zone: str) -> list[Problem]:
    found = []
    if asset.status is AssetStatus.RETIRED:
        found.append(Problem("asset_retired", N_("The asset has been retired. Choose another.")))
    if asset.status is AssetStatus.DRAFT:
        found.append(Problem("asset_not_ready", N_("The asset is still a draft. Finish it first.")))
    today = now().astimezone(ZoneInfo(zone)).date()
    if asset.valid_until and asset.valid_until < today:
        found.append(
            Problem("asset_expired", N_("The asset is past its last day. Choose another."))
        )
    if asset.valid_from and asset.valid_from > today:
        found.append(Problem("asset_too_early", N_("The asset may not be used yet.")))
    return found


def _of_the_way(post: Post) -> list[Problem]:
    found = []
    if not post.pool.is_active:
        found.append(Problem("pool_inactive", N_("The pool is no longer in use.")))
    if not reaches(post.account, post.pool_id):
        found.append(Problem("pool_not_reached", N_("The account does not reach this pool.")))
    return found


def _of_the_pictures(content: Outgoing) -> list[Problem]:
    found = []
    if any(not picture.sha256 for picture in content.pictures):
        found.append(Problem("picture_missing", N_("A picture of the post no longer exists.")))
    if is_blank(content.text) and not content.pictures and not content.link:
        found.append(
            Problem("content_empty", N_("There is nothing to read here. Write something."))
        )
    return found
