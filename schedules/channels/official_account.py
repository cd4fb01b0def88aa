"""Speaking to a WeChat Official Account: its fields, its token, its library of pictures."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from cms.core.errors import Refused, TryAgain
from cms.core.i18n import N_
from schedules import renditions, tokens, uploads
from schedules.channels.answers import Field, Limits
from schedules.channels.callback_fields import CALLBACK_FIELDS
from schedules.channels.calling import DEFAULT_SECONDS, Line, Reply
from schedules.channels.multipart import File, multipart
from schedules.channels.oa_codes import BUSY, Means, Said, harmless, needed, said_by
from schedules.envelopes import Envelope, Way
from schedules.tokens import Fresh
from schedules.uploads import Uploaded

REAL_SITE = "https://api.weixin.qq.com"
# How long to wait before asking again what it could not say.
SETTLES_AFTER = timedelta(minutes=5)

# What its library and its articles take.
COVER_LIMITS = Limits(text=0, picture_bytes=10_000_000, picture_formats=("jpeg", "png", "gif"))
INLINE_LIMITS = Limits(text=0, picture_bytes=1_000_000, picture_formats=("jpeg", "png"))


APP_FIELDS: tuple[Field, ...] = (
    Field("appid", "AppID", N_("From the account's console: Settings, Basic configuration.")),
    Field("appsecret", "AppSecret", N_("From the same page."), is_secret=True),
)
ADDRESS_FIELD = Field(
    "base_url",
    N_("Address of the carrier"),
    N_("Leave it, unless you practise with the demo carriers."),
    is_required=False,
    default=REAL_SITE,
)
ARTICLE_FIELDS: tuple[Field, ...] = (
    Field(
        "author", N_("Author"), N_("Shown under the title; up to 16 characters."), is_required=False
    ),
    Field(
        "cover_media_id",
        N_("Cover for articles without one"),
        N_("The media id of a picture in the account's library."),
        is_required=False,
    ),
    Field(
        "open_comments",
        N_("Comments"),
        kind="choice",
        is_required=False,
        default="no",
        choices=(("no", N_("Closed")), ("all", N_("For everybody")), ("fans", N_("For followers"))),
    ),
)
FIELDS = (*APP_FIELDS, *ARTICLE_FIELDS, *CALLBACK_FIELDS, ADDRESS_FIELD)


class Api:
    """One account's interface. Every call bears its token; a refused one is renewed once."""

    def __init__(self, way: Way, line: Line) -> None:
        self.way = way
        self.line = line
        self._secret = str(way.secrets.get("appsecret", ""))
        if self._secret:
            line.hush.append(self._secret)

    @classmethod
    def of(cls, envelope: Envelope) -> "Api":
        """For a publication: it never calls when the claim could run out meanwhile."""
        return cls(envelope.way, Line.of(envelope, _base(envelope.settings)))

    @classmethod
    def through(cls, way: Way) -> "Api":
        """For an account alone."""
        line = Line(_base(way.settings), hush=tuple(way.secrets.values()), seconds=DEFAULT_SECONDS)
        return cls(way, line)

    @property
    def realm(self) -> str:
        """Whose tokens these are: a new secret makes new ones."""
        digest = hashlib.sha256(self._secret.encode()).hexdigest()[:16]
        return f"oa:{self.way.settings.get('appid', '')}:{digest}"

    def token(self, stale: str = "") -> str:
        """The account's token. Raises TryAgain or Refused; it shows nothing to a reader."""
        return tokens.token(self.realm, lambda: self._fetch(stale), stale=stale)

    def say(self, path: str, body: Mapping[str, Any]) -> Said:
        """One call, whatever its code. Raises TryAgain (nothing was done) or Silent (who knows)."""
        content = json.dumps(body, ensure_ascii=False).encode()
        kind = {"Content-Type": "application/json; charset=utf-8"}
        return self._with_token(lambda token: self._post(path, token, kind, content))

    def ask(self, path: str, body: Mapping[str, Any]) -> Said:
        """A call that shows nothing to a reader, so that repeating it is harmless.

        Raises TryAgain for silence and refusals that pass; a code that stays comes back.
        """
        return harmless(lambda: self.say(path, body))

    def need(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same when nothing but success will do. Raises TryAgain or Refused."""
        return needed(self.ask(path, body))

    def picture(self, sha256: str, *, stale: str = "") -> str:
        """The media id under which the account's library keeps our picture, put there if need be.

        `stale` is one that the account does not know any more.
        """
        return uploads.reference(
            library(self.way),
            sha256,
            "material",
            lambda: Uploaded(self._upload(sha256, "/cgi-bin/material/add_material", COVER_LIMITS)),
            stale=stale,
        )

    def inline_picture(self, sha256: str) -> str:
        """The address under which an article may show our picture."""
        return uploads.reference(
            library(self.way),
            sha256,
            "inline",
            lambda: Uploaded(self._upload(sha256, "/cgi-bin/media/uploadimg", INLINE_LIMITS)),
        )

    def _upload(self, sha256: str, path: str, limits: Limits) -> str:
        file = renditions.fitted(sha256, limits)
        kind, body = multipart({}, File("media", file.filename, file.mime, file.content))

        def send(token: str) -> Reply:
            return self._post(path, token, kind, body, type="image")

        found = needed(harmless(lambda: self._with_token(send)))
        named = str(found.get("media_id") or found.get("url") or "")
        if not named:
            raise TryAgain(BUSY)
        return named

    def _post(
        self, path: str, token: str, headers: Mapping[str, str], body: bytes, **query: str
    ) -> Reply:
        address = {"access_token": token, **query}
        return self.line.call("POST", path, query=address, headers=headers, body=body)

    def _with_token(self, send: Callable[[str], Reply]) -> Said:
        token = self._hushed(self.token())
        said = said_by(send(token))
        if said.means is Means.TOKEN:
            said = said_by(send(self._hushed(self.token(stale=token))))
        return said

    def _hushed(self, token: str) -> str:
        if token not in self.line.hush:
            self.line.hush.append(token)
        return token

    def _fetch(self, stale: str) -> Fresh:
        """A token; when it is the refused one again, the carrier is told to make another."""
        fresh = self._asked(force=False)
        return self._asked(force=True) if stale and fresh.token == stale else fresh

    def _asked(self, *, force: bool) -> Fresh:
        body = {
            "grant_type": "client_credential",
            "appid": str(self.way.settings.get("appid", "")),
            "secret": self._secret,
            "force_refresh": force,
        }
        said = harmless(lambda: said_by(self.line.post("/cgi-bin/stable_token", body)))
        if said.means is Means.TOKEN:  # here it speaks of the secret itself
            raise Refused(said.words, pauses_account=True)
        found = needed(said)
        if not found.get("access_token"):
            raise TryAgain(BUSY)
        self._hushed(str(found["access_token"]))
        return Fresh(str(found["access_token"]), timedelta(seconds=int(found.get("expires_in", 0))))


def library(way: Way) -> str:
    """Whose pictures these are; never another account's."""
    return f"oa:{way.settings.get('appid', '')}"


def _base(settings: Mapping[str, Any]) -> str:
    return str(settings.get("base_url") or REAL_SITE)
