"""The kinds of assets, in the order in which they are offered."""

from cms.core.i18n import N_
from cms.core.registry import Registry
from content_library.kinds.article import Article
from content_library.kinds.base import AssetFields, Composed, Kind, MediaUse
from content_library.kinds.poster import Poster
from content_library.kinds.video import Video

KINDS: Registry[Kind] = Registry(N_("kind"), Article(), Video(), Poster())

__all__ = ["KINDS", "AssetFields", "Composed", "Kind", "MediaUse"]
