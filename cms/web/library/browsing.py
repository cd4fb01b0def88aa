"""Looking for assets: the library page, the board's tray, the command palette."""

from typing import Any

from flask import jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cms.accounts.permissions import Permission, may
from cms.core.paging import page_number
from cms.web.forms import say
from cms.web.frame import name_of
from cms.web.guard import actor, requires
from cms.web.library.blueprint import LANGUAGE_NAMES, STATUS_NAMES, bp
from cms.web.library.cards import tray_item
from cms.web.places import PLACES
from content_library import vocabulary
from content_library.kinds import KINDS
from content_library.search import finder
from content_library.search.finder import AssetQuery, FoundPage

LAYOUTS = ("grid", "list")
TRAY_LENGTH = 30
PALETTE_LENGTH = 8
LONGEST_WORDS = 300


@bp.get("/library")
@requires(Permission.ASSET_READ)
def index() -> ResponseReturnValue:
    query = _query()
    found = finder.find(query)
    layout = request.args.get("layout") or "grid"
    return render_template(
        "library/index.html",
        found=found,
        query=query,
        notice=say(found.notice) if found.notice else None,
        groups=_facet_groups(found, query),
        chosen=_chosen(query),
        sorts=[(slug, _(label)) for slug, label in finder.sorts()],
        args=_args(query),
        layout=layout if layout in LAYOUTS else "grid",
        statuses=STATUS_NAMES,
        languages=LANGUAGE_NAMES,
        is_filtered=bool(_args(query)),
    )


@bp.get("/library/tray")
@requires(Permission.ASSET_READ)
def tray() -> ResponseReturnValue:
    """The search and its answers beside the board: a fragment for its script, else a page."""
    query = _query(per_page=TRAY_LENGTH)
    found = finder.find(query, with_facets=False)
    context: dict[str, Any] = {
        "items": [tray_item(one) for one in found.page.rows],
        "total": found.page.total,
        "query": query,
        "notice": say(found.notice) if found.notice else None,
        "groups": [group for group in vocabulary.groups() if group.slug in ("theme", "stage")],
    }
    is_fragment = "X-Requested-With" in request.headers
    return render_template("library/_tray.html" if is_fragment else "library/tray.html", **context)


@bp.get("/palette.json")
@requires(Permission.ASSET_READ)
def palette() -> ResponseReturnValue:
    """Places and assets that the words mean, as the palette wants them."""
    words = request.args.get("q", "")[:LONGEST_WORDS].strip()
    places = [
        {
            "label": str(place.label),
            "detail": _("Go to"),
            "href": url_for(place.endpoint),
            "icon": place.icon,
        }
        for place in PLACES
        if may(actor().role, place.permission) and words.casefold() in str(place.label).casefold()
    ]
    if not words:
        return jsonify(places)
    found = finder.find(AssetQuery(words=words, per_page=PALETTE_LENGTH), with_facets=False)
    assets = [
        {
            "label": one.asset.title,
            "detail": _(KINDS.get(one.asset.kind).label),
            "href": url_for("library.show", asset_id=one.asset.id),
            "icon": KINDS.get(one.asset.kind).icon,
        }
        for one in found.page.rows
    ]
    return jsonify(places + assets)


def _query(per_page: int = 24) -> AssetQuery:
    args = request.args
    return AssetQuery(
        words=args.get("q", "")[:LONGEST_WORDS].strip(),
        tags=tuple(dict.fromkeys(slug for slug in args.getlist("tag") if slug)),
        stage=args.get("stage", ""),
        kind=args.get("kind", ""),
        status=args.get("status", ""),
        lang=args.get("lang", ""),
        sort=args.get("sort", ""),
        page=page_number(args.get("page")),
        per_page=per_page,
    )


def _args(query: AssetQuery) -> dict[str, Any]:
    """The query as arguments of an address, defaults left out."""
    args = {
        "q": query.words,
        "tag": list(query.tags),
        "stage": query.stage,
        "kind": query.kind,
        "status": query.status,
        "lang": query.lang,
        "sort": query.sort,
        "layout": request.args.get("layout", ""),
    }
    return {name: value for name, value in args.items() if value}


def _facet_groups(found: FoundPage, query: AssetQuery) -> list[dict[str, Any]]:
    """The tags that would leave something, and those chosen, under their groups."""
    chosen = {*query.tags, query.stage}
    groups = []
    for group in vocabulary.groups():
        tags = [
            {"tag": tag, "count": found.facets.get(tag.id, 0), "is_chosen": tag.slug in chosen}
            for tag in group.tags
            if tag.is_active and (found.facets.get(tag.id) or tag.slug in chosen)
        ]
        if tags:
            groups.append({"group": group, "tags": tags})
    return groups


def _chosen(query: AssetQuery) -> list[dict[str, Any]]:
    """Each chosen tag with the arguments of the same search without it."""
    args = _args(query)
    chosen = vocabulary.by_slugs([*query.tags, *([query.stage] if query.stage else [])])
    without = []
    for tag in chosen:
        rest = {**args, "tag": [slug for slug in query.tags if slug != tag.slug]}
        if tag.slug == query.stage:
            rest.pop("stage", None)
        without.append({"name": name_of(tag), "hue": tag.hue, "args": rest})
    return without
