"""Cutting, folding and stemming, seen from what is indexed and what is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_library.search.analysis import MixedAnalyzer, index_pieces, query_pieces
from content_library.search.folding import fold
from content_library.search.query import parse
from content_library.search.stemming import stem


def indexed(text: str) -> set[str]:
    return {piece.text for piece in index_pieces(text)}


def asked(text: str) -> list[str]:
    return [piece.text for piece in query_pieces(text)]


def test_indexing_cuts_words_inside_words_and_asking_does_not() -> None:
    assert {"新手", "训练", "训练营", "营"} <= indexed("新手训练营")
    assert asked("新手训练营") == ["新手", "训练营"]


def test_a_pair_across_two_words_is_no_word() -> None:
    assert "和服" not in indexed("产品和服务")
    assert "和服" in indexed("她穿着和服")


def test_trade_words_are_words() -> None:
    assert asked("私域企微复购") == ["私域", "企微", "复购"]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("C++教程", ["c++", "教程"]),
        ("Java 17", ["java", "17"]),
        (".NET 8", [".net", "8"]),
        ("C#与F#", ["c#", "与", "f#"]),
        ("ＡＢＣ　１２", ["abc", "12"]),
        ("Python3.11", ["python", "3.11"]),
        ("Don’t café", ["dont", "cafe"]),
        ("🎉开营🎉", ["🎉", "开营", "🎉"]),
        ("zero\u200bwidth", ["zerowidth"]),
    ],
)
def test_terms_of_mixed_text(text: str, terms: list[str]) -> None:
    assert asked(text) == terms


@pytest.mark.parametrize(
    "forms",
    [
        ["plan", "plans", "planned", "planning"],
        ["course", "courses"],
        ["study", "studies", "studied", "studying"],
        ["class", "classes"],
        ["make", "makes", "making"],
        ["sell", "sells", "selling"],
    ],
)
def test_light_forms_share_a_stem(forms: list[str]) -> None:
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("news", "new"), ("bring", "br"), ("need", "ne"), ("analysis", "analysi"), ("red", "r")],
)
def test_stemming_stays_light(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@given(st.text(max_size=60))
def test_offsets_lead_back_to_the_original(text: str) -> None:
    folded, origin = fold(text)
    assert len(folded) == len(origin)
    for piece in index_pieces(text):
        assert 0 <= piece.start < piece.end <= len(text)


@given(st.text(alphabet="训练营新手的大学生活abcC+# .1７Ａ，", max_size=40))
def test_a_cut_term_is_what_stands_at_its_offsets(text: str) -> None:
    for piece in query_pieces(text):
        assert fold(text[piece.start : piece.end])[0] == piece.text


@given(st.text(alphabet="训练营地和服务大学生活动中心长江桥市南京ab ", min_size=1, max_size=30))
def test_every_asked_single_and_long_word_of_a_text_is_indexed(text: str) -> None:
    # Pairs may be cut elsewhere by the words around them; these two sorts may never be missed.
    terms = indexed(text)
    for piece in query_pieces(text):
        assert piece.text in terms


def test_whoosh_sees_the_same_cuts() -> None:
    analyzer = MixedAnalyzer()
    assert [token.text for token in analyzer("新手训练营", mode="query")] == ["新手", "训练营"]
    assert "训练" in [token.text for token in analyzer("新手训练营", mode="index")]


def test_query_syntax() -> None:
    query = parse('早读 "weekly plan" -广告 －"last call" publ')
    assert [unit.atoms for unit in query.wanted] == [
        ("早", "读"),
        ("weekly", "plan"),
        ("publ",),
    ]
    assert [unit.atoms for unit in query.unwanted] == [("广", "告"), ("last", "call")]
    assert [unit.is_prefix for unit in query.wanted] == [False, False, True]


@pytest.mark.parametrize("text", ["", "   ", "-", '""', "， 。", '"', "- - -", "\x00", "\ud800"])
def test_text_without_words_asks_for_nothing(text: str) -> None:
    assert parse(text).is_empty


def test_small_words_count_only_when_they_are_alone() -> None:
    assert [unit.term for unit in parse("the price of 课程的作业").wanted] == [
        "pric",
        "课程",
        "作业",
    ]
    assert [unit.term for unit in parse("的").wanted] == ["的"]
