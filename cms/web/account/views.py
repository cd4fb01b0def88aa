"""Signing in and out, one-time links, the first set-up, and one's own preferences."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from cms.accounts import sign_in as signing_in
from cms.accounts import tokens, users
from cms.accounts.models import Role, User
from cms.accounts.permissions import Permission
from cms.core import preparing
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Invalid
from cms.web.account.forms import PasswordForm, SetUpForm, SignInForm
from cms.web.forms import say, show_faults, takes
from cms.web.frame import settings
from cms.web.guard import actor, public, requires
from cms.web.login import enter, leave, safe_next

bp = Blueprint("account", __name__)

HOMES = {
    Role.PLANNER: "calendar.index",
    Role.OPERATOR: "today.index",
    Role.ANALYST: "insights.index",
    Role.ADMINISTRATOR: "calendar.index",
}


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    """Everybody's own start: the place where their day begins."""
    if told := preparing.progress(settings().home):
        return render_template("account/preparing.html", told=told)
    if not current_user.is_authenticated:
        return redirect(url_for("account.sign_in"))
    return redirect(url_for(HOMES[current_user.role]))


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    if told := preparing.progress(settings().home):
        return render_template("account/preparing.html", told=told)
    form = SignInForm()
    if not form.validate_on_submit():
        return _show_sign_in(form, 422 if form.is_submitted() else 200)
    try:
        with transaction():
            user = signing_in.check(
                form.login.data or "", form.password.data or "", address=request.remote_addr or ""
            )
    except signing_in.TooManyTries as error:
        form.form_errors.append(say(error.problem))
        answer = current_app.make_response(_show_sign_in(form, 429))
        answer.headers["Retry-After"] = str(error.seconds)
        return answer
    if user is None:
        form.form_errors.append(_("Login and password do not match. Check both, then try again."))
        return _show_sign_in(form, 422)
    return _let_in(user)


@bp.post("/sign-out")
@public
@takes()
def sign_out() -> ResponseReturnValue:
    leave()
    flash(_("You are signed out."), "success")
    return redirect(url_for("account.sign_in"))


@bp.get("/enter/<token>")
@public
def one_time(token: str) -> ResponseReturnValue:
    """Ask before spending the link, so that a preview or prefetch cannot."""
    link = tokens.find(token)
    if link.purpose == tokens.Purpose.SET_UP:
        return render_template("account/set_up.html", form=SetUpForm(), token=token)
    return render_template("account/enter.html", user=link.user, token=token)


@bp.post("/enter/<token>")
@public
@takes()
def enter_once(token: str) -> ResponseReturnValue:
    with transaction():
        user = tokens.use(token).user
    if user is None or not user.is_active:
        return redirect(url_for("account.sign_in"))
    return _let_in(user)


@bp.post("/set-up/<token>")
@public
def set_up(token: str) -> ResponseReturnValue:
    """The first administrator makes their own account."""
    form = SetUpForm()
    tokens.find(token)
    try:
        with transaction():
            user = users.add(
                form.login.data or "",
                form.name.data or "",
                Role.ADMINISTRATOR,
                password=form.password.data or "",
                by=None,
            )
            tokens.use(token)
    except Invalid as error:
        show_faults(form, error)
        return render_template("account/set_up.html", form=form, token=token), 422
    return _let_in(user)


@bp.post("/preferences")
@public
@takes("language", "theme")
def preferences() -> ResponseReturnValue:
    """Language and light: kept with the user, or in a cookie before signing in."""
    language, theme = request.form.get("language"), request.form.get("theme")
    answer = redirect(safe_next(_path_of(request.referrer)))
    if current_user.is_authenticated:
        with transaction():
            users.set_preferences(actor(), locale=language, theme=theme)
    elif language in ("en", "zh"):
        answer.set_cookie(
            "sb_lang",
            language,
            max_age=31_536_000,
            samesite="Lax",
            httponly=True,
            secure=settings().base_url.startswith("https://"),
        )
    return answer


@bp.route("/profile", methods=["GET", "POST"])
@requires(Permission.PROFILE_WRITE)
def profile() -> ResponseReturnValue:
    form = PasswordForm()
    if not form.is_submitted():
        return render_template("account/profile.html", form=form)
    try:
        with transaction():
            users.set_password(actor(), form.password.data or "", by=actor())
    except Invalid as error:
        show_faults(form, error)
        return render_template("account/profile.html", form=form), 422
    enter(actor())
    flash(_("Your password is changed. Other devices are signed out."), "success")
    return redirect(url_for("account.profile"))


def _let_in(user: User) -> ResponseReturnValue:
    with transaction():
        session.merge(user).last_seen_at = now()
    enter(user)
    return redirect(safe_next(request.args.get("next")))


def _show_sign_in(form: SignInForm, status: int) -> ResponseReturnValue:
    return render_template("account/sign_in.html", form=form), status


def _path_of(referrer: str | None) -> str | None:
    if not referrer or not referrer.startswith(request.host_url):
        return None
    return "/" + referrer[len(request.host_url) :]
