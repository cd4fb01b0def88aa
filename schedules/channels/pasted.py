"""What people paste when they set up a chat robot: its whole address, or only the key in it."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cms.core.errors import Problem
from cms.core.i18n import N_
from schedules.channels.answers import Field

SITE = "base_url"
NO_KEYWORD = N_("%(carrier)s takes only posts with one of these words: %(words)s. Add one.")
_BETWEEN_WORDS = re.compile(r"[,;\n，；、]")


def site_field(default: str) -> Field:
    """Where the carrier is called; only demo carriers and other regions live elsewhere."""
    return Field(
        SITE,
        N_("Carrier's address"),
        N_("Leave it as it is unless the carrier has given you another one."),
        is_required=False,
        default=default,
    )


def site(settings: Mapping[str, Any], default: str, pasted: str = "", known: str = "") -> str:
    """The carrier's base address: what was set, else the `known` one that was pasted, else the usual."""
    chosen = str(settings.get(SITE) or "").rstrip("/")
    if chosen and chosen != default:
        return chosen
    return known if known and pasted.startswith(known + "/") else default


def key_in(pasted: str, pattern: str) -> str:
    """The key in what was pasted, "" when there is none; `pattern` matches key and path before it."""
    text = pasted.strip()
    parts = urlsplit(text)
    if parts.scheme in ("http", "https"):
        text = parts.path + (f"?{parts.query}" if parts.query else "")
    found = re.fullmatch(pattern, text)
    return found["key"] if found else ""


def robot_fields() -> tuple[Field, ...]:
    """What one copies from a group's robot: its address, and what it may demand of each post."""
    return (
        Field(
            "webhook",
            N_("Webhook address"),
            N_("The whole address, or only the key at its end."),
            is_secret=True,
        ),
        Field(
            "secret",
            N_("Signing secret"),
            N_("Only if the robot demands signatures."),
            is_secret=True,
            is_required=False,
        ),
        keywords_field(
            N_("Only if the robot demands them, separated by commas. Each post needs one.")
        ),
    )


def keywords_field(hint: str) -> Field:
    return Field("keywords", N_("Keywords"), hint, is_required=False)


def keyword_problem(text: str, settings: Mapping[str, Any], carrier: str) -> tuple[Problem, ...]:
    """What is wrong when the robot demands one of some words and the text has none."""
    words = [one.strip() for one in _BETWEEN_WORDS.split(str(settings.get("keywords") or ""))]
    words = [one for one in words if one]
    if not words or any(word in text for word in words):
        return ()
    params = {"carrier": carrier, "words": ", ".join(words)}
    return (Problem("keyword_missing", NO_KEYWORD, params),)
