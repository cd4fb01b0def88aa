"""The disk of the data directory is full: refused in clear words, read on, and resumed with room."""

import io
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError

from cms.accounts.models import Role, WebSession
from cms.core.clock import now
from cms.core.db import db, session, transaction
from content_library.models import Media
from feedback import ingest
from feedback.models import Event
from schedules import publishing
from schedules.channels.base import Receipt
from schedules.envelopes import Envelope
from schedules.jobs import publish_batch
from schedules.models import Publication
from schedules.states import PublicationState as State
from schedules.states import ReviewState
from tests import factories as make
from tests.content_library.pictures import png
from tests.faults.conftest import Install
from tests.faults.disk import Disk, small_disk
from tests.feedback import live
from tests.schedules import fake_carrier
from tests.schedules.ready import submitted
from tests.signing_in import sign_in

JSON = {"Accept": "application/json"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk", "16m") as made:
        yield made


@pytest.fixture
def house(disk: Disk, install: Install) -> Flask:
    """An installation on the small disk that has been at work for a while."""
    return install(disk.folder / "home")


@pytest.fixture
def admin(house: Flask) -> FlaskClient:
    return sign_in(house.test_client(), make.user(Role.ADMINISTRATOR))


def fill(disk: Disk) -> None:
    """The log of the database is written back first, or it would still have some room of its own."""
    session.rollback()
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(
            text("PRAGMA wal_checkpoint(TRUNCATE)")
        )
    disk.fill()


def approve(client: FlaskClient, post_id: int, **headers: str):  # type: ignore[no-untyped-def]
    return client.post(
        f"/today/posts/{post_id}/approve",
        data={"revision": "1", "seen": "", "view": "all"},
        headers=headers,
    )


def upload(client: FlaskClient):  # type: ignore[no-untyped-def]
    return client.post(
        "/library/pictures", data={"file": (io.BytesIO(png(900, 700)), "p.png")}, headers=JSON
    )


def test_saving_is_refused_in_clear_words_and_works_when_there_is_room(
    disk: Disk, admin: FlaskClient
) -> None:
    post = submitted()
    fill(disk)
    page, told = approve(admin, post.id), approve(admin, post.id, **JSON)
    assert (page.status_code, told.status_code) == (503, 503)
    assert told.json["error"] == "storage_full"
    assert "no room" in page.text
    assert page.headers["Retry-After"]
    session.rollback()
    assert post.review is ReviewState.SUBMITTED
    disk.make_room()
    assert approve(admin, post.id).status_code == 302
    session.rollback()
    assert post.review is ReviewState.APPROVED


def test_an_upload_is_refused_beside_its_field_and_leaves_nothing(
    disk: Disk, house: Flask, admin: FlaskClient
) -> None:
    fill(disk)
    refused = upload(admin)
    assert (refused.status_code, refused.json["error"]) == (422, "storage_full")
    assert refused.json["field"] == "file"
    assert session.scalar(select(Media)) is None
    pictures = [path for path in (disk.folder / "home/media").rglob("*") if path.is_file()]
    assert pictures == []
    disk.make_room()
    assert upload(admin).status_code == 200


def test_reading_goes_on(disk: Disk, house: Flask, admin: FlaskClient) -> None:
    shown = live.publication()
    admin.get("/today/")  # a session's first form writes its proof into the session
    with transaction():  # the next page would note that this person is still there
        session.execute(update(WebSession).values(seen_at=now() - timedelta(minutes=6)))
    fill(disk)
    for address in ("/today/", "/today/waiting", "/calendar/", "/library"):
        assert admin.get(address, follow_redirects=True).status_code == 200, address
    assert admin.get("/healthz").status_code in (200, 503)
    reader = house.test_client()
    assert reader.get(f"/p/{shown.public_id}").status_code == 200
    assert reader.get(f"/l/{shown.links[0].code}", headers={"User-Agent": live.PHONE}).status_code
    assert admin.get("/today/").status_code == 200


def test_readers_follow_their_links_and_are_counted_again_when_there_is_room(
    disk: Disk, house: Flask
) -> None:
    shown, reader = live.publication(), house.test_client()
    address, phone = f"/l/{shown.links[0].code}", {"User-Agent": live.PHONE}
    fill(disk)
    assert reader.get(address, headers=phone).status_code == 302
    disk.make_room()
    assert reader.get(address, headers=phone).status_code == 302
    ingest.ingest()
    session.rollback()
    assert session.scalar(select(Event.kind)) == "click"


def test_nothing_is_sent_that_could_not_be_written_down_first(disk: Disk, house: Flask) -> None:
    with fake_carrier.registered() as carrier:
        publication = fake_carrier.ready(confirmation="nobody")
        fill(disk)
        with pytest.raises(OperationalError):
            publish_batch(publication.id)
        assert carrier.done("deliver") == []
        session.rollback()
        assert session.get_one(Publication, publication.id).state is State.SCHEDULED
        disk.make_room()
        publish_batch(publication.id)
        assert len(carrier.done("deliver")) == 1
    session.rollback()
    assert session.get_one(Publication, publication.id).state is State.PUBLISHED


def test_what_a_carrier_took_is_kept_until_there_is_room(disk: Disk, house: Flask) -> None:
    """The disk runs full while the carrier answers; the result waits in memory, within the lease."""
    with fake_carrier.registered() as carrier:
        publication = fake_carrier.ready(confirmation="nobody")

        def taken(_envelope: Envelope) -> Receipt:
            disk.fill()
            threading.Timer(1.2, disk.make_room).start()
            return fake_carrier.ACCEPTED

        carrier.answers["deliver"] = taken
        publishing.publish(publication.id, worker="here")
        assert len(carrier.done("deliver")) == 1
    session.expire_all()
    assert publication.state is State.PUBLISHED
    assert [attempt.fence for attempt in publication.attempts] == [1]
