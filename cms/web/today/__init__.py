"""The operator's screens: the day sheet, the inbox, packs to post by hand, single publications."""

from cms.web.today import dry_run, hand_overs, inbox, publications
from cms.web.today.views import bp

__all__ = ["bp", "dry_run", "hand_overs", "inbox", "publications"]
