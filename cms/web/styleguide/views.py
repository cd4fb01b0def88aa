"""Shows every component with real words, and a board whose moves are kept in memory only."""

from typing import Any

from flask import Blueprint, abort, get_template_attribute, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from cms.web.forms import takes
from cms.web.guard import public
from cms.web.styleguide import samples

bp = Blueprint("styleguide", __name__, url_prefix="/styleguide")

PAGES = ("index", "board", "sheet", "reader")
REFUSING_STAGE = 4
week = samples.week()


@bp.get("/")
@bp.get("/<page>")
@public
def show(page: str = "index") -> ResponseReturnValue:
    if page not in PAGES:
        abort(404)
    if page == "board" and "reset" in request.args:
        week[:] = samples.week()
    words = {
        "titles": samples.TITLES,
        "themes": samples.THEMES,
        "days": samples.days(),
        "rows": week,
        "sheet": samples.SHEET,
        "assets": samples.assets(),
        "tray": samples.tray(),
    }
    density = request.args.get("density", "comfortable")
    title = samples.TITLES[0][0]
    return render_template(
        f"styleguide/{page}.html", samples=words, density=density, page_title=title
    )


@bp.post("/move/<int:number>")
@public
@takes("slot")
def move(number: int) -> ResponseReturnValue:
    """Move a post of the mock week, as the calendar does it, or refuse as policy would."""
    target = _cell(request.form["slot"])
    found = [
        (entry, cell)
        for row in week
        for cell in row["cells"]
        for entry in cell["entries"]
        if entry.get("id") == number
    ]
    if not found:
        abort(404)
    entry, source = found[0]
    return _put(entry, source, target)


@bp.post("/create")
@public
@takes("asset", "slot")
def create() -> ResponseReturnValue:
    """Plan an asset of the tray into the mock week."""
    title, lang = samples.TITLES[int(request.form["asset"])]
    number = 1000 + sum(len(cell["entries"]) for row in week for cell in row["cells"])
    entry = {
        "id": number,
        "href": f"#post-{number}",
        "time": "20:30",
        "kind": "article",
        "title": title,
        "lang": lang,
        "state": "draft",
        "move_url": f"/styleguide/move/{number}",
    }
    return _put(entry, None, _cell(request.form["slot"]))


def _cell(slot: str) -> dict[str, Any]:
    stage, day = (int(part) for part in slot.split("-")[:2])
    return week[stage]["cells"][day]


def _put(
    entry: dict[str, Any], source: dict[str, Any] | None, target: dict[str, Any]
) -> ResponseReturnValue:
    if target["id"].startswith(f"{REFUSING_STAGE}-"):
        words = "Churned readers get one contact a week. It is used up; choose another stage."
        return jsonify(error="policy", message=words), 409
    if source:
        source["entries"].remove(entry)
    target["entries"].append(entry)
    draw = get_template_attribute("components/board_cell.html", "board_cell")
    cells = {cell["id"]: draw(cell) for cell in (source, target) if cell}
    return jsonify(cells=cells, message="Moved")
