"""The kind `view`: a post's page was fetched."""

from cms.core.i18n import N_
from feedback.kinds.base import Kind


class View(Kind):
    slug = "view"
    label = N_("Views")
