"""The kind `seen`: the page's script ran and the page was visible: a person's browser."""

from cms.core.i18n import N_
from feedback.kinds.base import Signal


class Seen(Signal):
    slug = "seen"
    label = N_("Page visible")
    proves_human = True
