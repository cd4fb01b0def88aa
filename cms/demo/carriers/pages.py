"""The demo carriers' own pages, in Seedbed's look: what has arrived, and buttons for their employees."""

from typing import Any

from flask import Flask, render_template
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.utils import redirect, send_from_directory
from werkzeug.wrappers import Request, Response

from cms.core.config import ROOT, current
from cms.core.i18n import N_
from cms.demo.carriers import looking
from cms.demo.carriers.serving import Carriers
from cms.demo.carriers.simulator import Simulator

STATIC = ROOT / "static"
VERBS = frozenset({"confirm", "ignore"})
LOOK_OF = {"wecom": "wecom", "oa": "official_account", "mail": "mail", "receiver": "receiver"}
ICONS = {
    "wecom": "smartphone",
    "oa": "book-open",
    "mail": "mail",
    "receiver": "server",
    "telegram": "send",
}
NAMES = {
    "wecom": N_("WeCom"),
    "oa": N_("Official Account"),
    "feishu": N_("Feishu group"),
    "dingtalk": N_("DingTalk group"),
    "slack": N_("Slack channel"),
    "telegram": N_("Telegram"),
    "mail": N_("Demo mailbox"),
    "receiver": N_("Webhook receiver"),
}
SAYS = {
    "wecom": N_("Employees with their tasks on their phones, and a group with a robot."),
    "oa": N_("Articles that were published and messages that followers got."),
    "feishu": N_("A group with a robot."),
    "dingtalk": N_("A group with a robot."),
    "slack": N_("A channel with an app."),
    "telegram": N_("A channel with a bot."),
    "mail": N_("Letters and alerts; each stays on this machine."),
    "receiver": N_("A server that checks the signatures of webhooks."),
}
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


class Pages:
    """Draws a page for people; None for everything that programs ask."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __call__(self, request: Request, carriers: Carriers) -> Response | None:
        slug, _, rest = request.path.lstrip("/").partition("/")
        if slug == "static" and request.method == "GET":
            return send_from_directory(str(STATIC), rest, request.environ, max_age=300)
        if request.path == "/":
            return self._drawn(request, "index", carriers=_cards(carriers))
        member = carriers.members.get(slug)
        if member is None:
            return None
        if request.method == "POST" and rest == "act":
            return _act(request, member)
        if request.method == "GET" and not rest:
            return self._page(request, member)
        return None

    def _page(self, request: Request, member: Simulator) -> Response:
        if not request.path.endswith("/"):
            return redirect(f"/{member.slug}/")
        look = LOOK_OF.get(member.slug, "chat")
        name = NAMES.get(member.slug, member.name)
        return self._drawn(request, look, member=member, name=name, **looking.page_of(member))

    def _drawn(self, request: Request, look: str, **values: Any) -> Response:
        """In the browser's language; nobody is signed in here, whatever cookies the browser brings."""
        headers = {"Accept-Language": request.headers.get("Accept-Language", "en")}
        if chosen := request.cookies.get("sb_lang"):
            headers["Cookie"] = f"sb_lang={'zh' if chosen == 'zh' else 'en'}"
        with self._app.app_context(), self._app.test_request_context("/", headers=headers):
            home = current().base_url
            text = render_template(f"carriers/{look}.html", home=home, **values)
        answer = Response(text, content_type="text/html; charset=utf-8")
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _cards(carriers: Carriers) -> list[dict[str, Any]]:
    return [
        {
            "slug": slug,
            "name": NAMES.get(slug, member.name),
            "says": SAYS.get(slug, ""),
            "icon": ICONS.get(slug, "messages-square"),
            "count": looking.shown_count(member),
        }
        for slug, member in carriers.members.items()
    ]


def _act(request: Request, member: Simulator) -> Response:
    """An employee presses a button on the phone."""
    if member.slug != "wecom":
        raise NotFound
    verb, employee = request.form.get("verb", ""), request.form.get("employee", "")
    task = request.form.get("task", "")
    if verb not in VERBS or not employee or not task:
        raise BadRequest
    with member.book.whole():
        member.control(verb, {"employee": employee, "task": task})
    return redirect(f"/{member.slug}/#phone-{employee}", 303)
