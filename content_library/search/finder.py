"""Finding assets: words through the index, everything else in SQL, with counts beside each filter."""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    cast,
    column,
    false,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy import func as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased, joinedload

from cms.core.db import session
from cms.core.errors import Problem, invalid
from cms.core.i18n import N_
from cms.core.paging import Page
from content_library import rankings
from content_library.kinds import KINDS
from content_library.kinds.base import LANGUAGES
from content_library.models import Asset, AssetStatus, AssetTag, AssetVersion, Tag
from content_library.rankings import Ranking
from content_library.search import projection
from content_library.search.fallback import like_condition
from content_library.search.found import FoundAsset, show
from content_library.search.generations import IndexMissing
from content_library.search.query import Query, parse
from content_library.vocabulary import STAGE_GROUP

IN_USE = (AssetStatus.DRAFT, AssetStatus.READY)
PLAIN_SORTS = ("relevance", "newest", "updated")
MOST_SCORED = 2_000
"""So many of the best matches are ordered by their score; the rest follow, newest first."""

NO_INDEX = N_(
    "The search index is being built. Until it is ready, search looks at titles, summaries and "
    "texts as they are written, and finds somewhat less."
)


@dataclass(frozen=True)
class AssetQuery:
    """What somebody looks for. Tags of one group widen each other, groups narrow each other."""

    words: str = ""
    tags: tuple[str, ...] = ()
    stage: str = ""
    kind: str = ""
    status: str = ""  # empty: draft or ready
    lang: str = ""
    sort: str = ""  # empty: relevance when there are words, else updated
    page: int = 1
    per_page: int = 24


@dataclass(frozen=True)
class FoundPage:
    """A page of assets, and what stands beside it.

    `facets`: how many assets each tag would leave, the filters of its own group not counted;
    `relaxed`: no asset held all the words, so these hold some; `notice`: what limits this answer.
    """

    page: Page[FoundAsset]
    facets: dict[int, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    notice: Problem | None = None
    relaxed: bool = False
    sort: str = "updated"
    ranking: Ranking | None = None


@dataclass(frozen=True)
class _Match:
    """The assets that hold the words: in the index's order, or as a condition while it is missing."""

    query: Query
    ids: tuple[int, ...] = ()
    condition: ColumnElement[bool] | None = None
    relaxed: bool = False
    is_open: bool = False  # no words were given, so all assets match


def sorts() -> list[tuple[str, str]]:
    """Every order on offer with its label."""
    plain = [N_("Relevance"), N_("Newest"), N_("Last changed")]
    return [
        *zip(PLAIN_SORTS, plain, strict=True),
        *((ranking.slug, ranking.label) for ranking in rankings.RANKINGS),
    ]


def find(query: AssetQuery, *, with_facets: bool = True) -> FoundPage:
    """Answer the query; raises Invalid, naming what is allowed, for an unknown filter or order."""
    chosen = _tags(query)
    _judge(query)
    match = _match(query.words)
    sort = query.sort or ("updated" if match.is_open else "relevance")
    ranking = rankings.RANKINGS.get(sort) if sort in rankings.RANKINGS else None
    conditions = _conditions(query, match)
    by_group = _by_group(chosen, match)
    matching = select(Asset.id).where(*conditions, *by_group.values())
    total = session.scalar(select(func.count()).select_from(matching.subquery())) or 0
    rows = _ordered(select(Asset).where(*conditions, *by_group.values()), sort, ranking, match)
    found = session.scalars(
        rows.limit(query.per_page).offset((query.page - 1) * query.per_page)
    ).all()
    return FoundPage(
        page=Page(show(found, match.query, ranking), query.page, query.per_page, total),
        facets=_facets(conditions, by_group) if with_facets else {},
        kinds=_kinds(query, match, by_group) if with_facets else {},
        notice=None if match.condition is None else Problem("index_missing", NO_INDEX),
        relaxed=match.relaxed,
        sort=sort,
        ranking=ranking,
    )


def _tags(query: AssetQuery) -> list[Tag]:
    slugs = {*query.tags, *([query.stage] if query.stage else [])}
    if not slugs:
        return []
    chosen = list(
        session.scalars(select(Tag).where(Tag.slug.in_(slugs)).options(joinedload(Tag.group)))
    )
    unknown = slugs - {tag.slug for tag in chosen}
    stages = {tag.slug for tag in chosen if tag.group.slug == STAGE_GROUP}
    if query.stage and query.stage not in stages:
        raise invalid("stage", "unknown_stage", N_("There is no such stage."))
    if unknown:
        raise invalid("tag", "unknown_tag", N_("There is no tag %(name)s."), name=min(unknown))
    return chosen


def _judge(query: AssetQuery) -> None:
    allowed = (
        ("kind", query.kind, KINDS.slugs),
        ("status", query.status, [status.value for status in AssetStatus]),
        ("lang", query.lang, list(LANGUAGES)),
        ("sort", query.sort, [slug for slug, _label in sorts()]),
    )
    for name, value, values in allowed:
        if value and value not in values:
            raise invalid(
                name,
                "unknown_filter",
                N_("%(value)s is not offered here. Allowed: %(allowed)s."),
                value=value[:40],
                allowed=", ".join(values),
            )


def _match(words: str) -> _Match:
    parsed = parse(words)
    if parsed.is_empty:
        return _Match(parsed, is_open=not words.strip())
    index = projection.index()
    try:
        hits = index.search(parsed, limit=MOST_SCORED)
        if hits.complete:
            return _Match(parsed, hits.ids, relaxed=hits.relaxed)
        others = set(index.matches(parsed).ids) - set(hits.ids)
        return _Match(parsed, (*hits.ids, *sorted(others, reverse=True)), relaxed=hits.relaxed)
    except IndexMissing:
        return _Match(parsed, condition=_like(parsed))


def _like(parsed: Query) -> ColumnElement[bool]:
    held = select(AssetVersion.asset_id).where(
        AssetVersion.asset_id == Asset.id,
        AssetVersion.number == Asset.latest_number,
        like_condition(parsed, [AssetVersion.title, AssetVersion.summary, AssetVersion.body]),
    )
    return held.exists()


def _conditions(query: AssetQuery, match: _Match) -> list[ColumnElement[bool]]:
    """Everything but tags."""
    status = [AssetStatus(query.status)] if query.status else list(IN_USE)
    # With a list of ids at hand the index on status would only lead SQLite the long way round.
    column_of = func.coalesce(Asset.status, literal_column("''")) if match.ids else Asset.status
    conditions: list[ColumnElement[bool]] = [column_of.in_(status)]
    if query.kind:
        conditions.append(Asset.kind == query.kind)
    if query.lang:
        conditions.append(Asset.lang == query.lang)
    if match.condition is not None:
        conditions.append(match.condition)
    elif match.ids:
        conditions.append(Asset.id.in_(select(_listed(match.ids).c.id)))
    elif not match.is_open:
        conditions.append(false())
    return conditions


def _listed(ids: Sequence[int]) -> Any:
    """The ids as a table of `id` and `place`, sent as one value however many they are."""
    text = json.dumps(list(ids), separators=(",", ":"))
    if session.get_bind().dialect.name == "sqlite":
        each = sql.json_each(text).table_valued("key", "value", name="listed")
        return select(each.c.value.label("id"), each.c.key.label("place")).subquery("hits")
    each = (
        sql.jsonb_array_elements(cast(literal(text), JSONB))
        .table_valued(column("value", JSONB), with_ordinality="place", name="listed")
        .render_derived()
    )
    number = cast(each.c.value, Integer)
    return select(number.label("id"), each.c.place.label("place")).subquery("hits")


def _by_group(chosen: Collection[Tag], match: _Match) -> dict[int, ColumnElement[bool]]:
    """One condition a group: the asset carries any of the tags chosen in it."""
    groups: dict[int, list[int]] = defaultdict(list)
    for tag in chosen:
        groups[tag.group_id].append(tag.id)
    return {group_id: _carries(ids, match) for group_id, ids in groups.items()}


def _carries(tag_ids: list[int], match: _Match) -> ColumnElement[bool]:
    carried = aliased(AssetTag)
    rows = select(carried.asset_id).where(carried.tag_id.in_(tag_ids))
    if match.ids:  # few assets to look at: ask each one, rather than list all that carry the tag
        return rows.where(carried.asset_id == Asset.id).correlate(Asset).exists()
    return Asset.id.in_(rows)


def _ordered(rows: Select[Any], sort: str, ranking: Ranking | None, match: _Match) -> Select[Any]:
    if ranking:
        return ranking.join(rows).order_by(*ranking.order_by(), Asset.id.desc())
    if sort == "relevance" and match.ids:
        hits = _listed(match.ids)
        return rows.join(hits, hits.c.id == Asset.id).order_by(hits.c.place)
    if sort == "newest":
        return rows.order_by(Asset.created_at.desc(), Asset.id.desc())
    return rows.order_by(Asset.updated_at.desc(), Asset.id.desc())


def _facets(
    conditions: list[ColumnElement[bool]], by_group: dict[int, ColumnElement[bool]]
) -> dict[int, int]:
    """How many assets each tag would leave. One query, and one more for each group chosen from.

    A group's own choice does not count for its own tags: choosing a second one widens the answer.
    """
    counts = _counted(select(Asset.id).where(*conditions, *by_group.values()))
    for group_id in by_group:
        others = [condition for key, condition in by_group.items() if key != group_id]
        own = select(Tag.id).where(Tag.group_id == group_id)
        within = select(Asset.id).where(*conditions, *others)
        # Wrapped, so that the databases walk the assets found and not every carrier of the group.
        counts |= _counted(within, func.coalesce(AssetTag.tag_id, 0).in_(own))
    return counts


def _counted(matching: Select[Any], *limits: ColumnElement[bool]) -> dict[int, int]:
    rows = session.execute(
        select(AssetTag.tag_id, func.count())
        .where(AssetTag.asset_id.in_(matching), *limits)
        .group_by(AssetTag.tag_id)
    )
    return {tag_id: count for tag_id, count in rows}


def _kinds(
    query: AssetQuery, match: _Match, by_group: dict[int, ColumnElement[bool]]
) -> dict[str, int]:
    """How many assets of each kind, the chosen kind not counted."""
    from_all = AssetQuery(status=query.status, lang=query.lang)
    rows = session.execute(
        select(Asset.kind, func.count())
        .where(*_conditions(from_all, match), *by_group.values())
        .group_by(Asset.kind)
    )
    return {kind: count for kind, count in rows}
