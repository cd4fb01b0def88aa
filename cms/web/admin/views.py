"""Settings: where they begin, and whether everything is well."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from cms.accounts.permissions import Permission
from cms.core import beats, health
from cms.core.sentences import worded
from cms.web.guard import requires
from schedules.states import PublicationState

FIGURES = {
    "answer_ms": _("Answer, milliseconds"),
    "waiting": _("Waiting jobs"),
    "seconds_since_beat": _("Seconds since the last sign of life"),
    "missing": _("Missing"),
    "oldest_overdue_seconds": _("Oldest overdue, seconds"),
    "published_last_day": _("Published in 24 hours"),
    "states": _("Posts by state"),
    "left_behind": _("Posts left behind"),
    "clocks_in_doubt": _("Clocks whose time leapt"),
    "steps_failing": _("Steps that keep failing"),
    "stops": _("Stops in force"),
    "state": _("State"),
    "unopenable": _("Cannot be opened"),
    "documents": _("Assets indexed"),
    "seconds_behind": _("Seconds behind"),
    "journal_bytes": _("Bytes not yet taken in"),
    "oldest_uncounted_seconds": _("Oldest not yet counted, seconds"),
}

# What the checks and the processes themselves call by short names.
KINDS = {
    **{kind: _(name) for kind, name in health.PROCESSES.items()},
    "publish": _("publishing"),
    "media": _("media"),
    "index": _("search index"),
    "feedback": _("feedback"),
    "ready": _("ready"),
    **{state.value: _(state.value.replace("_", " ").capitalize()) for state in PublicationState},
}

bp = Blueprint("admin", __name__, url_prefix="/settings")


@bp.get("/")
@requires(Permission.CHANNEL_READ)
def index() -> ResponseReturnValue:
    """What can be set, each line leading to its page."""
    return render_template("admin/index.html")


@bp.get("/health")
@requires(Permission.HEALTH_READ)
def show_health() -> ResponseReturnValue:
    """Every check in words, and every process with its last sign of life."""
    findings = health.examine()
    return render_template(
        "admin/health.html",
        checks=[(check, findings[check.slug]) for check in health.CHECKS],
        words=_words,
        worst=health.worst(findings),
        beats=beats.latest(),
        labels=FIGURES,
        kinds=KINDS,
    )


def _words(finding: health.Finding) -> str:
    return worded(finding.message, finding.params, gettext)
