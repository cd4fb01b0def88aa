"""What every page gets: the rail's places, the language, the banner, formats for times and numbers."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import structlog
from flask import Flask, request, url_for
from flask_babel import get_locale, gettext
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError

from cms.accounts.permissions import Permission, may
from cms.core import health
from cms.core.config import Settings, current
from cms.core.db import session
from cms.core.errors import Problem
from cms.core.i18n import N_
from cms.core.sentences import worded
from cms.web import demo_carriers
from cms.web.forms import say
from cms.web.places import PLACES
from schedules import inbox

log = structlog.get_logger(__name__)


def settings() -> Settings:
    """The settings the running app was made with."""
    return current()


def locale_code() -> str:
    """`zh` or `en`, as this page is written."""
    return "zh" if str(get_locale()).startswith("zh") else "en"


def local(moment: datetime) -> datetime:
    """The instant in the workspace's zone."""
    return moment.astimezone(settings().zone)


def moment(instant: datetime) -> str:
    """Date and minute in the workspace's zone, the same length everywhere."""
    return f"{local(instant):%Y-%m-%d %H:%M}"


def name_of(row: Any, field: str = "name") -> str:
    """A bilingual row's name in the page's language."""
    return getattr(row, f"{field}_{locale_code()}") or getattr(row, f"{field}_en")


def listed(words: Iterable[Any]) -> str:
    """Words one after another, as the page's language writes a list."""
    return ("、" if locale_code() == "zh" else ", ").join(map(str, words))


def in_a_row(sentences: Iterable[Any]) -> Markup:
    """Sentences one after another; Chinese ones stand without a gap. What a page has escaped stays as it is."""
    gap = Markup("") if locale_code() == "zh" else Markup(" ")
    return gap.join(one for one in sentences if one)


def told(text: str, parts: Mapping[str, Any] | None = None) -> str:
    """A stored sentence in the page's language; `parts` are its template and what fills it."""
    if not parts:
        return gettext(text)
    return say(Problem("told", parts["message"], parts["params"]))


def choose_locale() -> str:
    """The user's own choice, else what the browser prefers."""
    if current_user and current_user.is_authenticated:
        return "zh_Hans_CN" if current_user.locale == "zh" else "en"
    best = request.accept_languages.best_match(["zh", "zh-CN", "zh-Hans", "en"], "en")
    chosen = request.cookies.get("sb_lang") or best
    return "zh_Hans_CN" if chosen.startswith("zh") else "en"


def connect(app: Flask) -> None:
    app.context_processor(_frame)
    app.jinja_env.globals.update(name_of=name_of, N_=N_, **demo_carriers.names())
    app.jinja_env.filters.update(
        local=local, moment=moment, told=told, listed=listed, in_a_row=in_a_row
    )


BANNER_SECONDS = 5.0
_banner: tuple[float, health.Finding | None] = (-BANNER_SECONDS, None)


def _trouble() -> dict[str, str] | None:
    """The red line above every page while something is at fault; warnings stay on the health page."""
    finding = _worst()
    if finding is None or finding.level is not health.Level.FAULT:
        return None
    text = worded(finding.message, finding.params, gettext)
    return {"tone": "brick", "text": text, "href": url_for("admin.show_health")}


def _worst() -> health.Finding | None:
    """What is most wrong, looked up every few seconds."""
    global _banner
    looked_at, found = _banner
    if time.monotonic() - looked_at < BANNER_SECONDS:
        return found
    found = health.worst(health.examine())
    _banner = (time.monotonic(), found)
    return found


def _frame() -> dict[str, Any]:
    signed_in = current_user.is_authenticated
    return {
        "banner": _trouble() if signed_in and not settings().is_test else None,
        "locale": locale_code(),
        "theme": current_user.theme if signed_in else "auto",
        "places": _places() if signed_in else [],
        "is_demo_user": signed_in and current_user.is_demo,
    }


def _waiting() -> int:
    """A page that says that the database is away must not fail over its own frame."""
    try:
        return inbox.count()
    except SQLAlchemyError as error:
        session.rollback()
        log.warning("inbox_not_counted", error=type(error).__name__)
        return 0


def _places() -> list[dict[str, Any]]:
    """The rail, and beside Today how much waits for somebody who may decide."""
    waiting = _waiting() if may(current_user.role, Permission.PUBLICATION_RESOLVE) else 0
    return [
        {
            "name": place.area,
            "label": place.label,
            "icon": place.icon,
            "href": url_for(place.endpoint),
            "current": request.blueprint == place.area,
            "waiting": waiting if place.area == "today" else 0,
        }
        for place in PLACES
        if may(current_user.role, place.permission)
    ]
