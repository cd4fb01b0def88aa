"""A demo receiver of signed webhooks: checks the signature, knows a repeated message, misbehaves by script."""

import json
from datetime import UTC, datetime
from html import escape
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from cms.core import signing
from cms.demo.carriers.simulator import Simulator, route

LARGEST = 20_000  # bytes of a message
# Words of a script beside those that every demo carrier knows: answered before anything happens.
REFUSALS = {
    "301": (301, {"Location": "/receiver/elsewhere"}),
    "302": (302, {"Location": "http://127.0.0.1:9/"}),
    **{str(status): (status, {}) for status in (400, 401, 403, 404, 408, 409, 410, 413, 422, 425)},
    "503": (503, {"Retry-After": "40"}),
    "504": (504, {}),
}


class Receiver(Simulator):
    """Somebody's own server. `_control/secret` tells it which secrets it shall accept."""

    slug = "receiver"
    name = "Webhook receiver"

    @route("POST", "/hook")
    def take(self, request: Request) -> Response:
        """Accept a message once; the same `webhook-id` again is accepted without effect."""
        body = request.get_data()
        early = self._refusal(request, body)
        if early is not None:
            return early
        message_id = request.headers["webhook-id"]
        if self.book.get("message", message_id) is None:
            said = json.loads(body)
            self.book.put("message", message_id, said)
            self.book.show(str(said.get("type")), self.now(), {"message": message_id, **said})
        return Response(status=204)

    @route("GET", "/")
    def look(self, request: Request) -> Response:
        """What has arrived, for people."""
        rows = "".join(
            f"<h2>{escape(one['type'])}</h2><pre>{escape(json.dumps(one, indent=1, ensure_ascii=False))}</pre>"
            for one in reversed(self.book.shown())
        )
        page = f"<!doctype html><meta charset=utf-8><title>{self.name}</title><h1>{self.name}</h1>"
        answer = Response(page + rows, content_type="text/html; charset=utf-8")
        answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return answer

    def control(self, verb: str, given: dict[str, Any]) -> Response:
        if verb != "secret":
            raise NotFound
        self.book.put("own", "secrets", given["secrets"])
        return self.json({"done": verb})

    def _refusal(self, request: Request, body: bytes) -> Response | None:
        word = str(request.environ.get("seedbed.word", ""))
        if word in REFUSALS:
            status, headers = REFUSALS[word]
            return Response(status=status, headers=headers)
        if len(body) > LARGEST or request.content_type != "application/json":
            return Response(status=400)
        at = datetime.fromtimestamp(self.now(), UTC)
        given = {name.lower(): value for name, value in request.headers.items()}
        secrets = self.book.get("own", "secrets") or []
        if not signing.verify(secrets, given, body, at=at):
            return Response(status=401)
        return None
