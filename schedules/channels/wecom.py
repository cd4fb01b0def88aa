"""WeCom's customer contact as its channels share it: tokens, calls, uploads, finding what was made."""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from cms.core.clock import now
from cms.core.errors import Problem, Refused, TryAgain
from cms.core.i18n import N_
from schedules import limits as pace
from schedules import renditions, tokens, uploads
from schedules.channels import pasted
from schedules.channels.answers import Field, Limits
from schedules.channels.calling import Line, Reply, Silent
from schedules.channels.multipart import File, multipart
from schedules.channels.wecom_codes import (
    WAITS,
    AlreadyDone,
    Busy,
    MediaGone,
    TokenRefused,
    error_for,
)
from schedules.envelopes import Envelope, Outgoing, Picture, Way

Made = TypeVar("Made")

SITE = "https://qyapi.weixin.qq.com"
USUAL_LIFE = 7200  # seconds of an access token
UPLOADS_LAST = timedelta(days=3)
AROUND = timedelta(minutes=10)  # how far its clock and ours may be apart when we look for something
GO_ON_AFTER = timedelta(seconds=30)  # when not all recipients could be asked for at once
LONGEST_WINDOW = timedelta(days=29)

NO_ANSWER = N_("WeCom gave no whole answer; nothing was sent. It is tried again by itself.")
BROKE = N_("WeCom broke while it had the call.")
NOT_WECOM = N_("The account's address does not answer as WeCom does. Check it.")
INCOMPLETE = N_("The account lacks its corporation ID or its secret. Enter them.")
TOO_MUCH_TO_SEARCH = N_("WeCom lists too much to say whether the post is among it.")
NOTHING_TO_KNOW_IT_BY = N_("The post has no link of its own by which it could be found at WeCom.")
WHAT_WENT_STAYS = N_("What is not sent yet is stopped; what employees have sent stays.")
LINK_ADDED = N_("The link is added as the last line.")
LINK_AS_CARD = N_("The link goes as a card with the title, not in the text.")
TITLE_CUT = N_("The card's title is cut to %(limit)s bytes.")

CORPORATION: tuple[Field, ...] = (
    Field("corpid", N_("Corporation ID"), N_("WeCom console, My Company: begins with ww.")),
    Field(
        "corpsecret",
        N_("Secret of the app"),
        N_("Of an app that is allowed to use customer contact, with this server as trusted IP."),
        is_secret=True,
    ),
    pasted.site_field(SITE),
)
CONFIRM_HOURS = Field(
    "confirm_hours",
    N_("Hours to wait for employees"),
    N_("After that the post counts as done by those who did it."),
    kind="number",
    is_required=False,
    default="24",
)


@dataclass(frozen=True)
class Use:
    """Where a picture is uploaded for one purpose, and what the answer calls it."""

    purpose: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    names: str = "media_id"
    lives: timedelta | None = UPLOADS_LAST


MEDIA = Use("media", "/cgi-bin/media/upload", {"type": "image"})
MOMENT = Use(
    "moment",
    "/cgi-bin/media/upload_attachment",
    {"media_type": "image", "attachment_type": "1"},
)
LASTING = Use("picurl", "/cgi-bin/media/uploadimg", names="url", lives=None)


@dataclass(frozen=True)
class Rows:
    """What was read of a list; `rest` is the cursor of what was not ("": all was)."""

    found: list[dict[str, Any]]
    rest: str
    calls: int


class Corporation:
    """Calls in the name of one corporation's app, with the token that all workers share."""

    def __init__(self, way: Way, line: Line) -> None:
        self.corpid = str(way.settings.get("corpid") or "").strip()
        self.secret = str(way.secrets.get("corpsecret") or "").strip()
        if not self.corpid or not self.secret:
            raise Refused(INCOMPLETE, pauses_account=True)
        self.line = line
        self.line.hush.append(self.secret)
        # The address counts too: a token of the demo carriers is never shown to the real site.
        digest = hashlib.sha256(f"{line.base}\n{self.secret}".encode()).hexdigest()[:16]
        self.token_realm = f"{realm(way)}:{digest}"

    @classmethod
    def of(cls, envelope: Envelope) -> "Corporation":
        return cls(envelope.way, Line.of(envelope, base_of(envelope.settings)))

    @classmethod
    def of_way(cls, way: Way) -> "Corporation":
        return cls(way, Line(base_of(way.settings)))

    def token(self, stale: str = "") -> str:
        """The app's access token. Raises TryAgain or Refused."""
        found = tokens.token(self.token_realm, self._fetch, stale=stale)
        self.line.hush.append(found)
        return found

    def _fetch(self) -> tokens.Fresh:
        try:
            said = read(
                self.line.get("/cgi-bin/gettoken", corpid=self.corpid, corpsecret=self.secret)
            )
        except Silent as error:
            raise TryAgain(NO_ANSWER) from error
        return tokens.Fresh(str(said["access_token"]), timedelta(seconds=float(said["expires_in"])))

    def ask(
        self, path: str, body: Mapping[str, Any] | None = None, **query: str | int
    ) -> dict[str, Any]:
        """A call that shows nothing to anybody, so its silence is no riddle: it is made again."""
        try:
            return self.act(path, body, **query)
        except Silent as error:
            raise TryAgain(NO_ANSWER) from error

    def act(
        self, path: str, body: Mapping[str, Any] | None = None, **query: str | int
    ) -> dict[str, Any]:
        """A call whose silence may mean that it was done: raises Silent, TryAgain or Refused."""

        def call(token: str) -> Reply:
            if body is None:
                return self.line.get(path, access_token=token, **query)
            return self.line.post(path, body, access_token=token, **query)

        return self._with_token(call)

    def make(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A call that makes what a second call would make twice: being busy is silence here."""
        try:
            return self.act(path, body)
        except Busy as error:
            raise Silent(str(error)) from error

    def _with_token(self, call: Callable[[str], Reply]) -> dict[str, Any]:
        """A refused token is renewed once and the call repeated once: a refused call did nothing."""
        token = self.token()
        try:
            return read(call(token))
        except TokenRefused:
            return read(call(self.token(stale=token)))

    def rows(self, path: str, body: Mapping[str, Any], name: str, *, pages: int = 20) -> "Rows":
        """A list, page by page."""
        found: list[dict[str, Any]] = []
        cursor, calls = str(body.get("cursor") or ""), 0
        while calls < pages:
            said = self.ask(path, {**body, "cursor": cursor})
            found += dicts(said.get(name))
            cursor, calls = str(said.get("next_cursor") or ""), calls + 1
            if not cursor:
                break
        return Rows(found, cursor, calls)

    def uploaded(self, picture: Picture, use: Use, limits: Limits, *, anew: bool = False) -> str:
        """WeCom's name for the picture, uploaded when it is not there, nearly over, or lost."""

        def upload() -> uploads.Uploaded:
            made = renditions.fitted(picture.sha256, limits)
            file = File("media", made.filename, made.mime, made.content)
            headers, body = multipart({}, file)

            def call(token: str) -> Reply:
                query = {"access_token": token, **use.query}
                return self.line.call("POST", use.path, query=query, headers=headers, body=body)

            try:
                said = self._with_token(call)
            except Silent as error:
                raise TryAgain(NO_ANSWER) from error
            return uploads.Uploaded(named(said, use.names), use.lives)

        place = (f"wecom:{self.corpid}", picture.sha256, use.purpose)
        known = uploads.reference(*place, upload)
        return uploads.reference(*place, upload, stale=known) if anew else known


def base_of(settings: Mapping[str, Any]) -> str:
    return pasted.site(settings, SITE)


def realm(way: Way) -> str:
    """The corporation: its apps share uploads, other corporations never see them."""
    return f"wecom:{str(way.settings.get('corpid') or '').strip()}"


def read(reply: Reply) -> dict[str, Any]:
    """The answer when it says that all went well. Raises Silent, TryAgain or Refused."""
    if reply.status == 429:
        raise TryAgain(WAITS, pace.retry_after(reply.headers.get("retry-after")))
    if reply.status >= 500 or reply.status == 408:
        raise Silent(BROKE)
    if reply.status >= 300:
        raise Refused(NOT_WECOM, pauses_account=True)
    said = reply.json()
    code = said.get("errcode")
    if not isinstance(code, int) or isinstance(code, bool):
        raise Silent
    if code:
        raise error_for(code)
    return said


def named(said: Mapping[str, Any], name: str) -> str:
    """A name that a harmless call should have given us. Raises TryAgain."""
    found = said.get(name)
    if not isinstance(found, str) or not found:
        raise TryAgain(NO_ANSWER)
    return found


def renewing_uploads(step: Callable[[bool], Made]) -> Made:
    """Run `step(False)`; when WeCom has lost an upload, once more with everything uploaded anew."""
    try:
        return step(False)
    except MediaGone:
        return step(True)


class CannotTell(TryAgain):
    """The list can be read, and never says whether the post is in it."""


@dataclass(frozen=True)
class Search:
    """One list in which a post's own link betrays what an earlier attempt has made."""

    path: str
    body: Mapping[str, Any]
    name: str
    key: str  # of a row's own name
    pages: int = 20

    def made(
        self, corporation: Corporation, envelope: Envelope, known: Collection[str] = ()
    ) -> list[str]:
        """The names of rows that bear the link, but for those known. Raises CannotTell when nobody can say."""
        link = envelope.outgoing.link
        if not link:
            raise CannotTell(NOTHING_TO_KNOW_IT_BY)
        since = envelope.asked_since or envelope.tried_at or now()
        body = {**self.body, **window(since)}
        rows = corporation.rows(self.path, body, self.name, pages=self.pages)
        bears_it = re.compile(re.escape(link) + r"(?![\w-])")
        hits = [row for row in rows.found if bears_it.search(json.dumps(row, ensure_ascii=False))]
        found = [str(row[self.key]) for row in hits if row.get(self.key) not in (None, *known)]
        if not found and rows.rest:
            raise CannotTell(TOO_MUCH_TO_SEARCH)
        return found


def long_ago() -> datetime:
    """As far back as a list can be asked for."""
    return now() - LONGEST_WINDOW


def window(since: datetime) -> dict[str, int]:
    """What a list is asked for: made by apps, from a little before that moment until now."""
    start = max(since - AROUND, long_ago())
    return {
        "start_time": int(start.timestamp()),
        "end_time": int((now() + AROUND).timestamp()),
        "filter_type": 0,
    }


def cancel(corporation: Corporation, path: str, body: Mapping[str, Any]) -> None:
    """Stop what employees have not done yet; cancelled before is as good."""
    try:
        corporation.ask(path, body)
    except AlreadyDone:
        return


# --- values in and out


def listed(value: Any) -> list[str]:
    """Names from a setting: a list, or text with commas, bars or line ends between them."""
    parts = (
        value if isinstance(value, list | tuple) else re.split(r"[\s,;|，；、]+", str(value or ""))
    )
    return list(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))


def moment(seconds: Any) -> datetime | None:
    """A moment told in Unix seconds; 0 and nonsense are none."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC) if int(seconds) > 0 else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def cut(text: str, most: int) -> str:
    """The text within so many bytes, never ending inside a character."""
    if len(text.encode()) <= most:
        return text
    return text.encode()[: most - 3].decode("utf-8", "ignore").rstrip() + "…"


def link_changes(outgoing: Outgoing, *, is_card: bool, title_bytes: int) -> list[Problem]:
    """What happens to the link on the way."""
    if not outgoing.link:
        return []
    if not is_card:
        return [Problem("link_added", LINK_ADDED)]
    told = [Problem("link_as_card", LINK_AS_CARD)]
    if len(outgoing.title.encode()) > title_bytes:
        told.append(Problem("title_cut", TITLE_CUT, {"limit": title_bytes}))
    return told


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list in an answer; nonsense is an empty one."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
