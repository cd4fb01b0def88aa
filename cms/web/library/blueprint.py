"""The blueprint of the library, and what its templates may call."""

from typing import Any

from flask import Blueprint, url_for
from flask_babel import lazy_gettext as _

from cms.core.text import clean_line
from cms.web.guard import can
from content_library import media
from content_library.kinds import KINDS
from content_library.models import AssetStatus, Media, TagSource

bp = Blueprint("library", __name__)

STATUS_NAMES = {
    AssetStatus.DRAFT: _("Draft"),
    AssetStatus.READY: _("Ready"),
    AssetStatus.RETIRED: _("Retired"),
}
SOURCE_NAMES = {
    TagSource.HUMAN: _("a person"),
    TagSource.RULE: _("a rule"),
    TagSource.MODEL: _("a model"),
    TagSource.FEEDBACK: _("reader feedback"),
}
LANGUAGE_NAMES = {"zh": _("Chinese"), "en": _("English")}


@bp.app_template_filter("lang_code")
def lang_code(lang: str) -> str:
    """The language of a text as the lang attribute wants it."""
    return "zh-CN" if lang == "zh" else clean_line(lang)


@bp.app_template_global("picture_address")
def picture_address(picture: Media | None, rendition: str = "card") -> str | None:
    """Where signed-in people get the picture."""
    return media.address(picture.sha256, rendition) if picture else None


@bp.app_context_processor
def _everywhere() -> dict[str, Any]:
    """The command palette stands on every page of whoever may read the library."""
    return {"palette_url": url_for("library.palette")} if can("asset:read") else {}


@bp.context_processor
def _here() -> dict[str, Any]:
    return {
        "kinds": list(KINDS),
        "kind_of": KINDS.get,
        "status_names": STATUS_NAMES,
        "source_names": SOURCE_NAMES,
        "language_names": LANGUAGE_NAMES,
    }
