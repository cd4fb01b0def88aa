"""One visit of a reader: the first-party cookie, the proof in our own forms, what speaks for a program."""

import hashlib
import hmac
import re
import secrets
from urllib.parse import urlsplit

from flask import Response, g, request

from cms.core.clock import now
from cms.web.frame import settings
from feedback import visitors
from feedback.verdicts import request_reasons
from feedback.visitors import Visitor

COOKIE = "sb_v"
A_YEAR = 365 * 24 * 3600
PROOF = "proof"

_VISIT = re.compile(r"[0-9a-f]{16}")


def cookie() -> str:
    """The reader's cookie, or the new one that this answer will set."""
    if "reader_cookie" not in g:
        sent = request.cookies.get(COOKIE, "")
        g.is_reader_new = not visitors.is_cookie(sent)
        g.reader_cookie = visitors.new_cookie() if g.is_reader_new else sent
    return str(g.reader_cookie)


def visitor() -> Visitor:
    """Who asks. A cookie we only now give out proves nothing yet, so until then the key is weak."""
    key = visitors.cookie_key(cookie())
    weak = visitors.weak_key(request.remote_addr or "", request.user_agent.string, now())
    if g.is_reader_new:
        return Visitor(weak, "weak", weak, assigned=key)
    return Visitor(key, "cookie", weak)


def reasons() -> tuple[str, ...]:
    """What the request itself says against a person having made it."""
    return request_reasons(request.method, dict(request.headers), request.user_agent.string)


def give_cookie(response: Response) -> Response:
    """Set the cookie on an answer to somebody who has none."""
    value = cookie()
    if g.is_reader_new:
        response.set_cookie(
            COOKIE,
            value,
            max_age=A_YEAR,
            httponly=True,
            samesite="Lax",
            secure=settings().base_url.startswith("https://"),
        )
    return response


def proof(public_id: str) -> str:
    """What our own form on that page carries: nobody can make it without the cookie and our key."""
    told = f"{cookie()}:{public_id}".encode()
    key = f"reader-form:{settings().secret_key}".encode()
    return hmac.new(key, told, hashlib.sha256).hexdigest()[:40]


def is_own_form(public_id: str) -> bool:
    """Whether the form was sent from our own page by the browser that got it."""
    if not visitors.is_cookie(request.cookies.get(COOKIE, "")) or not _is_same_origin():
        return False
    return hmac.compare_digest(proof(public_id).encode(), request.form.get(PROOF, "").encode())


def new_visit() -> str:
    """Names one showing of a page; what happens on it is put in order by its own sequence."""
    return secrets.token_hex(8)


def visit_sent() -> str:
    """The showing a form belongs to, if it says so."""
    sent = request.form.get("visit", "")
    return sent if _VISIT.fullmatch(sent) else ""


def _is_same_origin() -> bool:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if not origin:
        return True  # old browsers say nothing; the double-submitted proof stands alone then
    return urlsplit(origin).netloc in (request.host, urlsplit(settings().base_url).netloc)
