"""Finding assets by words, tags, stage and order; counts agree with counting one by one."""

import random
from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import func, select

from cms.core.db import session, transaction
from cms.core.errors import Invalid
from cms.core.i18n import N_
from content_library import jobs, rankings, vocabulary
from content_library.models import Asset, AssetStatus, AssetTag, IndexTask, Tag
from content_library.rankings import RankedValue, Ranking
from content_library.search import projection
from content_library.search.finder import AssetQuery, find
from content_library.vocabulary import TagFields
from tests import factories


@pytest.fixture(autouse=True)
def index(app: Flask):
    projection.index().drop()
    jobs.rebuild()
    yield projection.index()
    projection.index().drop()


def titles(**query) -> list[str]:
    return [found.asset.title for found in find(AssetQuery(**query)).page.rows]


def written(title: str, *tags: Tag, **fields) -> Asset:
    asset = factories.asset(*tags, title=title, html=f"<p>{fields.pop('text', '')}</p>", **fields)
    jobs.index_assets()
    return asset


def test_words_in_both_languages_find_what_holds_them(app):
    written("零基础转行 Java 的三个月", text="每天晚上学两小时")
    written("Salary report 2026", text="What graduates earn")
    assert titles(words="转行") == ["零基础转行 Java 的三个月"]
    assert titles(words="JAVA") == ["零基础转行 Java 的三个月"]
    assert titles(words="graduates salary") == ["Salary report 2026"]
    assert titles(words="量子") == []


def test_an_asset_is_found_by_the_names_and_aliases_of_its_tags(app):
    tag = factories.tag(name_en="Dry goods", name_zh="干货")
    with transaction():
        vocabulary.rename(tag, TagFields("Dry goods", "干货", ("硬核",)), by=None)
    written("没有提到", tag)
    for words in ("干货", "dry goods", "硬核"):
        assert titles(words=words) == ["没有提到"]


def test_renaming_a_tag_reaches_the_index(app):
    tag = factories.tag(name_en="Old", name_zh="旧名")
    written("带标签", tag)
    with transaction():
        vocabulary.rename(tag, TagFields("Fresh", "新鲜"), by=None)
    jobs.index_assets()
    assert titles(words="新鲜") == ["带标签"]
    assert titles(words="旧名") == []


def test_relevance_puts_the_title_first_and_filters_keep_the_order(app):
    tag = factories.tag()
    written("别的事", tag, text="简历 在最后提到")
    written("简历怎么写", tag, text="正文")
    written("简历之外", text="没有标签")
    assert titles(words="简历", tags=(tag.slug,)) == ["简历怎么写", "别的事"]


def test_tags_of_one_group_widen_and_groups_narrow(app):
    a, b = factories.tag("theme"), factories.tag("theme")
    c = factories.tag("scene")
    first, second = factories.asset(a, c), factories.asset(b)
    factories.asset()
    both = {found.asset.id for found in find(AssetQuery(tags=(a.slug, b.slug))).page.rows}
    assert both == {first.id, second.id}
    narrowed = find(AssetQuery(tags=(a.slug, b.slug, c.slug))).page.rows
    assert [found.asset.id for found in narrowed] == [first.id]


def test_a_stage_is_a_filter_and_no_other_tag_passes_for_one(app):
    stage, theme = factories.tag("stage", slug="silent"), factories.tag("theme")
    asset = factories.asset(stage)
    factories.asset(theme)
    assert [found.asset.id for found in find(AssetQuery(stage="silent")).page.rows] == [asset.id]
    with pytest.raises(Invalid) as refused:
        find(AssetQuery(stage=theme.slug))
    assert refused.value.fields["stage"].code == "unknown_stage"


def test_retired_assets_appear_only_when_asked_for(app):
    factories.asset(title="gone", status=AssetStatus.RETIRED)
    factories.asset(title="draft", status=AssetStatus.DRAFT)
    assert titles() == ["draft"]
    assert titles(status="retired") == ["gone"]


@pytest.mark.parametrize(
    "query",
    [{"tags": ("nothing",)}, {"kind": "song"}, {"sort": "luck"}, {"lang": "fr"}, {"status": "x"}],
)
def test_what_is_not_offered_is_refused_with_what_is(app, query):
    with pytest.raises(Invalid):
        find(AssetQuery(**query))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_facets_agree_with_counting_one_by_one(app, seed):
    chance = random.Random(seed)
    tags = [factories.tag(group) for group in ("theme", "scene", "step") for _ in range(3)]
    for _ in range(40):
        own = chance.sample(tags, chance.randint(0, 5))
        words = chance.choice(["面试 技巧", "职场 故事", "interview story"])
        factories.asset(*own, title=words, lang=chance.choice(["zh", "en"]))
    jobs.index_assets()
    chosen = chance.sample(tags, 3)
    for words, lang in (("", ""), ("面试", ""), ("story", "en")):
        query = AssetQuery(words=words, lang=lang, tags=tuple(tag.slug for tag in chosen))
        assert find(query).facets == counted_by_hand(words, lang, chosen), (words, lang)


def counted_by_hand(words: str, lang: str, chosen: list[Tag]) -> dict[int, int]:
    counts: Counter[int] = Counter()
    group_of = {tag.id: tag.group_id for tag in session.scalars(select(Tag))}
    for asset in session.scalars(select(Asset)):
        if words not in asset.title or (lang and asset.lang != lang):
            continue
        own = set(session.scalars(select(AssetTag.tag_id).where(AssetTag.asset_id == asset.id)))
        for tag_id in own:
            others = [tag for tag in chosen if tag.group_id != group_of[tag_id]]
            groups = {tag.group_id for tag in others}
            if all(any(t.id in own for t in others if t.group_id == g) for g in groups):
                counts[tag_id] += 1
    return dict(counts)


def test_without_an_index_search_answers_from_the_database_and_says_so(app, index):
    factories.asset(title="简历怎么写", body="正文 100% 真")
    index.drop()
    answer = find(AssetQuery(words="简历"))
    assert [found.asset.title for found in answer.page.rows] == ["简历怎么写"]
    assert answer.notice.code == "index_missing"
    assert find(AssetQuery(words="100%")).page.total == 1
    assert find(AssetQuery(words="50%")).page.total == 0
    jobs.rebuild()
    assert find(AssetQuery(words="简历")).notice is None


def test_the_outbox_is_emptied_and_a_missing_index_keeps_it(app, index):
    asset = factories.asset(title="可以找到")
    index.drop()
    assert jobs.index_assets() == 0
    assert session.scalar(select(func.count()).select_from(IndexTask)) > 0
    jobs.rebuild()
    assert jobs.index_assets() == 1
    assert session.scalar(select(func.count()).select_from(IndexTask)) == 0
    with transaction():
        session.query(AssetTag).filter_by(asset_id=asset.id).delete()
        asset.title = "改名"
        asset.versions[0].title = "改名"
    jobs.index_assets()
    assert titles(words="改名") == ["改名"]
    assert titles(words="找到") == []


def test_matches_are_marked_in_titles(app):
    written("零基础转行 Java")
    [found] = find(AssetQuery(words="java")).page.rows
    assert [text for text, is_match in found.title if is_match] == ["Java"]
    assert "".join(text for text, _ in found.title) == "零基础转行 Java"


class ById(Ranking):
    slug = "by_id"
    label = N_("By number")

    def join(self, rows):
        return rows

    def order_by(self):
        return [Asset.id.asc()]

    def values(self, asset_ids):
        return {one: RankedValue(0.1, 0.05, 0.2, 620, "rate") for one in asset_ids}


def test_a_ranking_of_an_upper_floor_orders_and_shows_its_figures(app, monkeypatch):
    monkeypatch.setattr(rankings, "RANKINGS", type(rankings.RANKINGS)("ranking", ById()))
    made = [factories.asset().id for _ in range(3)]
    answer = find(AssetQuery(sort="by_id"))
    assert [found.asset.id for found in answer.page.rows] == made
    assert answer.page.rows[0].figure.sample == 620


def test_a_page_costs_the_same_few_queries_however_many_assets(app, count_queries):
    tags = [factories.tag(group) for group in ("theme", "scene")]
    for number in range(30):
        factories.asset(*tags, title=f"故事 {number}")
    jobs.index_assets()
    query = AssetQuery(words="故事", tags=tuple(tag.slug for tag in tags))
    find(query)
    with count_queries() as statements:
        assert len(find(query).page.rows) == 24
    assert len(statements) <= 12, statements
