"""A stop and a send at one moment, on a database whose transactions really commit."""

import threading
import time
from collections import Counter

import pytest
from flask import Flask

from cms.core.db import db, session, transaction
from schedules import publishing, stops
from schedules.models import ChannelAccount, Publication, Stop
from schedules.states import PublicationState as State
from schedules.states import StopScope
from schedules.stops import StopFields
from tests import factories as make
from tests.schedules.ready import account, approved

PATIENCE = 0.4  # seconds in which a stop that does not wait would long be through


def raised(fields: StopFields) -> tuple[int, int]:
    """The number of the stop, and how many calls it could not reach."""
    with transaction():
        made = stops.raise_stop(fields, by=None)
    return made.id, stops.on_the_wire(made)


class Stopping(threading.Thread):
    """Somebody presses the button in a process of their own."""

    def __init__(self, app: Flask, fields: StopFields) -> None:
        super().__init__()
        self.app, self.fields, self.told = app, fields, (0, 0)

    def run(self) -> None:
        with self.app.app_context():
            self.told = raised(self.fields)
            db.session.remove()


def test_a_stop_waits_for_whoever_is_writing_that_it_sends(
    own_database: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the attempt is older than the stop, and is counted among what no stop can reach."""
    with own_database.app_context():
        publication = approved()
        fence = publishing.claim(publication.id, worker="here")
        fields = StopFields(StopScope.ACCOUNT, "fire", account_id=publication.account_id)
        somebody, seen = Stopping(own_database, fields), []
        really = stops.holds_back

        def slowly(account_id: int) -> bool:
            held = really(account_id)
            somebody.start()
            time.sleep(PATIENCE)
            seen.append(somebody.is_alive())
            return held

        monkeypatch.setattr(stops, "holds_back", slowly)
        assert publishing._prepared(publication.id, fence or 0) is not None
        somebody.join()
        session.expire_all()
        assert seen == [True]
        assert session.get_one(Publication, publication.id).state is State.SENDING
        assert somebody.told[1] == 1


def test_nothing_begins_after_a_stop_is_in_force(own_database: Flask) -> None:
    """Eight workers publish as fast as they can; in their midst somebody stops everything."""
    with own_database.app_context():
        way, pool, by = account(), make.pool(), make.user()
        with transaction():
            way.pools.append(pool)
        known = {"pool": pool, "account": way, "asset": make.asset(), "by": by}
        known |= {"calendar": make.calendar(), "author_id": make.user().id}
        with transaction():
            ids = [approved(**known).id for _ in range(60)]
        wire: list[int] = []
        counts: list[Counter[State]] = []

        def work(mine: list[int]) -> None:
            with own_database.app_context():
                for publication_id in mine:
                    publishing.publish(publication_id, worker=threading.current_thread().name)
                db.session.remove()

        workers = [threading.Thread(target=work, args=(ids[n::8],)) for n in range(8)]
        for worker in workers:
            worker.start()
        while session.query(Publication).filter_by(state=State.PUBLISHED).count() < 5:
            session.rollback()
            time.sleep(0.01)
        wire.append(raised(StopFields(StopScope.ALL, "fire"))[1])
        counts.append(_counts())
        for worker in workers:
            worker.join()
        after = _counts()
        began = counts[0][State.PUBLISHED] + counts[0][State.SENDING]
        assert after[State.PUBLISHED] <= began
        assert after[State.PUBLISHED] + after[State.SCHEDULED] == 60
        assert after[State.SCHEDULED] > 0
        assert wire[0] <= 8


def _counts() -> Counter[State]:
    session.rollback()  # a reader keeps seeing what it began with
    return Counter(state for (state,) in session.query(Publication.state))


def test_two_hands_on_one_button_make_one_stop(own_database: Flask) -> None:
    with own_database.app_context():
        account_id = make.account().id
    hands = [
        Stopping(own_database, StopFields(StopScope.ACCOUNT, "fire", account_id=account_id))
        for _ in range(4)
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    with own_database.app_context():
        assert session.query(ChannelAccount).count() == 1
        assert session.query(Stop).count() == 1
    assert len({hand.told[0] for hand in hands}) == 1
