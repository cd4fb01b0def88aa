"""The composer: a post as its carrier would show it, while it is written, and as others would."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from flask import jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cms.accounts.permissions import Permission
from cms.core.clock import now
from cms.core.db import session
from cms.core.errors import Invalid, NotFound, Problem
from cms.core.text import check_filled, check_length, clean_text, count
from cms.web import previews
from cms.web.calendar import places
from cms.web.calendar.blueprint import bp, team_calendar
from cms.web.calendar.forms import PlanForm
from cms.web.forms import say, takes
from cms.web.guard import requires
from cms.web.numbers import row_number
from content_library import assets
from content_library.models import Asset
from schedules import accounts, content, posts, preflight
from schedules.asking_once import asking_once
from schedules.channels import CHANNELS
from schedules.content import Outgoing
from schedules.models import Calendar, ChannelAccount, Post

MOST_CHARACTERS = 50_000  # beyond every carrier's measure
MOST_ACCOUNTS = 40
MOST_PICTURES = 100


@dataclass(frozen=True)
class Draft:
    """What is being written, as it would leave through its own account."""

    outgoing: Outgoing
    scene: previews.Scene
    page: str  # address of the page it is written on, without a choice of account


@bp.post("/posts/<int:post_id>/preview.json")
@requires(Permission.POST_WRITE)
@takes("text", "pictures", "revision", "on")
def preview_post(post_id: int) -> ResponseReturnValue:
    """The post with the words that stand in the form; nothing is saved."""
    return _answer(typed(of_post(posts.get(post_id)), _text(), _pictures()))


@bp.post("/posts/preview.json")
@requires(Permission.POST_WRITE)
@takes("asset", "slot", "pool", "wall_date", "wall_time", "fold", "text", "on")
def preview_plan() -> ResponseReturnValue:
    """The same for a post that nobody has planned yet."""
    form = PlanForm()
    number = row_number(form.asset.data or "")
    if number is None:
        raise NotFound("asset")
    draft = of_plan(form, assets.get(number), team_calendar(), _text())
    if draft is None:
        return jsonify(html=render_template("calendar/_pane.html", pane=None))
    return _answer(draft)


def of_post(post: Post) -> Draft:
    scene = previews.Scene(post.account, post.pool, post.version, post.publish_at)
    page = url_for("calendar.post", post_id=post.id)
    return Draft(content.outgoing(post), scene, page)


def of_plan(form: PlanForm, asset: Asset, calendar: Calendar, text: str) -> Draft | None:
    """None while nobody knows for which pool, or no account reaches it."""
    try:
        pool, account = places.audience(form)
    except (Invalid, NotFound):
        return None
    if account is None:
        return None
    version = assets.current(asset)
    at = places.moment(form, calendar) or now()
    outgoing = content.drafted(version, account, pool, text=text, window=at)
    keep = {"slot": form.slot.data} if form.slot.data else {"day": form.wall_date.data}
    page = url_for("calendar.new_post", asset=asset.id, **keep)
    return Draft(outgoing, previews.Scene(account, pool, version, at), page)


def typed(draft: Draft, text: str, media_ids: Iterable[int] | None = None) -> Draft:
    """The draft with other words, and other pictures where some are named."""
    outgoing = content.reworded(draft.outgoing, text)
    if media_ids is not None:
        outgoing = content.pictured(outgoing, media_ids)
    return replace(draft, outgoing=outgoing)


def pane(draft: Draft, on: int | None = None) -> dict[str, Any]:
    """What the page shows: the chosen account's preview, and how full every other one's measure is."""
    own = draft.scene.account
    with asking_once():
        offered = _offered(draft)
        shown = next((one for one in offered if one.id == on), own)
        outgoing = _through(draft, shown)
        preview = previews.drawn(outgoing, replace(draft.scene, account=shown))
        return {
            "account": shown,
            "channel": CHANNELS.get(shown.channel).name,
            "is_own": shown.id == own.id,
            "preview": preview,
            "extra": preview["meter"].used - count(outgoing.body, preview["meter"].unit),
            "problems": [say(one) for one in _problems(outgoing)],
            "others": [_row(draft, one, shown) for one in offered],
            "page": draft.page,
        }


def chosen_account() -> int | None:
    """For which account the page is asked to draw; nonsense means the post's own."""
    return row_number(request.values.get("on", ""))


def _answer(draft: Draft) -> ResponseReturnValue:
    drawn = pane(draft, chosen_account())
    meter: previews.Meter = drawn["preview"]["meter"]
    return jsonify(
        on=drawn["account"].id,
        counter={
            "used": meter.used,
            "limit": meter.limit,
            "unit": meter.unit.value,
            "tone": meter.tone,
            "extra": drawn["extra"],
            "words": meter.words,
            "pattern": meter.pattern,
        },
        changes=drawn["preview"]["changes"],
        problems=drawn["problems"],
        html=render_template("calendar/_pane.html", pane=drawn),
    )


def _offered(draft: Draft) -> list[ChannelAccount]:
    """The post's own account, those that reach its pool, then all others in service."""
    own, pool = draft.scene.account, draft.scene.pool
    found = {one.id: one for one in session.scalars(accounts.in_service())}
    others = [one for one in found.values() if one.id != own.id]
    others.sort(key=lambda one: not preflight.reaches(one, pool.id))
    return [own, *others][:MOST_ACCOUNTS]


def _row(draft: Draft, account: ChannelAccount, shown: ChannelAccount) -> dict[str, Any]:
    """One account with its own counter and how much stands in the way there."""
    outgoing = _through(draft, account)
    drawn = CHANNELS.get(account.channel).render(outgoing)
    problems = _problems(outgoing)
    return {
        "id": account.id,
        "name": account.name,
        "channel": CHANNELS.get(account.channel).name,
        "meter": previews.Meter(drawn.used, drawn.limit, drawn.unit),
        "problems": len(problems),
        "is_own": account.id == draft.scene.account.id,
        "is_shown": account.id == shown.id,
        "reaches": preflight.reaches(account, draft.scene.pool.id),
    }


def _through(draft: Draft, account: ChannelAccount) -> Outgoing:
    if account.id == draft.scene.account.id:
        return draft.outgoing
    return content.through(draft.outgoing, account)


def _problems(outgoing: Outgoing) -> list[Problem]:
    """What the carrier would not take; words nobody can see stop a post everywhere."""
    found = CHANNELS.get(outgoing.channel).problems(outgoing)
    try:
        check_filled("text", outgoing.body)
    except Invalid as error:
        if error.problem.code not in {one.code for one in found}:
            found.append(error.problem)
    return found


def _text() -> str:
    """The words as saving would keep them."""
    text = clean_text(request.form.get("text", "")).strip()
    check_length("text", text, MOST_CHARACTERS)
    return text


def _pictures() -> list[int]:
    sent = request.form.getlist("pictures")[:MOST_PICTURES]
    return [number for one in sent if (number := row_number(one)) is not None]


__all__ = ["Draft", "chosen_account", "of_plan", "of_post", "pane", "typed"]
