"""What a post costs beside a bare job with as many commits: same queue, same worker, same database."""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from sqlalchemy import event, func, select, text

from bench import worlds
from bench.figures import Figure
from bench.running import throw_away
from cms.core import threads
from cms.core.broker import EmbeddedBroker
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import db, session, transaction
from cms.core.jobs import QueueName, job
from cms.core.threads import Crew
from cms.core.workers import QueueWorker, broker_connection
from schedules.hints import CHUNK
from schedules.jobs import THREADS, publish_batch
from schedules.models import Publication
from schedules.states import PublicationState

POSTS = 300
PATIENCE = 240.0
BEGIN = "BEGIN IMMEDIATE"


@job(queue=QueueName.PUBLISH)
def bare(commits: int, number: int) -> None:
    """As many commits as a post takes, each of one row, and one line on disk: no more."""
    for step in range(commits):
        with transaction():
            session.execute(text(f"UPDATE bare SET step = {step} WHERE number = {number}"))
        if step == commits - 2:  # the effect comes before the last, as a post's does
            _note(number)


def run() -> list[Figure]:
    """Posts in the portions in which the clock hints, then bare jobs one by one: one worker for both."""
    with throw_away("overhead") as home:
        broker = EmbeddedBroker(home / "broker", _url(home))
        broker.start()
        try:
            with worlds.application(home, REDIS_URL=broker.url) as app:
                commits, post = _posts(app)
                naked = _bare(app, round(commits))
        finally:
            broker.stop()
    return [
        Figure("overhead.post.ms", post, "ms", n=POSTS, baseline=naked),
        Figure("overhead.commits_per_post", round(commits, 2), "commits", n=POSTS),
    ]


def _posts(app: Flask) -> tuple[float, float]:
    """Commits a post, and milliseconds."""
    way = worlds.way(channel="sandbox", per_minute=60_000, settings={"class": "N"})
    posts = worlds.approved_posts(way, POSTS, due=now())
    ids = [post.publication.id for post in posts]
    published = select(func.count()).where(Publication.state == PublicationState.PUBLISHED)
    session.rollback()
    begun: list[str] = []

    def count(_c: object, _cur: object, statement: str, *_rest: object) -> None:
        if statement == BEGIN:
            begun.append(statement)

    event.listen(db.engine, "before_cursor_execute", count)
    spent = _timed(
        app,
        lambda: [publish_batch.enqueue(*ids[at : at + CHUNK]) for at in range(0, POSTS, CHUNK)],
        lambda: session.scalar(published) == POSTS,
    )
    event.remove(db.engine, "before_cursor_execute", count)
    return len(begun) / POSTS, spent


def _bare(app: Flask, commits: int) -> float:
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE bare (number INTEGER PRIMARY KEY, step INTEGER)"))
        numbers = [{"number": number} for number in range(POSTS)]
        connection.execute(text("INSERT INTO bare VALUES (:number, -1)"), numbers)
    done = text(f"SELECT count(*) FROM bare WHERE step = {commits - 1}")
    spent = _timed(
        app,
        lambda: [bare.enqueue(commits, number) for number in range(POSTS)],
        lambda: session.scalar(done) == POSTS,
    )
    assert len((current().home / "bare").read_text().splitlines()) == POSTS
    return spent


def _timed(app: Flask, ask: Callable[[], object], is_done: Callable[[], bool]) -> float:
    """Milliseconds an item, from the first request to the last commit."""
    ask()
    worker = QueueWorker(
        QueueName.PUBLISH,
        connection=broker_connection(current().redis_url),
        context=app.app_context,
    )
    crew = Crew(THREADS)
    threads.employ(crew)
    ended: list[float] = []

    def watch() -> None:
        with app.app_context():
            while not ended and time.perf_counter() - started < PATIENCE:
                session.rollback()
                if is_done():
                    ended.append(time.perf_counter())
                time.sleep(0.02)
            session.remove()
        worker.stop()

    watcher = threading.Thread(target=watch)
    started = time.perf_counter()
    watcher.start()
    worker.serve()
    watcher.join()
    crew.finish()
    threads.employ(None)
    assert ended, "some never came to their end: no figure is worth it"
    return round((ended[0] - started) * 1000 / POSTS, 2)


def _note(number: int) -> None:
    target = os.open(current().home / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(target, (json.dumps({"number": number}) + "\n").encode())
    finally:
        os.close(target)


def _url(home: Path) -> str:
    return f"unix://{home / 'broker' / 'broker.sock'}"


if __name__ == "__main__":
    for figure in run():
        print(figure.line())
