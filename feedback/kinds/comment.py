"""The kind `comment`: a reader wrote under a post."""

from cms.core.i18n import N_
from feedback.kinds.base import Each


class Comment(Each):
    slug = "comment"
    label = N_("Comments")
