"""GET /healthz: the state of the installation, for machines that watch it."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from cms.accounts.permissions import public
from cms.core import health

bp = Blueprint("healthz", __name__)


@bp.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """200 while nothing is at fault, else 503; one object per check with its bare figures."""
    findings = health.examine()
    at_fault = any(finding.level is health.Level.FAULT for finding in findings.values())
    body = {
        "status": "fault" if at_fault else "well",
        "checks": {
            slug: {"level": finding.level, **finding.figures} for slug, finding in findings.items()
        },
    }
    return jsonify(body), 503 if at_fault else 200
