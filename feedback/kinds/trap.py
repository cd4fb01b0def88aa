"""The kind `trap`: somebody followed a link that no person can see."""

from cms.core.i18n import N_
from feedback.kinds.base import Signal


class Trap(Signal):
    slug = "trap"
    label = N_("Trap")
