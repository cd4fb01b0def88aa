"""The screens of the area: library."""

from cms.web.library import browsing, deciding, importing, reading, vocabulary, writing
from cms.web.library.blueprint import bp

__all__ = ["bp", "browsing", "deciding", "importing", "reading", "vocabulary", "writing"]
