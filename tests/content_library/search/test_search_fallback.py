"""The same queries answered by SQL while there is no index."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, create_engine, select

from content_library.search import like_condition

texts = Table(
    "searched_texts",
    MetaData(),
    Column("id", Integer),
    Column("title", Text),
    Column("body", Text),
    prefixes=["TEMPORARY"],
)
ROWS = [
    (1, "新手训练营", "学会 Python"),
    (2, "100% effort_now", None),
    (3, "1000 efforts now", "Weekly planning"),
    (4, "C:\\path", "训练"),
]


@pytest.fixture(scope="module")
def database(database_url: str) -> Iterator[Connection]:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        texts.create(connection)
        for number, title, body in ROWS:
            connection.execute(texts.insert().values(id=number, title=title, body=body))
        yield connection
    engine.dispose()


def found(database: Connection, query: str, *, relaxed: bool = False) -> set[int]:
    condition = like_condition(query, [texts.c.title, texts.c.body], relaxed=relaxed)
    return set(database.scalars(select(texts.c.id).where(condition)))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("训练", {1, 4}),
        ("训练 python", {1}),
        ("ＰＹＴＨＯＮ", {1}),
        ('"100% effort"', {2}),
        ('"effort_now"', {2}),
        ('"C:\\path"', {4}),
        ("plans", {3}),
        ("-训练", {2, 3}),
        ("训练 -python", {4}),
        ("%", set()),
        ('"\x00\ud800训练"', {1, 4}),
        ("", set()),
    ],
)
def test_like(database: Connection, query: str, expected: set[int]) -> None:
    assert found(database, query) == expected


def test_relaxed_asks_for_any_word(database: Connection) -> None:
    assert found(database, "python weekly") == set()
    assert found(database, "python weekly", relaxed=True) == {1, 3}


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=80))
def test_any_text_is_a_valid_condition(database: Connection, text: str) -> None:
    assert found(database, text) <= {1, 2, 3, 4}
