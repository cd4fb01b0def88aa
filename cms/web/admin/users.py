"""The team: who is in it, with which role, and their sign-in links."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cms.accounts import audit, tokens, users
from cms.accounts.models import Role
from cms.accounts.permissions import Permission
from cms.core.db import transaction
from cms.core.errors import Invalid, invalid
from cms.core.i18n import N_
from cms.core.paging import page_number, paginate
from cms.web.admin.forms import ROLE_NAMES, UserForm
from cms.web.admin.views import bp
from cms.web.forms import show_faults, takes
from cms.web.frame import settings
from cms.web.guard import actor, requires
from cms.web.numbers import row_number


@bp.get("/users")
@requires(Permission.USER_WRITE)
def list_users() -> ResponseReturnValue:
    return _show(UserForm(formdata=None), 200)


@bp.post("/users")
@requires(Permission.USER_WRITE)
def add_user() -> ResponseReturnValue:
    """Add somebody and show their one-time sign-in link, once."""
    form = UserForm()
    try:
        with transaction():
            user = users.add(
                form.login.data or "", form.name.data or "", _role(form.role.data), by=actor()
            )
            token = tokens.issue(tokens.Purpose.SIGN_IN, user)
    except Invalid as error:
        show_faults(form, error)
        return _show(form, 422)
    _flash_link(user.name, token)
    return redirect(url_for("admin.list_users"))


@bp.post("/users/<int:user_id>/role")
@requires(Permission.USER_WRITE)
@takes("role")
def change_role(user_id: int) -> ResponseReturnValue:
    with transaction():
        users.set_role(users.get(user_id), _role(request.form.get("role")), by=actor())
    flash(_("The role is changed; their open sessions have ended."), "success")
    return redirect(url_for("admin.list_users"))


@bp.post("/users/<int:user_id>/link")
@requires(Permission.USER_WRITE)
@takes()
def make_link(user_id: int) -> ResponseReturnValue:
    with transaction():
        user = users.get(user_id)
        token = tokens.issue(tokens.Purpose.SIGN_IN, user)
        audit.record("user.link_made", user, by=actor())
    _flash_link(user.name, token)
    return redirect(url_for("admin.list_users"))


@bp.post("/users/<int:user_id>/disable")
@requires(Permission.USER_WRITE)
@takes()
def disable_user(user_id: int) -> ResponseReturnValue:
    with transaction():
        users.disable(users.get(user_id), by=actor())
    flash(_("Shut out, everywhere, from this moment."), "success")
    return redirect(url_for("admin.list_users"))


@bp.post("/users/<int:user_id>/enable")
@requires(Permission.USER_WRITE)
@takes()
def enable_user(user_id: int) -> ResponseReturnValue:
    with transaction():
        users.enable(users.get(user_id), by=actor())
    flash(_("Let in again."), "success")
    return redirect(url_for("admin.list_users"))


@bp.get("/audit")
@requires(Permission.AUDIT_READ)
def show_audit() -> ResponseReturnValue:
    """Who did what, newest first; `on=publications:12` narrows it to one object."""
    action = request.args.get("action") or None
    on, object_id = _object(request.args.get("on", ""))
    page = paginate(
        audit.entries(action=action, object_type=on, object_id=object_id),
        number=page_number(request.args.get("page")),
        per_page=50,
    )
    keep = {name: request.args[name] for name in ("action", "on") if request.args.get(name)}
    return render_template("admin/audit.html", page=page, action=action, keep=keep)


def _object(text: str) -> tuple[str | None, int | None]:
    if not text:
        return None, None
    name, _sep, number = text[:80].partition(":")
    object_id = row_number(number)
    if object_id is None:
        raise invalid("on", "bad_filter", N_("Name an object as publications:12."))
    return name, object_id


def _show(form: UserForm, status: int) -> ResponseReturnValue:
    page = paginate(users.everyone(), number=page_number(request.args.get("page")), per_page=50)
    return render_template("admin/users.html", form=form, page=page, roles=ROLE_NAMES), status


def _role(text: str | None) -> Role:
    try:
        return Role(text or "")
    except ValueError:
        raise invalid("role", "bad_role", N_("Choose one of the roles offered.")) from None


def _flash_link(name: str, token: str) -> None:
    link = f"{settings().base_url}/enter/{token}"
    flash(_("Sign-in link for %(name)s, good once: %(link)s", name=name, link=link), "success")
