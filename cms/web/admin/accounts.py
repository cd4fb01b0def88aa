"""Channel accounts: seen by all, added, changed and paused by administrators."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from audience import personas, pools
from cms.accounts.permissions import Permission
from cms.core.db import session, transaction
from cms.core.errors import Invalid
from cms.core.paging import page_number, paginate
from cms.web.admin.forms import AccountForm
from cms.web.admin.views import bp
from cms.web.forms import show_faults, takes
from cms.web.guard import actor, requires
from schedules import accounts
from schedules.accounts import AccountFields
from schedules.channels import CHANNELS
from schedules.models import ChannelAccount

NOBODY = 0


@bp.get("/accounts")
@requires(Permission.CHANNEL_READ)
def list_accounts() -> ResponseReturnValue:
    page = paginate(accounts.in_order(), number=page_number(request.args.get("page")))
    return render_template("admin/accounts.html", page=page, channels=CHANNELS)


@bp.route("/accounts/new", methods=["GET", "POST"])
@requires(Permission.CHANNEL_WRITE)
def add_account() -> ResponseReturnValue:
    return _edit(None)


@bp.route("/accounts/<int:account_id>", methods=["GET", "POST"])
@requires(Permission.CHANNEL_WRITE)
def edit_account(account_id: int) -> ResponseReturnValue:
    return _edit(accounts.get(account_id))


@bp.post("/accounts/<int:account_id>/pause")
@requires(Permission.CHANNEL_WRITE)
@takes()
def pause_account(account_id: int) -> ResponseReturnValue:
    with transaction():
        accounts.pause(accounts.get(account_id), by=actor())
    flash(_("Paused: nothing leaves through this account until you resume it."), "warning")
    return redirect(url_for("admin.list_accounts"))


@bp.post("/accounts/<int:account_id>/resume")
@requires(Permission.CHANNEL_WRITE)
@takes()
def resume_account(account_id: int) -> ResponseReturnValue:
    with transaction():
        accounts.resume(accounts.get(account_id), by=actor())
    flash(_("Resumed."), "success")
    return redirect(url_for("admin.list_accounts"))


def _edit(account: ChannelAccount | None) -> ResponseReturnValue:
    form = AccountForm(obj=account)
    _offer(form)
    if account and not form.is_submitted():
        form.pool_ids.data = [pool.id for pool in account.pools]
    if form.validate_on_submit():
        try:
            with transaction():
                _save(account, form)
            flash(_("The account is saved."), "success")
            return redirect(url_for("admin.list_accounts"))
        except Invalid as error:
            show_faults(form, error)
    title = account.name if account else _("New channel account")
    return render_template("admin/account.html", form=form, title=title), (
        422 if form.is_submitted() else 200
    )


def _offer(form: AccountForm) -> None:
    form.channel.choices = [(channel.slug, _(channel.name)) for channel in CHANNELS]
    people = session.scalars(personas.in_order().limit(500))
    form.persona_id.choices = [(NOBODY, _("Nobody")), *((one.id, one.name) for one in people)]
    form.pool_ids.choices = [
        (pool.id, pool.name) for pool in session.scalars(pools.in_order().limit(1000))
    ]


def _save(account: ChannelAccount | None, form: AccountForm) -> None:
    fields = AccountFields(
        name=form.name.data or "",
        channel=form.channel.data,
        persona_id=form.persona_id.data or None,
        per_minute=form.per_minute.data or 0,
        pool_ids=form.pool_ids.data or (),
    )
    if account is None:
        accounts.add(fields, by=actor())
    else:
        accounts.change(account, fields, by=actor())
