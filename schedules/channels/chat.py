"""What the chat carriers have in common: what can be known of their posts, and told beforehand."""

from collections.abc import Mapping, Sequence

from cms.core.errors import Problem
from cms.core.i18n import N_
from cms.core.text import is_blank
from schedules.channels.answers import Gives, How
from schedules.envelopes import Outgoing, Picture

NOTHING_LEFT = N_("Without its pictures nothing is left of the post. Write something.")
LINK_ADDED = N_("The link is added as the last line.")

# They report nothing themselves, or only to apps that read along.
GIVES: Mapping[Gives, How] = {
    Gives.CLICK: How.OWN_LINK,
    Gives.COLLECT: How.OWN_LINK,
    Gives.COMMENT: How.OWN_LINK,
    Gives.LIKE: How.OWN_LINK,
    Gives.SHARE: How.OWN_LINK,
    Gives.CONVERSION: How.OWN_LINK,
}


def link_added(outgoing: Outgoing) -> tuple[Problem, ...]:
    """The change every carrier makes that has no place of its own for a link."""
    return (Problem("link_added", LINK_ADDED),) if outgoing.link else ()


def nothing_left(outgoing: Outgoing, shown: Sequence[Picture]) -> tuple[Problem, ...]:
    """What is wrong when a carrier leaves out the pictures of a post that is nothing else."""
    if shown or outgoing.link or not is_blank(outgoing.text) or not outgoing.pictures:
        return ()
    return (Problem("content_empty", NOTHING_LEFT),)
