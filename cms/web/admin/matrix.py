"""What each carrier can do, as a page: read off the channels, so it cannot fall behind them."""

from flask import render_template
from flask.typing import ResponseReturnValue

from cms.accounts.permissions import Permission
from cms.web.admin.views import bp
from cms.web.forms import say
from cms.web.guard import requires
from schedules import matrix


@bp.get("/channels")
@requires(Permission.CHANNEL_READ)
def show_channels() -> ResponseReturnValue:
    return render_template(
        "admin/channels.html", rows=list(matrix.rows()), metrics=matrix.METRICS, say=say
    )
