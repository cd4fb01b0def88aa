"""Fills the demo world's library: articles through the importer's door, videos and posters by hand."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from cms.accounts.models import User
from cms.core.clock import holding, now
from cms.core.db import session
from cms.demo import pack
from cms.demo.choosing import Choice
from content_library import assets, media, tags, vocabulary
from content_library.assets import AssetFields, MediaUse
from content_library.importers import Folder, Options, Outcome, Report, import_folder
from content_library.media import Prepared
from content_library.models import Asset, AssetStatus, AssetTag, Tag

IMPORT_NAME = "pack"
ARTICLES = f"{IMPORT_NAME}/articles/"
OWN_SOURCE = "禾灯学堂"
OWN_RIGHTS = "Apache-2.0"
# Articles that were mended after their first weeks: what was added, and why.
MENDED = {
    "zh-evening-plan": ("补上第三周的提醒", "\n\n> 第三周最容易放弃，请提前跟家里说一声。\n"),
    "zh-employment-report": (
        "写明数字截至哪一天",
        "\n\n本文数字截至发布当日，之后有变化会另写一篇。\n",
    ),
    "zh-price-explained": ("加上收款方提醒", "\n\n付款前请核对收款方：只有禾灯学堂一个名字。\n"),
    "en-git-for-one": (
        "Says what to do first",
        "\n\nIf you do only one thing tonight, do the first.\n",
    ),
}


def pictures() -> dict[str, Prepared]:
    """Every picture of the pack, decoded and drawn in its sizes, two at a time; writes no row."""
    files = sorted(pack.POSTERS.glob("*.png"))
    with ThreadPoolExecutor(2) as threads:
        prepared = list(threads.map(_prepared, files))
    return {path.stem: one for path, one in zip(files, prepared, strict=True)}


def _prepared(path: Path) -> Prepared:
    return media.prepare(path.read_bytes(), path.name)


def articles(by: User) -> Report:
    """The Markdown files of the pack, through the door that everybody's files take."""
    options = Options(status=AssetStatus.READY, by=by)
    report = import_folder(Folder(pack.HOME, IMPORT_NAME), options)
    if failed := report.count(Outcome.FAILED):
        raise RuntimeError(f"{failed} files of the demo pack were refused")
    return report


def videos(shown: dict[str, Prepared], by: User) -> int:
    """The video links; how many."""
    rows = pack.read("videos.yaml")["videos"]
    words = _alternatives()
    for row in rows:
        picture = media.keep(shown[row["cover"]], by=by)
        fields = AssetFields(
            title=row["title"],
            summary=row["summary"],
            lang=row["lang"],
            url=row["url"],
            duration=row["duration"],
            cover=MediaUse(picture, "cover", words[row["cover"]]),
            source=OWN_SOURCE,
            rights=OWN_RIGHTS,
        )
        _add("video", fields, row["tags"], key=f"video:{row['url']}", by=by)
    return len(rows)


def posters(shown: dict[str, Prepared], by: User) -> int:
    """The posters; how many."""
    rows = pack.read("posters.yaml")["posters"]
    for row in rows:
        picture = media.keep(shown[row["name"]], by=by)
        joint = "" if row["lang"] == "zh" else " "
        fields = AssetFields(
            title=joint.join(row["title"]),
            summary=row["says"].replace("\n", joint),
            lang=row["lang"],
            poster=MediaUse(picture, "poster", row["alt"]),
            source=OWN_SOURCE,
            rights=OWN_RIGHTS,
        )
        _add("poster", fields, row["tags"], key=f"poster:{row['name']}", by=by)
    return len(rows)


def mend(by: User) -> int:
    """Second versions of a few articles, a day apart; how many."""
    start = now()
    for number, (stem, (note, added)) in enumerate(MENDED.items()):
        asset = assets.by_source_key(key_of(f"{stem}.md"))
        if asset is None:
            raise LookupError(f"the pack has no article {stem}")
        with holding(start + timedelta(days=number)):
            before = assets.fields_of(asset)
            told = {**vars(before), "body": before.body.rstrip() + added, "note": note}
            assets.revise(asset, AssetFields(**told), expected_number=asset.latest_number, by=by)
    return len(MENDED)


def key_of(file_name: str) -> str:
    """How the importer calls an article of the pack."""
    return f"{ARTICLES}{file_name}"


def choices() -> list[Choice]:
    """Every asset that may be planned, as the planners of the demo world see it."""
    carried: dict[int, set[str]] = {}
    rows = session.execute(select(AssetTag.asset_id, Tag.slug).join(Tag, Tag.id == AssetTag.tag_id))
    for asset_id, slug in rows:
        carried.setdefault(asset_id, set()).add(slug)
    found = select(Asset).where(Asset.status == AssetStatus.READY).order_by(Asset.source_key)
    return [
        Choice(
            asset.id,
            name_of(asset),
            asset.kind,
            asset.title,
            asset.lang,
            frozenset(carried.get(asset.id, ())),
        )
        for asset in session.scalars(found)
    ]


def name_of(asset: Asset) -> str:
    """The asset's name in the pack: articles/… .md, video:…, poster:…"""
    key = asset.source_key or f"asset:{asset.id}"
    return key.removeprefix(f"{IMPORT_NAME}/")


def written_by_hand() -> dict[str, frozenset[str]]:
    """The tags the pack gives each asset, whatever the keyword tagger added since."""
    given = {front.name: frozenset(front.tags) for front in pack.fronts()}
    for row in pack.read("videos.yaml")["videos"]:
        given[f"video:{row['url']}"] = frozenset(row["tags"])
    for row in pack.read("posters.yaml")["posters"]:
        given[f"poster:{row['name']}"] = frozenset(row["tags"])
    return given


def _add(kind: str, fields: AssetFields, slugs: list[str], *, key: str, by: User) -> Asset:
    asset = assets.create(kind, fields, by=by, status=AssetStatus.READY, source_key=key)
    for slug in slugs:
        tags.apply(asset, vocabulary.find(slug), by=by)
    return asset


def _alternatives() -> dict[str, str]:
    """What each drawn picture shows, in words."""
    raw = pack.read("posters.yaml")
    return {row["name"]: row["alt"] for row in (*raw["posters"], *raw["covers"])}
