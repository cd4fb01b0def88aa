"""A hint is only a hint: one for nothing does nothing, one never given costs seconds, not posts."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.jobs import Job
from schedules.jobs import hint_due, publish_batch
from schedules.models import Publication
from schedules.states import PublicationState as State
from tests import factories as make
from tests.faults.conftest import Install
from tests.schedules.ready import approved


def test_a_hint_for_nothing_does_nothing(install: Install, tmp_path: Path) -> None:
    """Its transaction was rolled back, somebody was quicker, or it is not yet time."""
    install(tmp_path)
    planned, later = make.post().publication, approved(publish_at=now() + timedelta(hours=1))
    out = approved()
    publish_batch(out.id)
    publish_batch(out.id, planned.id, later.id, 999_999)
    session.rollback()
    told = [(one.state, one.fence) for one in (out, planned, later)]
    assert told == [(State.PUBLISHED, 1), (State.PLANNED, 0), (State.SCHEDULED, 0)]


def test_what_was_rolled_back_is_not_hinted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    monkeypatch.setattr(Job, "_send", lambda _job, ids, _key: given.extend(ids))
    with pytest.raises(ZeroDivisionError), transaction():
        publish_batch.enqueue(7)
        1 / 0  # noqa: B018
    assert given == []
    with transaction():
        publish_batch.enqueue(8)
        assert given == []
    assert given == [8]


def test_approved_and_never_hinted_is_found_by_the_clock(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The web process died between its commit and its hint: only the ledger knows."""
    given: list[int] = []
    publication = approved()
    monkeypatch.setattr("schedules.jobs.is_broker_there", lambda: True)
    monkeypatch.setattr(Job, "_send", lambda _job, ids, _key: given.extend(ids))
    hint_due()
    assert publication.id in given
    assert session.get_one(Publication, publication.id).state is State.SCHEDULED
