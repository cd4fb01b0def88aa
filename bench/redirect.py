"""How many tracked links a second the web server follows, beside a bare redirect on the same server."""

from sqlalchemy import func, select

from bench import load, worlds
from bench.figures import Figure, median
from bench.running import System, system
from cms.core.clock import now
from cms.core.db import session
from feedback import ingest
from feedback.models import Event
from schedules.states import PublicationState
from tests import factories as make

ROUNDS = 3
SECONDS = 2.0


def run() -> list[Figure]:
    """Rounds of both in turn; afterwards every acknowledged click must be an event."""
    with system("redirect", SEEDBED_ENV="test", REDIS_URL=worlds.NO_BROKER) as one:
        code = _published_link(one)
        one.start("gunicorn", "-c", "python:cms.cli.web_server", "bench.bare:app")
        one.until_answering()
        tracked, bare = [], []
        for _ in range(ROUNDS):
            bare.append(load.ask(one.port, "/bare/", seconds=SECONDS, status=302))
            tracked.append(load.ask(one.port, f"/l/{code}", seconds=SECONDS, status=302))
        one.stop()
        clicks = sum(round.acknowledged for round in tracked)
        strange = {status for round in (*tracked, *bare) for status in round.others}
        assert not strange, f"answers other than a redirect: {strange}"
        kept = _kept_clicks(one, code)
        assert kept == clicks, f"{clicks} clicks were acknowledged and {kept} kept"
    return [
        Figure(
            "redirect.tracked.per_s",
            median(round.per_second for round in tracked),
            "requests/s",
            n=clicks,
            baseline=median(round.per_second for round in bare),
        ),
        Figure("redirect.clicks_lost", float(clicks - kept), "clicks", n=clicks),
    ]


def _published_link(one: System) -> str:
    with worlds.application(one.home):
        post = make.post(state=PublicationState.PUBLISHED, publish_at=now())
        return str(post.publication.links[0].code)


def _kept_clicks(one: System, code: str) -> int:
    """Events of the link, once the journals that the dead server left are read."""
    with worlds.application(one.home):
        ingest.ingest()
        found = select(func.count()).where(Event.link_code == code, Event.kind == "click")
        return session.scalar(found) or 0
