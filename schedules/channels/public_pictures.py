"""Pictures that a carrier fetches from us: their addresses, if anybody outside can reach this site."""

from urllib.parse import urlsplit

from cms.core.addresses import is_public
from cms.core.config import current
from cms.core.errors import Problem
from cms.core.i18n import N_
from schedules.envelopes import Outgoing

RENDITION = "share"  # a JPEG that every carrier can draw
NOT_REACHABLE = N_(
    "The pictures are left out: %(carrier)s fetches them from this site, and %(site)s cannot be "
    "reached from outside."
)
FETCHED = N_("%(carrier)s fetches the pictures from this site, at most 1200 pixels wide.")

# Names that mean something only inside a house.
_INNER_SUFFIXES = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test", ".invalid")


def addresses(outgoing: Outgoing) -> tuple[str, ...]:
    """Where the post's pictures can be fetched while it is live; none when nobody could."""
    if not outgoing.public_id or not is_reachable(current().base_url):
        return ()
    base = f"{current().base_url}/m/{outgoing.public_id}"
    return tuple(f"{base}/{picture.sha256}/{RENDITION}" for picture in outgoing.pictures)


def change(outgoing: Outgoing, carrier: str) -> tuple[Problem, ...]:
    """What the planner is told about the pictures of a carrier that fetches them."""
    if not outgoing.pictures:
        return ()
    if addresses(outgoing):
        return (Problem("pictures_fetched", FETCHED, {"carrier": carrier}),)
    params = {"carrier": carrier, "site": current().base_url}
    return (Problem("pictures_left_out", NOT_REACHABLE, params),)


def is_reachable(base_url: str) -> bool:
    """Judged by the name alone: a preview must not wait for the network."""
    host = (urlsplit(base_url).hostname or "").rstrip(".")
    if ":" in host or host.replace(".", "").isdigit():
        return is_public(host)
    return "." in host and not host.endswith(_INNER_SUFFIXES)
