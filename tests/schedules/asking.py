"""What pre-flight says of a post, and what its approval meets."""

import pytest

from cms.core.db import transaction
from cms.core.errors import Invalid
from schedules import approvals, preflight
from schedules.models import Post
from schedules.preflight import Level
from tests import factories as make


def codes(post: Post, level: Level | None = None) -> list[str]:
    found = preflight.concerns(post)
    return [one.problem.code for one in found if level in (None, one.level)]


def stopping(post: Post) -> list[str]:
    return codes(post, Level.BLOCKS)


def approve(post: Post) -> None:
    with transaction():
        approvals.approve(post, revision=post.revision, by=make.user())


def refused(post: Post) -> str:
    with pytest.raises(Invalid) as caught:
        approve(post)
    return caught.value.problem.code
