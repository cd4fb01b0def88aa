"""The screens of the area: insights."""

from cms.web.insights import deciding, exports, learned, lists, moderation, panels, post, views
from cms.web.insights.area import bp

__all__ = ["bp", "deciding", "exports", "learned", "lists", "moderation", "panels", "post", "views"]
