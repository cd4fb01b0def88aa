"""The library page, the tray and the palette: what they find, show, refuse and cost."""

import pytest

from content_library import jobs
from content_library.models import AssetStatus
from tests import factories


def found(page) -> list[str]:
    return [one.get_text(strip=True) for one in page.select(".asset-card__title")]


def test_an_empty_library_says_what_it_is_for(planner, read):
    page = read(planner.get("/library"))
    assert page.select_one(".empty") is not None
    assert page.select('a[href="/library/new/article"]')


def test_words_tags_and_counts_come_together(planner, read):
    theme = factories.tag("theme", name_en="Dry goods", name_zh="干货", hue=3)
    scene = factories.tag("scene", name_en="Evening", name_zh="晚上")
    factories.asset(theme, scene, title="简历怎么写", lang="zh")
    factories.asset(theme, title="简历之后")
    factories.asset(title="别的")
    jobs.index_assets()
    page = read(planner.get("/library", query_string={"q": "简历"}))
    assert set(found(page)) == {"简历怎么写", "简历之后"}
    assert page.select_one("mark").text == "简历"
    counts = {
        one.select_one(".facet__name").text: one.select_one(".facet__count").text
        for one in page.select(".facet")
        if one.select_one(".facet__count")
    }
    assert counts["Dry goods"] == "2"
    assert counts["Evening"] == "1"
    narrowed = read(planner.get("/library", query_string={"q": "简历", "tag": scene.slug}))
    assert found(narrowed) == ["简历怎么写"]
    assert narrowed.select_one(".asset-card__title")["lang"] == "zh-CN"


def test_the_list_layout_shows_the_same_assets(planner, read):
    factories.asset(title="One")
    page = read(planner.get("/library?layout=list"))
    assert "One" in page.select_one("table").text


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-3", "page=abc", "sort=luck", "kind=song", "tag=nope", "status=x", "stage=zz"],
)
def test_what_is_not_offered_is_refused_in_words(planner, query):
    answer = planner.get(f"/library?{query}")
    assert answer.status_code == 422
    reply = planner.get(f"/library?{query}", headers={"Accept": "application/json"})
    assert reply.json["field"] == query.split("=")[0]


@pytest.mark.parametrize("words", ['"', "-", "*:*", "a AND (", "\x00", "%", "题" * 900, "{{7*7}}"])
def test_any_words_at_all_can_be_searched(planner, read, words):
    assert planner.get("/library", query_string={"q": words}).status_code == 200


def test_a_missing_index_is_said_and_search_still_answers(planner, read, index):
    factories.asset(title="还在这里")
    index.drop()
    page = read(planner.get("/library?q=这里"))
    assert found(page) == ["还在这里"]
    assert "being built" in page.select_one(".flash--warning").text


def test_hostile_titles_are_shown_as_text(planner, read):
    factories.asset(title="<script>alert(1)</script> {{7*7}}")
    page = read(planner.get("/library"))
    assert found(page) == ["<script>alert(1)</script> {{7*7}}"]


def test_a_full_page_costs_as_many_queries_as_a_short_one(planner, count_queries):
    tags = [factories.tag(group) for group in ("theme", "scene", "step")]
    factories.asset(*tags, title="故事 0")
    jobs.index_assets()
    query = {"q": "故事", "tag": tags[0].slug}
    planner.get("/library", query_string=query)
    with count_queries() as few:
        planner.get("/library", query_string=query)
    for number in range(1, 24):
        factories.asset(*tags, title=f"故事 {number}")
    jobs.index_assets()
    with count_queries() as many:
        assert len(found_in(planner.get("/library", query_string=query))) == 24
    assert len(many) == len(few) <= 20, many


def found_in(answer) -> list[str]:
    return [line for line in answer.get_data(as_text=True).split("asset-card__title")[1:]]


def test_the_tray_is_a_fragment_for_scripts_and_a_page_without(planner, read):
    asset = factories.asset(title="拖我")
    factories.asset(title="退役", status=AssetStatus.RETIRED)
    fragment = planner.get(
        "/library/tray", headers={"X-Requested-With": "fetch", "Accept": "text/html"}
    )
    text = fragment.get_data(as_text=True)
    assert f'data-asset="{asset.id}"' in text
    assert "<html" not in text
    assert "退役" not in text
    assert "拖我" in read(planner.get("/library/tray?q=")).text


def test_the_palette_finds_places_and_assets(planner):
    asset = factories.asset(title="私域入门")
    jobs.index_assets()
    places = planner.get("/palette.json").json
    assert "/library" in {one["href"] for one in places}
    hits = planner.get("/palette.json?q=私域").json
    assert [one["label"] for one in hits] == ["私域入门"]
    assert hits[0]["href"] == f"/library/{asset.id}"
    assert set(hits[0]) == {"label", "detail", "href", "icon"}


def test_every_page_offers_the_palette_to_who_is_signed_in(planner, read):
    assert read(planner.get("/library")).body["data-src"] == "/palette.json"


@pytest.mark.parametrize(
    "path",
    [
        "/library",
        "/library/1",
        "/library/tray",
        "/palette.json",
        "/library/tags",
        "/library/new/article",
        "/media/" + "a" * 64 + "/full",
    ],
)
def test_strangers_are_sent_to_sign_in(client, path):
    answer = client.get(path)
    assert answer.status_code in (302, 401)
    assert "私" not in answer.get_data(as_text=True)


def test_who_may_only_read_is_offered_nothing_else_and_refused_it(analyst, read):
    asset = factories.asset()
    page = read(analyst.get("/library"))
    assert not page.select('a[href^="/library/new"]')
    assert analyst.get("/library/new/article").status_code == 403
    assert analyst.post(f"/library/{asset.id}/status", data={"status": "draft"}).status_code == 403
    assert analyst.get(f"/library/{asset.id}/edit").status_code == 403
    assert analyst.get("/library/import").status_code == 403
    assert not read(analyst.get(f"/library/{asset.id}")).select('a[href$="/edit"]')
