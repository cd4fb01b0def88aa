"""What the board's hands ask for: putting an asset or a post into a slot, and what that would meet."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from audience import pools
from cms.accounts.permissions import Permission
from cms.core.db import transaction
from cms.core.errors import Invalid, invalid
from cms.core.i18n import N_
from cms.web.calendar.blueprint import bp, team_calendar
from cms.web.calendar.drawing import Pen, changed_cells, day_words
from cms.web.calendar.weeks import filters, monday_from
from cms.web.forms import say, takes
from cms.web.guard import actor, requires
from cms.web.numbers import row_number
from content_library import assets
from content_library.models import Asset
from schedules import accounts, board, foresight, landing, placing, posts, publications
from schedules.board import Board, Wanted
from schedules.models import Post
from schedules.placing import Wish
from schedules.slots import Place

_ID = N_("Choose one of those offered.")


@bp.post("/weeks/<monday>/posts")
@requires(Permission.POST_WRITE)
@takes("asset", "slot")
def drop_asset(monday: str) -> ResponseReturnValue:
    """Plan an asset where it was put down."""
    asset = assets.get(_number(request.form, "asset"))
    calendar = team_calendar()

    def plan() -> str:
        place = landing.resolve(calendar, request.form.get("slot", ""))
        posts.create(
            calendar=calendar,
            pool=pools.get(place.pool_id),
            account=accounts.get(place.account_id),
            asset=asset,
            wall_date=place.on,
            wall_time=place.at,
            by=actor(),
        )
        return _("Planned for %(when)s.", when=_words(place))

    return _answer(monday_from(monday), plan)


@bp.post("/posts/<int:post_id>/carry")
@requires(Permission.POST_WRITE)
@takes("slot")
def carry(post_id: int) -> ResponseReturnValue:
    """Move a post to where it was put down."""

    def move() -> str:
        post = posts.get(post_id)
        place = landing.resolve(post.calendar, request.form.get("slot", ""), moving=post)
        posts.move(
            post,
            wall_date=place.on,
            wall_time=place.at,
            pool=pools.get(place.pool_id),
            account=accounts.get(place.account_id),
            by=actor(),
        )
        return _("Moved to %(when)s.", when=_words(place))

    return _answer(monday_from(request.args.get("week", "")), move)


@bp.get("/check.json")
@requires(Permission.POST_WRITE)
def check() -> ResponseReturnValue:
    """What putting it there would meet; changes nothing."""
    moving = posts.get(_number(request.args, "post")) if request.args.get("post") else None
    asset = moving.asset if moving else assets.get(_number(request.args, "asset"))
    try:
        place = _foresee(asset, moving)
    except Invalid as error:
        return jsonify(error=error.problem.code, message=say(error.problem), warnings=[])
    calendar = moving.calendar if moving else team_calendar()
    warnings = [say(one.problem) for one in foresight.concerns_at(calendar, place, moving)]
    cautions = foresight.cautions_at(calendar, asset, place, moving)
    warnings += [say(one.problem) for one in cautions]
    return jsonify(message=_words(place), warnings=warnings)


def _foresee(asset: Asset, moving: Post | None) -> Place:
    calendar = moving.calendar if moving else team_calendar()
    if moving is not None:
        publications.refuse_if_going_out(moving)
    place = landing.resolve(calendar, request.args.get("slot", ""), moving=moving)
    wish = Wish(
        calendar,
        pools.get(place.pool_id),
        accounts.get(place.account_id),
        place.on,
        place.at,
    )
    placing.settle(wish, asset, moving=moving)
    return place


def _answer(monday: date, act: Callable[[], str]) -> ResponseReturnValue:
    """Do it, and send every cell that looks different now."""
    keep = filters()
    before = _board(monday, keep)
    with transaction():
        message = act()
    after = _board(monday, keep)
    pen = Pen(after, keep)
    cells = {cell.id: pen.html_of(cell) for cell in changed_cells(before, after)}
    return jsonify(cells=cells, message=message)


def _board(monday: date, keep: dict[str, Any]) -> Board:
    return board.week(team_calendar(), monday, Wanted(**keep))


def _number(source: Mapping[str, str], name: str) -> int:
    number = row_number(source.get(name, ""))
    if number is None:
        raise invalid(name, "bad_choice", _ID)
    return number


def _words(place: Place) -> str:
    return f"{day_words(place.on)} {place.at:%H:%M} · {pools.get(place.pool_id).name}"
