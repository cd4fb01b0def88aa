"""The weekly pattern of slots, and what an administrator says about the calendar."""

from collections import defaultdict
from datetime import time, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy import select
from wtforms.fields.choices import SelectChoice

from cms.accounts.permissions import Permission
from cms.core.db import session, transaction
from cms.core.errors import Invalid
from cms.web.calendar.blueprint import bp, team_calendar
from cms.web.calendar.forms import CalendarForm, SlotForm
from cms.web.forms import show_faults, takes
from cms.web.frame import name_of
from cms.web.guard import actor, requires
from cms.web.numbers import row_number
from content_library import vocabulary
from content_library.models import Tag, TagGroup
from schedules import accounts, calendars, slots, wall_time
from schedules.calendars import CalendarFields
from schedules.models import SlotTemplate

ANY_THEME = 0
QUIET = ("quiet_from", "quiet_until")


@bp.get("/slots")
@requires(Permission.CHANNEL_READ)
def list_slots() -> ResponseReturnValue:
    return _slots(_slot_form(SlotForm(formdata=None)))


@bp.post("/slots")
@requires(Permission.CHANNEL_WRITE)
def add_slot() -> ResponseReturnValue:
    form = _slot_form(SlotForm())
    if not form.validate_on_submit():
        return _slots(form), 422
    try:
        with transaction():
            theme = form.wanted_theme.data
            slots.add(
                team_calendar(),
                accounts.get(form.account.data),
                weekday=form.weekday.data,
                wall_time=wall_time.parse_time(form.wall_time.data or ""),
                wanted_theme=vocabulary.get(theme) if theme else None,
                by=actor(),
            )
    except Invalid as error:
        show_faults(form, error)
        return _slots(form), 422
    return _saved(_("The slot is added."))


@bp.post("/slots/<int:template_id>/theme")
@requires(Permission.CHANNEL_WRITE)
@takes("wanted_theme")
def want_theme(template_id: int) -> ResponseReturnValue:
    chosen = request.form.get("wanted_theme", "")
    theme = row_number(chosen) or ANY_THEME
    with transaction():
        slots.want(slots.get(template_id), vocabulary.get(theme) if theme else None, by=actor())
    return _saved(_("The slot is saved."))


@bp.post("/slots/<int:template_id>/remove")
@requires(Permission.CHANNEL_WRITE)
@takes()
def remove_slot(template_id: int) -> ResponseReturnValue:
    with transaction():
        slots.remove(slots.get(template_id), by=actor())
    return _saved(_("The slot is removed; posts that stand in it stay."))


@bp.route("/settings", methods=["GET", "POST"])
@requires(Permission.CHANNEL_WRITE)
def change_calendar() -> ResponseReturnValue:
    calendar = team_calendar()
    form = CalendarForm(obj=calendar)
    for name in QUIET:
        if isinstance(form[name].data, time):  # the calendar's own, when none was sent
            form[name].data = f"{form[name].data:%H:%M}"
    if form.validate_on_submit():
        try:
            with transaction():
                calendars.change(calendar, _fields(form), by=actor())
            flash(_("The calendar is saved."), "success")
            return redirect(url_for("calendar.change_calendar"))
        except Invalid as error:
            show_faults(form, error)
    status = 422 if form.is_submitted() else 200
    return render_template("calendar/settings.html", form=form), status


def _fields(form: CalendarForm) -> CalendarFields:
    late_moments, late_group, gap = (
        form[name].data if form[name].data is not None else -1
        for name in ("late_moments_minutes", "late_group_minutes", "gap_minutes")
    )
    return CalendarFields(
        name=form.name.data or "",
        timezone=(form.timezone.data or "").strip(),
        late_moments_minutes=late_moments,
        late_group_minutes=late_group,
        gap_minutes=gap,
        quiet_from=_time_of(form, "quiet_from"),
        quiet_until=_time_of(form, "quiet_until"),
    )


def _time_of(form: CalendarForm, name: str) -> time | None:
    text = (form[name].data or "").strip()
    return wall_time.parse_time(text, name) if text else None


def _saved(words: str) -> ResponseReturnValue:
    flash(words, "success")
    return redirect(url_for("calendar.list_slots"))


def _slots(form: SlotForm) -> str:
    """One table an account: days across, its times in each."""
    calendar = team_calendar()
    by_account: dict[int, dict[int, list[SlotTemplate]]] = defaultdict(lambda: defaultdict(list))
    for template in session.scalars(slots.pattern(calendar)):
        by_account[template.account_id][template.weekday].append(template)
    speaking = session.scalars(accounts.in_order()).all()
    return render_template(
        "calendar/slots.html",
        form=form,
        calendar=calendar,
        rows=[(account, by_account[account.id]) for account in speaking],
        days=_day_names(),
        themes=_themes(),
    )


def _slot_form(form: SlotForm) -> SlotForm:
    form.account.choices = [
        SelectChoice(one.id, one.name) for one in session.scalars(accounts.in_service())
    ]
    form.weekday.choices = [SelectChoice(n, name) for n, name in enumerate(_day_names())]
    form.wanted_theme.choices = [SelectChoice(*one) for one in _themes()]
    return form


def _day_names() -> list[str]:
    monday = wall_time.monday_of(calendars.today(team_calendar()))
    return [format_date(monday + timedelta(days=n), "EEEE") for n in range(7)]


def _themes() -> list[Any]:
    rows = session.scalars(
        select(Tag)
        .join(TagGroup, TagGroup.id == Tag.group_id)
        .where(TagGroup.slug == slots.THEMES, Tag.is_active)
        .order_by(Tag.position, Tag.id)
    )
    return [(ANY_THEME, _("Any")), *((tag.id, name_of(tag)) for tag in rows)]
