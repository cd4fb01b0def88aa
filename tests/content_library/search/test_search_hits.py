"""What is found, against a truth counted by hand or by sets."""

import html
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.search_corpus import documents
from content_library.search import Index, SearchDocument, highlight

SMALL = [
    SearchDocument(1, "新手训练营开营", body="三天学会 Python 基础语法", tags=("主题", "入门")),
    SearchDocument(2, "产品和服务说明", body="直播课与回放"),
    SearchDocument(3, "和服之美", summary="京都一日", body="训练营地的照片"),
    SearchDocument(4, "Planning a week", body="Publishing courses, C++ and .NET included"),
    SearchDocument(5, "Ｊａｖａ１７新特性", body="记录类与密封类，附 iPhone15 截图"),
    SearchDocument(6, "私域运营周报", body="社群复购与转化率；上课程序表", lang="zh"),
    SearchDocument(7, "C 语言入门", body="指针与内存"),
    SearchDocument(8, "Node.js weekly", body="A node in js land. Café news."),
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return built(tmp_path_factory.mktemp("small"), SMALL)


def built(home: Path, documents: list[SearchDocument]) -> Index:
    index = Index(home)
    index.rebuild(documents, refresh=lambda ids: [])
    return index


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("训练", {1, 3}),
        ("训练营", {1, 3}),
        ("和服", {3}),
        ("营", {1, 3, 6}),
        ("私域", {6}),
        ("运营 周报", {6}),
        ("周报运营", {6}),
        ("python基础", {1}),
        ("ＰＹＴＨＯＮ", {1}),
        ("java", {5}),
        ("Java 17", {5}),
        ("java17", {5}),
        ("iphone 15", {5}),
        ("C++", {4}),
        (".net", {4}),
        ("net", {4}),
        ("c", {7}),
        ("plan", {4}),
        ("planned", {4}),
        ("course", {4}),
        ("publ", {4}),
        ("node.js", {8}),
        ("node js", {8}),
        ("cafe", {8}),
        ("入门", {1, 7}),
        ("入门 -python", {7}),
        ("入门 -“开营”", {7}),
        ('"week planning"', set()),
        ('"planning a week"', {4}),
        ("“和服之美”", {3}),
        ("“服之美”", {3}),
        ("“美 京都”", set()),
        ('"new"', set()),
        ("the weekly", {8}),
        ("-入门 -周报 -c++ -java", {2, 3, 8}),
    ],
)
def test_small_library(small: Index, query: str, expected: set[int]) -> None:
    matches = small.matches(query)
    hits = small.search(query)
    assert set(matches.ids) == expected
    assert set(hits.ids) == expected
    assert hits.total == len(expected)
    assert hits.complete
    assert not hits.relaxed
    assert not matches.relaxed


def test_pairs_cut_elsewhere_are_found_when_nothing_else_is(small: Index) -> None:
    # "上课程序表" is cut 上课|程序|表, so 课程 is no word of it; but nothing else holds it.
    hits = small.search("课程")
    assert hits.ids == (6,)
    assert not hits.relaxed


def test_any_word_when_no_document_has_all(small: Index) -> None:
    hits = small.search("私域 python 不存在的词")
    assert set(hits.ids) == {1, 6}
    assert hits.relaxed
    matches = small.matches("私域 python 不存在的词")
    assert set(matches.ids) == {1, 6}
    assert matches.relaxed
    assert set(small.matching_ids("私域 python")) == {1, 6}


def test_exclusion_holds_when_relaxed(small: Index) -> None:
    assert small.search("私域 python 缺席 -复购").ids == (1,)


def test_nothing_is_no_relaxed_result(small: Index) -> None:
    hits = small.search("缺席者 zzzz")
    assert (hits.ids, hits.total, hits.relaxed) == ((), 0, False)


def test_titles_come_before_bodies(tmp_path: Path) -> None:
    filler = "每天一条 " * 5
    index = built(
        tmp_path,
        [
            SearchDocument(1, "周报", body=f"{filler} 海报 海报"),
            SearchDocument(2, "海报制作", body=filler),
            SearchDocument(3, "周报二", body=filler, tags=("海报", "Poster")),
        ],
    )
    hits = index.search("海报")
    assert hits.ids[0] == 2
    assert set(hits.ids) == {1, 2, 3}
    assert list(hits.scores) == sorted(hits.scores, reverse=True)


def test_a_limit_cuts_the_list_and_says_so(small: Index) -> None:
    hits = small.search("入门", limit=1)
    assert len(hits.ids) == 1
    assert hits.total == 2
    assert not hits.complete


def test_against_sets_on_a_mixed_corpus(tmp_path: Path) -> None:
    corpus = list(documents(400))
    index = built(tmp_path, corpus)
    texts = {doc.id: f"{doc.title} {doc.summary} {doc.body}".lower() for doc in corpus}

    def holding(*words: str) -> set[int]:
        return {number for number, text in texts.items() if all(word in text for word in words)}

    # Words that stand inside no other word of the corpus, so that containing means having.
    words = [
        "编程",
        "私域",
        "优惠券",
        "训练营",
        "机器学习",
        "docker",
        "refactoring",
        "webinar",
        "k8s",
    ]
    compared = 0
    for one in words:
        assert set(index.matching_ids(f'"{one}"')) == holding(one)
        for other in words:
            expected = holding(one, other)
            matches = index.matches(f"{one} {other}")
            if expected:
                assert set(matches.ids) >= expected - missed_by_cutting(index, one, other)
                assert set(matches.ids) <= expected
                compared += 1
            else:
                assert matches.relaxed or not matches.ids
    assert compared > 40


def missed_by_cutting(index: Index, *words: str) -> set[int]:
    """Documents that hold a word only across a cut: found by quoting, not by the bare word."""
    return {
        number
        for word in words
        for number in set(index.matching_ids(f'"{word}"')) - set(index.matching_ids(word))
    }


def test_cutting_misses_next_to_nothing(tmp_path: Path) -> None:
    index = built(tmp_path, list(documents(400)))
    for word in [
        "编程",
        "课程",
        "作业",
        "社群",
        "私域",
        "海报",
        "前端",
        "日志",
        "优惠券",
        "训练营",
    ]:
        quoted, bare = set(index.matching_ids(f'"{word}"')), set(index.matching_ids(word))
        assert bare <= quoted
        assert len(bare) >= 0.97 * len(quoted) > 0


ANYTHING = st.one_of(
    st.text(max_size=60),
    st.text(
        alphabet="\"“”'-－*?~^:()[]{}\\/+&|!%_ \t\nANDORNOT训练营a1.\x00\x1e\ud800", max_size=40
    ),
)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(ANYTHING)
def test_any_text_is_a_valid_query(small: Index, text: str) -> None:
    hits = small.search(text, limit=3)
    assert hits.total == len(small.matching_ids(text))
    for fragment in highlight(SMALL[0].body, text):
        assert "".join(part for part, _ in fragment) in SMALL[0].body


def marked(text: str, query: str) -> list[str]:
    return [
        part
        for fragment in highlight(text, query, width=0)
        for part, is_match in fragment
        if is_match
    ]


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("三天学会Python，Ｐｙｔｈｏｎ入门", "python", ["Python", "Ｐｙｔｈｏｎ"]),
        ("新手训练营与训练", "训练", ["训练", "训练"]),
        ("她爱和服，不爱产品和服务", "和服", ["和服"]),
        ("Planning the plan", "plans", ["Planning", "plan"]),
        ("publish Publishing public", "publis", ["publish", "Publishing"]),
        ("zero\u200bwidth café", "cafe zerowidth", ["zero\u200bwidth", "café"]),
        ("about Node.js and js", "node.js", ["Node.js"]),
        ("学 C++ 和 C", "c++", ["C++"]),
        ("重 ㎏ 量", "kg", ["㎏"]),
        ("没有", "训练", []),
    ],
)
def test_highlights_mark_what_matched(text: str, query: str, expected: list[str]) -> None:
    assert marked(text, query) == expected


def test_a_fragment_surrounds_the_match_and_keeps_the_text() -> None:
    text = "前" * 200 + "训练营" + "后" * 200
    (fragment,) = highlight(text, "训练营", width=60)
    joined = "".join(part for part, _ in fragment)
    assert joined in text
    assert len(joined) <= 60
    assert ("训练营", True) in fragment


def test_fragments_show_the_fullest_places_first_and_never_twice() -> None:
    text = "海报。" + "，" * 200 + "海报与视频，视频与海报"
    first, second = highlight(text, "海报 视频", width=40, fragments=2)
    assert sum(is_match for _, is_match in first) == 4
    assert sum(is_match for _, is_match in second) == 1


def test_markup_stays_text() -> None:
    fragment = highlight("<b>训练</b>", "训练", width=0)[0]
    render: Callable[[str], str] = html.escape
    assert "".join(render(part) for part, _ in fragment) == "&lt;b&gt;训练&lt;/b&gt;"


def test_a_text_without_match_shows_its_beginning() -> None:
    assert highlight("abcdef", "训练", width=3) == [(("abc", False),)]
    assert highlight("", "训练") == []
