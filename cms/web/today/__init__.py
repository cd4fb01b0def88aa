"""The operator's screens: the day sheet, packs to post by hand, and single publications."""

from cms.web.today import hand_overs, publications
from cms.web.today.views import bp

__all__ = ["bp", "hand_overs", "publications"]
