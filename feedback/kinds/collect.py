"""The kind `collect`: a reader collected a post, to come back to it."""

from cms.core.i18n import N_
from feedback.kinds.base import Toggle


class Collect(Toggle):
    slug = "collect"
    label = N_("Collects")
