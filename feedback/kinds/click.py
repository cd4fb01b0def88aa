"""The kind `click`: a tracked link in a post was followed."""

from cms.core.i18n import N_
from feedback.kinds.base import Kind


class Click(Kind):
    slug = "click"
    label = N_("Clicks")
