"""The kinds of feedback events, and how each is counted."""

from cms.core.i18n import N_
from cms.core.registry import Registry
from feedback.kinds.base import Kind
from feedback.kinds.click import Click
from feedback.kinds.collect import Collect
from feedback.kinds.comment import Comment
from feedback.kinds.like import Like
from feedback.kinds.open import Open
from feedback.kinds.seen import Seen
from feedback.kinds.share import Share
from feedback.kinds.trap import Trap
from feedback.kinds.view import View

__all__ = ["COUNTED", "KINDS", "TOGGLES", "Kind"]

KINDS: Registry[Kind] = Registry(
    N_("feedback kind"),
    Click(),
    View(),
    Open(),
    Like(),
    Collect(),
    Comment(),
    Share(),
    Seen(),
    Trap(),
)

COUNTED = tuple(kind.slug for kind in KINDS if kind.is_counted)
TOGGLES = tuple(kind.slug for kind in KINDS if kind.is_toggle)
