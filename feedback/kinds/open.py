"""The kind `open`: a reader went on from the page to the outside address, say a video."""

from cms.core.i18n import N_
from feedback.kinds.base import Kind


class Open(Kind):
    slug = "open"
    label = N_("Opens")
