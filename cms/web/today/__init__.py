"""The operator's screens: the day sheet, the inbox, packs to post by hand, single publications."""

from cms.web.today import hand_overs, inbox, publications
from cms.web.today.views import bp

__all__ = ["bp", "hand_overs", "inbox", "publications"]
