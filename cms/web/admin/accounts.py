"""Channel accounts: seen by all; added, changed, reconnected, tested and paused by administrators."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cms.accounts.permissions import Permission
from cms.core.db import transaction
from cms.core.errors import Conflict, Invalid
from cms.core.paging import page_number, paginate
from cms.web.admin import account_forms, account_words
from cms.web.admin.forms import AccountForm
from cms.web.admin.views import bp
from cms.web.forms import say, show_faults, takes
from cms.web.frame import listed, settings
from cms.web.guard import actor, requires
from schedules import account_health, accounts, trials
from schedules.accounts import AccountFields
from schedules.callbacks import doors
from schedules.channels import CHANNELS, Channel
from schedules.models import ChannelAccount


@bp.get("/accounts")
@requires(Permission.CHANNEL_READ)
def list_accounts() -> ResponseReturnValue:
    """Every way out with its health at a glance."""
    page = paginate(accounts.in_order(), number=page_number(request.args.get("page")))
    return render_template(
        "admin/accounts.html",
        page=page,
        channels=CHANNELS,
        conditions=account_health.conditions(page.rows),
        waiting=account_health.waiting([account.id for account in page.rows]),
        words=account_words,
    )


@bp.get("/accounts/new")
@requires(Permission.CHANNEL_WRITE)
def choose_channel() -> ResponseReturnValue:
    """Which channel first; what is asked then depends on it."""
    cards = [(channel, account_words.sentence(channel)) for channel in CHANNELS]
    return render_template("admin/account_new.html", cards=cards)


@bp.route("/accounts/new/<channel>", methods=["GET", "POST"])
@requires(Permission.CHANNEL_WRITE)
def add_account(channel: str) -> ResponseReturnValue:
    return _edit(CHANNELS.get(channel), None)


@bp.get("/accounts/<int:account_id>")
@requires(Permission.CHANNEL_READ)
def show_account(account_id: int) -> ResponseReturnValue:
    """How the account is doing, and what can be done about it."""
    account = accounts.get(account_id)
    channel = CHANNELS.get(account.channel)
    condition = account_health.condition(account)
    return render_template(
        "admin/account.html",
        account=account,
        channel=channel,
        condition=condition,
        words=account_words,
        resuming=account_health.after_resuming(account) if account.is_paused else None,
        next_due=account_health.next_due(account),
        latest=account_health.latest(account),
        days=account_health.days(account, settings().zone),
        asked=account_health.employees_asked(account),
        left=account_health.left(account),
        held=account_health.held(account),
        callback=doors.address(account) if account.callback_token else "",
        shown=_readable(channel, account),
    )


@bp.route("/accounts/<int:account_id>/edit", methods=["GET", "POST"])
@requires(Permission.CHANNEL_WRITE)
def edit_account(account_id: int) -> ResponseReturnValue:
    account = accounts.get(account_id)
    return _edit(CHANNELS.get(account.channel), account)


@bp.route("/accounts/<int:account_id>/reconnect", methods=["GET", "POST"])
@requires(Permission.CHANNEL_WRITE)
def reconnect_account(account_id: int) -> ResponseReturnValue:
    """New credentials for an account that keeps its history."""
    account = accounts.get(account_id)
    channel = CHANNELS.get(account.channel)
    form = account_forms.connection_form(channel, account)
    if form.validate_on_submit():
        try:
            own = account_forms.judged(form, channel)
            with transaction():
                accounts.reconnect(account, own, by=actor())
            flash(_("Reconnected. Test it before posts leave through it."), "success")
            return redirect(url_for("admin.show_account", account_id=account_id))
        except Invalid as error:
            show_faults(form, error)
    return render_template(
        "admin/account_reconnect.html",
        form=form,
        account=account,
        channel=channel,
        own=account_forms.own_fields(form, channel),
    ), (422 if form.is_submitted() else 200)


@bp.post("/accounts/<int:account_id>/test")
@requires(Permission.CHANNEL_WRITE)
@takes()
def test_account(account_id: int) -> ResponseReturnValue:
    """Connect without a post; whatever comes of it, the account stays as it is."""
    if trials.try_out(account_id, by=actor()):
        flash(_("Tested. What the carrier said stands below."), "warning")
    elif untested := CHANNELS.get(accounts.get(account_id).channel).untested:
        flash(_(untested), "info")
    else:
        flash(_("The connection works."), "success")
    return redirect(url_for("admin.show_account", account_id=account_id))


@bp.post("/accounts/<int:account_id>/pause")
@requires(Permission.CHANNEL_WRITE)
@takes("reason", "back")
def pause_account(account_id: int) -> ResponseReturnValue:
    with transaction():
        accounts.pause(
            accounts.get(account_id), by=actor(), reason=request.form.get("reason", "")[:1000]
        )
    flash(_("Paused: nothing leaves through this account until you resume it."), "warning")
    return _back(account_id)


@bp.post("/accounts/<int:account_id>/resume")
@requires(Permission.CHANNEL_WRITE)
@takes("back")
def resume_account(account_id: int) -> ResponseReturnValue:
    with transaction():
        accounts.resume(accounts.get(account_id), by=actor())
    flash(_("Resumed."), "success")
    return _back(account_id)


@bp.post("/accounts/<int:account_id>/retire")
@requires(Permission.CHANNEL_WRITE)
@takes()
def retire_account(account_id: int) -> ResponseReturnValue:
    """Offer it nowhere any more; what it has sent stays told."""
    try:
        with transaction():
            accounts.retire(accounts.get(account_id), by=actor())
    except Conflict as error:
        flash(say(error.problem), "error")
        return redirect(url_for("admin.show_account", account_id=account_id))
    flash(_("Retired: it is offered no more. Its history stays."), "success")
    return redirect(url_for("admin.list_accounts"))


def _edit(channel: Channel, account: ChannelAccount | None) -> ResponseReturnValue:
    kept = account_forms.kept_secrets(account)
    form = account_forms.account_form(channel, account)
    if form.validate_on_submit():
        try:
            fields = _fields(form, channel, account)
            with transaction():
                saved = _save(account, fields)
            flash(_("The account is saved."), "success")
            return redirect(url_for("admin.show_account", account_id=saved.id))
        except Invalid as error:
            show_faults(form, error)
    return render_template(
        "admin/account_edit.html",
        form=form,
        account=account,
        channel=channel,
        own=account_forms.own_fields(form, channel, kept),
        most=accounts.most_per_minute(channel.slug),
        changed=account_words.ago(account.secrets_changed_at) if account else "",
    ), (422 if form.is_submitted() else 200)


def _fields(form: AccountForm, channel: Channel, account: ChannelAccount | None) -> AccountFields:
    """Judged before the transaction: it may have to look up addresses."""
    return AccountFields(
        name=form.name.data or "",
        channel=channel.slug,
        persona_id=form.persona_id.data or None,
        per_minute=form.per_minute.data or 0,
        pool_ids=form.pool_ids.data or (),
        own=account_forms.judged(form, channel, account_forms.kept_secrets(account)),
        forgotten=account_forms.forgotten(form, channel),
    )


def _save(account: ChannelAccount | None, fields: AccountFields) -> ChannelAccount:
    if account is None:
        return accounts.add(fields, by=actor())
    accounts.change(account, fields, by=actor())
    return account


def _back(account_id: int) -> ResponseReturnValue:
    """To the list for whoever came from there, else to the account."""
    if request.form.get("back") == "list":
        return redirect(url_for("admin.list_accounts"))
    return redirect(url_for("admin.show_account", account_id=account_id))


def _readable(channel: Channel, account: ChannelAccount) -> list[tuple[Any, str]]:
    """The settings that people may read, as the channel names them."""
    shown = []
    for one in channel.fields:
        value = account.settings.get(one.name)
        if not one.is_secret and value not in (None, "", []):
            words = dict(one.choices)
            text = listed(value) if isinstance(value, list) else str(value)
            if isinstance(value, bool):
                text = _("yes") if value else _("no")
            shown.append((_(one.label), _(words[text]) if text in words else text))
    return shown
