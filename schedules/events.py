"""Past facts about posts and publications, told to whoever listens on the floors above."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PostChanged:
    """A post was planned, or stands, reads or looks otherwise than before."""

    post_id: int


@dataclass(frozen=True)
class PostSubmitted:
    """A post waits for somebody to read and approve it."""

    post_id: int


@dataclass(frozen=True)
class PostApproved:
    """A post was approved; its publication waits for its minute."""

    post_id: int
    publication_id: int


@dataclass(frozen=True)
class PostRejected:
    """A post went back to its author with a reason."""

    post_id: int


@dataclass(frozen=True)
class PostPublished:
    """A publication is live to its readers."""

    publication_id: int


@dataclass(frozen=True)
class PostHandedOver:
    """A pack waits for the holder of a persona; its reader page is already open."""

    publication_id: int
