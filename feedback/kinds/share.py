"""The kind `share`: a reader pressed share on a post's page."""

from cms.core.i18n import N_
from feedback.kinds.base import Kind


class Share(Kind):
    slug = "share"
    label = N_("Shares")
    proves_human = True
