"""Settings: where they begin, and whether everything is well."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from cms.accounts.permissions import Permission
from cms.core import beats, health
from cms.web.guard import requires

bp = Blueprint("admin", __name__, url_prefix="/settings")


@bp.get("/")
@requires(Permission.CHANNEL_READ)
def index() -> ResponseReturnValue:
    """What can be set, each line leading to its page."""
    return render_template("admin/index.html", known_endpoints=current_app.view_functions)


@bp.get("/health")
@requires(Permission.HEALTH_READ)
def show_health() -> ResponseReturnValue:
    """Every check in words, and every process with its last sign of life."""
    findings = health.examine()
    return render_template(
        "admin/health.html",
        checks=[(check, findings[check.slug]) for check in health.CHECKS],
        worst=health.worst(findings),
        beats=beats.latest(),
    )
