"""The demo Official Account's tokens: the stable one, the plain one, and whether a call may pass."""

import secrets
from datetime import timedelta, timezone
from typing import Any

from werkzeug.wrappers import Request, Response

from cms.demo.carriers.simulator import Simulator, route

APPID = "wxd3m0000000000001"
SECRET = "d3m0" * 8
ZONE = timezone(timedelta(hours=8))  # the carrier's calendar
LIVES = 7200
LAST_MINUTES = 300  # in these a new stable token is given while the old one still works
FORCED_PER_DAY = 20
FORCED_APART = 30


class Tokens(Simulator):
    """Two kinds of token that do not disturb each other; a new plain one voids its predecessor."""

    def error(self, code: int, words: str) -> Response:
        return self.json({"errcode": code, "errmsg": f"{words} rid: {secrets.token_hex(8)}"})

    def trouble(self, request: Request, *, needs_verified: bool = False) -> Response | None:
        """What is wrong with a call before its content is looked at."""
        scripted = self.scripted_errcode(request)
        if scripted is not None:
            return self.error(scripted, "as the script says")
        if self.book.get("console", "blocks_address"):
            return self.error(40164, "invalid ip 127.0.0.1, not in whitelist")
        token = request.args.get("access_token", "")
        if not token:
            return self.error(41001, "access_token missing")
        known = self.book.get("token", token)
        if known is None or known.get("is_void"):
            return self.error(40001, "invalid credential, access_token is invalid or not latest")
        if known["ends_at"] <= self.now():
            return self.error(42001, "access_token expired")
        if needs_verified and self.book.get("console", "unverified"):
            return self.error(48001, "api unauthorized")
        return None

    @route("POST", "/cgi-bin/stable_token")
    def stable_token(self, request: Request) -> Response:
        given = request.get_json(silent=True) or {}
        refused = self._refused(request, str(given.get("appid")), str(given.get("secret")))
        if refused:
            return refused
        name = self.book.get("current", "stable")
        known = self.book.get("token", name) if name else None
        if given.get("force_refresh"):
            if not self._may_force():
                return self.error(45009, "reach max api daily quota limit")
            if known:
                self.book.put("token", name, known | {"is_void": True})
            return self._issue("stable")
        if known and known["ends_at"] - self.now() > LAST_MINUTES:
            return self._told(name, known)
        return self._issue("stable")

    @route("GET", "/cgi-bin/token")
    def plain_token(self, request: Request) -> Response:
        asked = request.args
        refused = self._refused(request, asked.get("appid", ""), asked.get("secret", ""))
        if refused:
            return refused
        name = self.book.get("current", "plain")
        if name:
            self.book.put("token", name, self.book.get("token", name) | {"is_void": True})
        return self._issue("plain")

    def _refused(self, request: Request, appid: str, secret: str) -> Response | None:
        scripted = self.scripted_errcode(request)
        if scripted is not None:
            return self.error(scripted, "as the script says")
        if self.book.get("console", "blocks_address"):
            return self.error(40164, "invalid ip 127.0.0.1, not in whitelist")
        if appid != APPID:
            return self.error(40013, "invalid appid")
        if not secrets.compare_digest(secret.encode(), SECRET.encode()):
            return self.error(40125, "invalid appsecret")
        return None

    def _may_force(self) -> bool:
        forced = [at for at in self.book.get("forced", "at") or [] if at > self.now() - 86_400]
        if len(forced) >= FORCED_PER_DAY or (forced and self.now() - forced[-1] < FORCED_APART):
            return False
        self.book.put("forced", "at", [*forced, self.now()])
        return True

    def _issue(self, kind: str) -> Response:
        name = f"{kind}-{secrets.token_urlsafe(60)}"
        made = {"ends_at": self.now() + LIVES, "kind": kind}
        self.book.put("token", name, made)
        self.book.put("current", kind, name)
        return self._told(name, made)

    def _told(self, name: str, known: dict[str, Any]) -> Response:
        return self.json({"access_token": name, "expires_in": int(known["ends_at"] - self.now())})
