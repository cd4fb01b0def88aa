"""Looking at one asset: what it says, what it is for, its versions, where it is used; its pictures."""

from typing import Any

from flask import render_template, request, send_file
from flask.typing import ResponseReturnValue

from cms.accounts.permissions import Permission
from cms.core.db import session
from cms.core.paging import page_number, paginate
from cms.web.forms import say
from cms.web.guard import requires
from cms.web.library.blueprint import bp
from content_library import assets, media, taggers, tags, versions, vocabulary, where_used
from content_library.models import Asset, AssetVersion, TagSource

LOG_LENGTH = 12
YEAR = 31_536_000


@bp.get("/library/<int:asset_id>")
@requires(Permission.ASSET_READ)
def show(asset_id: int) -> ResponseReturnValue:
    return render_template("library/asset.html", **asset_context(assets.get(asset_id)))


def asset_context(asset: Asset) -> dict[str, Any]:
    """Everything the page of an asset shows."""
    version = assets.current(asset)
    links = tags.of(asset)
    return {
        "asset": asset,
        "version": version,
        "pictures": _shown_apart(version),
        "links": links,
        "proposals": _proposals(asset, version, {link.tag_id for link in links}),
        "changes": session.scalars(tags.changes(asset).limit(LOG_LENGTH)).all(),
        "versions": session.scalars(versions.of(asset).limit(LOG_LENGTH)).all(),
        "uses": where_used.uses(asset.id),
        "groups": vocabulary.groups(),
        "told": [say(problem) for problem in assets.problems_told(version)],
        "human": TagSource.HUMAN,
    }


@bp.get("/library/<int:asset_id>/versions")
@requires(Permission.ASSET_READ)
def list_versions(asset_id: int) -> ResponseReturnValue:
    asset = assets.get(asset_id)
    page = paginate(versions.of(asset), number=page_number(request.args.get("page")))
    return render_template("library/versions.html", asset=asset, page=page)


@bp.get("/library/<int:asset_id>/versions/<int:number>")
@requires(Permission.ASSET_READ)
def show_version(asset_id: int, number: int) -> ResponseReturnValue:
    asset = assets.get(asset_id)
    version = versions.numbered(asset, number)
    before = versions.numbered(asset, number - 1) if number > 1 else None
    return render_template(
        "library/version.html",
        asset=asset,
        version=version,
        before=before,
        pictures=_shown_apart(version),
        lines=versions.compare(_as_text(before), _as_text(version)) if before else [],
    )


@bp.get("/library/<int:asset_id>/changes")
@requires(Permission.ASSET_READ)
def list_changes(asset_id: int) -> ResponseReturnValue:
    asset = assets.get(asset_id)
    page = paginate(tags.changes(asset), number=page_number(request.args.get("page")))
    return render_template("library/changes.html", asset=asset, page=page)


@bp.get("/media/<sha256>/<rendition>")
@requires(Permission.ASSET_READ)
def picture(sha256: str, rendition: str) -> ResponseReturnValue:
    """A picture's file. Its address names its content, so a browser may keep it for ever."""
    served = media.served(media.by_sha(sha256), rendition)
    answer = send_file(served.path, mimetype=served.mime, conditional=True, etag=sha256 + rendition)
    answer.headers["Cache-Control"] = f"private, max-age={YEAR}, immutable"
    return answer


def _shown_apart(version: AssetVersion) -> list[Any]:
    """Cover and poster; the pictures of a text stand in the text."""
    return [link for link in version.media_links if link.role != "inline"]


def _proposals(asset: Asset, version: AssetVersion, carried: set[int]) -> list[taggers.Proposal]:
    words = taggers.words_of(asset, version)
    return [one for one in taggers.propose(words) if one.tag.id not in carried]


def _as_text(version: AssetVersion) -> str:
    """A version as lines to compare: its fields first, then its text."""
    fields = [version.title, version.summary, version.content.get("url", "")]
    alts = [link.alt for link in version.media_links]
    return "\n".join([line for line in (*fields, *alts) if line] + [version.body])
