"""The kind `like`: a reader liked a post."""

from cms.core.i18n import N_
from feedback.kinds.base import Toggle


class Like(Toggle):
    slug = "like"
    label = N_("Likes")
