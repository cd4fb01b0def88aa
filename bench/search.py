"""Finding assets among 20,000: words, a tag, facets and an order, beside the engine alone."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import insert

from bench.figures import Figure, milliseconds, percentile
from bench.running import throw_away
from bench.search_corpus import SEED, documents, questions
from bench.worlds import application
from cms.core.clock import now
from cms.core.db import session, transaction
from content_library.jobs import rebuild
from content_library.models import (
    Asset,
    AssetStatus,
    AssetTag,
    AssetVersion,
    Tag,
    TagGroup,
    TagSource,
)
from content_library.search import projection
from content_library.search.document import SearchDocument
from content_library.search.finder import AssetQuery, find
from feedback.models import AssetScore

ASSETS = 20_000
QUESTIONS = 80
PASSES = 2
PAGE = 24
BY_RATE = "click_rate"


def run() -> list[Figure]:
    """The same questions to the finder and to the engine, turn by turn."""
    with throw_away("search") as home, _library(home) as build_rate:
        finder, engine = _measured(home)
    figures = [Figure("search.index.build_per_s", build_rate, "documents/s", n=ASSETS, seed=SEED)]
    for share, name in ((0.5, "p50"), (0.95, "p95")):
        figures.append(
            Figure(
                f"search.finder.20k.{name}_ms",
                percentile(finder, share),
                "ms",
                n=len(finder),
                seed=SEED,
                baseline=percentile(engine, share),
            )
        )
    return figures


def _measured(home: Path) -> tuple[list[float], list[float]]:
    asked = questions(QUESTIONS)
    dice = random.Random(SEED)
    slugs = [tag.slug for tag in session.query(Tag)]
    queries = [
        AssetQuery(words=words, tags=(dice.choice(slugs),), sort=BY_RATE, per_page=PAGE)
        for words in asked
    ]
    engine_index = projection.index()
    found = sum(find(query).page.total for query in queries)  # warm, and proof of real answers
    assert found > QUESTIONS, "the questions find nothing, so their times would mean nothing"
    finder, engine = [], []
    for _ in range(PASSES):
        for query in queries:
            finder.append(milliseconds(lambda query=query: find(query)))
            engine.append(
                milliseconds(lambda query=query: engine_index.search(query.words, limit=PAGE))
            )
            session.rollback()
    return finder, engine


@contextmanager
def _library(home: Path) -> Iterator[float]:
    with application(home):
        with transaction():
            _fill(list(documents(ASSETS)))
        started = time.perf_counter()
        rebuild()
        yield round(ASSETS / (time.perf_counter() - started), 1)


def _fill(corpus: list[SearchDocument]) -> None:
    """The corpus as rows, each with a counted click rate; in bulk, since nothing else is measured."""
    moment = now()
    tags = _tags(sorted({name for document in corpus for name in document.tags}))
    session.execute(
        insert(Asset),
        [
            {
                "id": one.id,
                "kind": "article",
                "title": one.title,
                "lang": one.lang,
                "latest_number": 1,
                "status": AssetStatus.READY,
                "created_at": moment,
                "updated_at": moment,
            }
            for one in corpus
        ],
    )
    session.execute(
        insert(AssetVersion),
        [
            {
                "asset_id": one.id,
                "number": 1,
                "title": one.title,
                "summary": one.summary,
                "body": one.body,
                "html": f"<p>{one.body}</p>",
                "lang": one.lang,
                "content": {},
                "created_at": moment,
            }
            for one in corpus
        ],
    )
    session.execute(
        insert(AssetTag),
        [
            {
                "asset_id": one.id,
                "tag_id": tags[name],
                "source": TagSource.HUMAN,
                "decided_at": moment,
            }
            for one in corpus
            for name in one.tags
        ],
    )
    session.execute(insert(AssetScore), [_score(one.id) for one in corpus])


def _tags(names: list[str]) -> dict[str, int]:
    group = TagGroup(slug="theme", name_en="Theme", name_zh="主题")
    made = {
        name: Tag(group=group, slug=f"tag-{number}", name_en=name, name_zh=name, position=number)
        for number, name in enumerate(names)
    }
    session.add_all(made.values())
    session.flush()  # the links below need the ids
    return {name: tag.id for name, tag in made.items()}


def _score(asset_id: int) -> dict[str, object]:
    dice = random.Random(SEED + asset_id)
    exposures = dice.randint(50, 5_000)
    clicks = dice.randint(0, exposures // 10)
    rate = clicks / exposures
    return {
        "asset_id": asset_id,
        "publications": dice.randint(1, 20),
        "exposures": exposures,
        "clicks": clicks,
        "click_rate": rate,
        "click_rate_low": rate * 0.8,
        "click_rate_high": rate * 1.2,
    }
