"""Planning a post by plain forms: choose an asset, choose its place, read it once, done."""

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from audience import stages
from audience.models import Pool
from cms.accounts.permissions import Permission
from cms.core.db import session, transaction
from cms.core.errors import Invalid, NotFound
from cms.core.paging import page_number
from cms.core.text import clean_text
from cms.web.calendar import composing, places
from cms.web.calendar.blueprint import bp, team_calendar
from cms.web.calendar.drawing import day_words
from cms.web.calendar.forms import PlanForm
from cms.web.forms import say, show_faults
from cms.web.guard import actor, requires
from cms.web.library.cards import tray_item
from cms.web.numbers import row_number
from content_library import assets
from content_library.models import Asset
from content_library.search import finder
from content_library.search.finder import AssetQuery, FoundPage
from schedules import calendars, foresight, landing, posts, slots, wall_time, wording
from schedules.models import Calendar, Post
from schedules.slots import Place

PER_PAGE = 24
LONGEST_WORDS = 300


@bp.get("/posts/new")
@requires(Permission.POST_WRITE)
def new_post() -> ResponseReturnValue:
    """First the asset, then its place; either may be given by the address already."""
    asset = _asset(request.args.get("asset"))
    if asset is None:
        return _choose_asset()
    form = PlanForm(formdata=None)
    calendar = team_calendar()
    day = _start(form, calendar)
    form.asset.data = asset.id
    form.text.data = wording.words_of(assets.current(asset))
    return _form(form, asset, calendar, day)


@bp.post("/posts")
@requires(Permission.POST_WRITE)
def create_post() -> ResponseReturnValue:
    form = PlanForm()
    asset = _asset(form.asset.data)
    if asset is None:
        raise NotFound("asset")
    calendar = team_calendar()
    if request.form.get("do") == "preview":
        return _form(form, asset, calendar, _day_of(form, calendar))
    if form.validate_on_submit():
        try:
            with transaction():
                made = _plan(form, asset, calendar)
            where = f"{day_words(made.wall_date)} {made.wall_time:%H:%M}"
            flash(_("Planned for %(when)s.", when=where), "success")
            return redirect(_board_of(made))
        except Invalid as error:
            show_faults(form, error)
    return _form(form, asset, calendar, _day_of(form, calendar)), 422


def _plan(form: PlanForm, asset: Asset, calendar: Calendar) -> Post:
    chosen = places.read(form)
    return posts.create(
        calendar=calendar,
        pool=chosen.pool,
        account=chosen.account or places.speaker(chosen.pool),
        asset=asset,
        wall_date=chosen.on,
        wall_time=chosen.at,
        fold=chosen.fold,
        text=form.text.data or "",
        by=actor(),
    )


def found_assets(words: str) -> FoundPage:
    """Assets to choose from, as the library finds them."""
    query = AssetQuery(words=words, page=page_number(request.args.get("page")), per_page=PER_PAGE)
    return finder.find(query, with_facets=False)


def _choose_asset() -> ResponseReturnValue:
    words = request.args.get("q", "")[:LONGEST_WORDS].strip()
    keep: dict[str, Any] = {
        name: value
        for name in ("slot", "day", "stage")
        if (value := request.args.get(name, "")[:60])
    }
    found = found_assets(words)
    items = [
        tray_item(one) | {"href": url_for("calendar.new_post", asset=one.asset.id, **keep)}
        for one in found.page.rows
    ]
    return render_template(
        "calendar/choose_asset.html",
        items=items,
        page=found.page,
        words=words,
        keep=keep,
        notice=say(found.notice) if found.notice else None,
        place=_place_words(keep.get("slot")),
        endpoint="calendar.new_post",
        args=keep | {"q": words},
        action=url_for("calendar.new_post"),
        back=(_back(keep), _("Board")),
    )


def _form(form: PlanForm, asset: Asset, calendar: Calendar, day: date) -> str:
    places.offer(form, calendar, day)
    return render_template(
        "calendar/plan.html",
        form=form,
        asset=asset,
        version=assets.current(asset),
        warnings=[say(one.problem) for one in _foreseen(form, calendar, asset)],
        pane=_pane(form, asset, calendar),
        back=(url_for("calendar.week", monday=wall_time.monday_of(day).isoformat()), _("Board")),
        asks_fold=bool(form.fold.errors or form.fold.data),
    )


def _pane(form: PlanForm, asset: Asset, calendar: Calendar) -> dict[str, Any] | None:
    """Where nothing is chosen yet, browsers show the first pool: so does the preview."""
    form.pool.data = form.pool.data or next((one.value for one in form.pool.choices), "")
    text = clean_text(form.text.data or "").strip()
    draft = composing.of_plan(form, asset, calendar, text)
    return composing.pane(draft, composing.chosen_account()) if draft else None


def _foreseen(form: PlanForm, calendar: Calendar, asset: Asset) -> list[Any]:
    try:
        place = slots.parse(form.slot.data or "")
        cautions = foresight.cautions_at(calendar, asset, place)
        return [*foresight.concerns_at(calendar, place), *cautions]
    except Invalid:
        return []  # no slot chosen yet, or a fault that stands beside its field


def _start(form: PlanForm, calendar: Calendar) -> date:
    """Fill the place from the address: a slot, or a day and a stage. Returns the day to look at."""
    place = _place(request.args.get("slot"))
    if place is not None:
        form.slot.data = place.name
        form.pool.data = str(place.pool_id)
        form.wall_time.data = f"{place.at:%H:%M}"
    day = place.on if place else _day(request.args.get("day"), calendar)
    form.wall_date.data = day.isoformat()
    stage_id = row_number(request.args.get("stage", ""))
    if place is None and stage_id is not None:
        _start_in_stage(form, calendar, day, stage_id)
    return day


def _start_in_stage(form: PlanForm, calendar: Calendar, day: date, stage_id: int) -> None:
    own = session.scalars(
        select(Pool.id).where(Pool.stage_id == stages.get(stage_id).id, Pool.is_active)
    ).all()
    form.pool.data = str(own[0]) if own else ""
    free = landing.free_of_week(calendar, day, pool_ids=own)
    today = [slot for slot in free if slot.place.on == day]
    form.slot.data = today[0].place.name if today else ""


def _place(name: str | None) -> Place | None:
    try:
        return slots.parse(name) if name else None
    except Invalid:
        raise NotFound("slot") from None


def _place_words(name: str | None) -> str:
    place = _place(name)
    if place is None:
        return ""
    pool = session.get(Pool, place.pool_id)
    return f"{day_words(place.on)} {place.at:%H:%M} · {pool.name if pool else ''}"


def _day(text: str | None, calendar: Calendar) -> date:
    try:
        return wall_time.parse_date(text) if text else calendars.today(calendar)
    except Invalid:
        return calendars.today(calendar)


def _day_of(form: PlanForm, calendar: Calendar) -> date:
    try:
        return (
            slots.parse(form.slot.data).on
            if form.slot.data
            else _day(form.wall_date.data, calendar)
        )
    except Invalid:
        form.slot.data = ""
        return calendars.today(calendar)


def _asset(text: str | None) -> Asset | None:
    text = (text or "").strip()
    if not text:
        return None
    number = row_number(text)
    if number is None:
        raise NotFound("asset")
    return assets.get(number)


def _back(keep: dict[str, Any]) -> str:
    place = _place(keep.get("slot"))
    if place is None:
        return url_for("calendar.index")
    return url_for("calendar.week", monday=wall_time.monday_of(place.on).isoformat())


def _board_of(post: Post) -> str:
    monday = wall_time.monday_of(post.wall_date)
    day = post.wall_date.weekday() + 1
    return url_for("calendar.week", monday=monday.isoformat(), day=day)
