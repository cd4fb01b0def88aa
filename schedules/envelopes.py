"""What travels to a channel: plain frozen values, so that no connection waits on a carrier."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Picture:
    """One image of a post, named by its content, with the measures of the file we keep."""

    media_id: int
    sha256: str
    mime: str = ""
    width: int = 0
    height: int = 0
    size: int = 0  # bytes


@dataclass(frozen=True)
class Outgoing:
    """Exactly what would be sent for a post now; previews, approval and the worker all read this."""

    post_id: int
    asset_id: int
    version_id: int
    title: str
    text: str  # as the carrier gets it, link included where the carrier has no place of its own
    body: str  # the text as written, without the link
    link: str  # the tracked address, "" when there is none
    link_code: str
    pictures: tuple[Picture, ...]
    channel: str
    account_slug: str
    pool_slug: str
    window: datetime  # the moment it is meant for
    # What the frozen version says, for carriers that take more than a text with pictures.
    kind: str = ""  # slug of the asset's kind: article, poster, video
    summary: str = ""
    lang: str = ""
    html: str = ""  # of an article, cleaned
    cover: Picture | None = None
    inline: tuple[Picture, ...] = ()  # those that its html shows; the version stands for them
    public_id: str = ""  # names the reader page and the public pictures; "" before there is one
    # The account's readable settings; approval pins the account, so they count for no hash.
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def media_ids(self) -> list[int]:
        return [picture.media_id for picture in self.pictures]


@dataclass(frozen=True)
class Way:
    """A channel account as its channel needs it: settings people may read, secrets nobody may."""

    account_id: int
    slug: str
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Envelope:
    """One claimed publication on its way to its channel. `key` is the same at every attempt."""

    publication_id: int
    fence: int
    key: str
    account_id: int
    settings: dict[str, Any] = field(repr=False)
    outgoing: Outgoing
    pool_id: int
    call_seconds: float
    must_ask: bool = False  # an earlier attempt may have arrived: look it up before sending
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict)  # what earlier steps left behind
    fingerprint: str = ""  # of the content; facts of other content are no use
    external_id: str = ""
    asked_since: datetime | None = None  # when the oldest attempt of unknown outcome began
    tried_at: datetime | None = None  # when the newest of them began
    doubted_since: datetime | None = None  # the oldest for which nobody has said: send it again
    live_since: datetime | None = None  # when it was published; none: it is not live
    deadline: float = field(default_factory=lambda: time.monotonic() + 3600)  # monotonic seconds

    @property
    def way(self) -> Way:
        return Way(self.account_id, self.outgoing.account_slug, self.settings, self.secrets)
