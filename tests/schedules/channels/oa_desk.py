"""An Official Account in a test: the carrier itself, our account there, and both clocks."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient

from cms.core import clock, sealing
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.demo.carriers.official_account import STANDING_COVER, OfficialAccount
from cms.demo.carriers.official_account_tokens import APPID, SECRET
from content_library import media
from content_library.models import Asset, Media, VersionMedia
from schedules import polling, publishing
from schedules.callbacks import doors, handling
from schedules.models import CarrierCall, ChannelAccount, Publication
from tests import factories as make
from tests.content_library.pictures import png
from tests.demo_carriers import Start
from tests.schedules.callbacks.test_cipher import KEY, TOKEN
from tests.schedules.ready import approved


class Desk:
    """`later` is how far both clocks have been moved on since the test began."""

    def __init__(self, start: Start, channel: str = "oa_publish", **settings: Any) -> None:
        carriers, url = start(OfficialAccount)
        self.carrier: Any = carriers.members["oa"]
        self.later = timedelta(0)
        self.base = f"{url}/oa"
        self.account = self.open(channel, **settings)

    def open(self, channel: str, **settings: Any) -> ChannelAccount:
        """Another account of ours with the same app."""
        known = {"base_url": self.base, "appid": APPID, "cover_media_id": STANDING_COVER}
        account = make.account(channel=channel, per_minute=6000, settings=known | settings)
        with transaction():
            account.sealed = sealing.seal(
                {"appsecret": SECRET, "callback_secret": TOKEN, "callback_key": KEY}
            )
        return account

    def at(self) -> AbstractContextManager[None]:
        return clock.holding(now() + self.later)

    def wait(self, **by: float) -> None:
        self.later += timedelta(**by)
        self.carrier.book.put("clock", "offset", self.later.total_seconds())

    def script(self, path: str, *words: str) -> None:
        self.carrier.book.put("script", path, list(words))

    def control(self, verb: str, **given: Any) -> Any:
        return self.carrier.control(verb, given).get_json()["said"]

    def shown(self, kind: str = "published") -> list[dict[str, Any]]:
        """What readers have seen happen, once everything due has happened."""
        self.control("settle")
        return self.carrier.book.shown(kind)

    def approved(self, **fields: Any) -> Publication:
        return approved(account=self.account, **fields)

    def publish(self, publication: Publication | None = None, **fields: Any) -> Publication:
        """Let it be due, and carry it out once."""
        publication = publication or self.approved(**fields)
        with self.at():
            with transaction():
                publication.due_at = now() - timedelta(seconds=1)
            publishing.publish(publication.id, worker="here")
        session.expire_all()
        return publication

    def ask(self, publication: Publication) -> Publication:
        """Ask the carrier how far it is."""
        with self.at():
            with transaction():
                publication.poll_at = now() - timedelta(seconds=1)
            polling.ask(publication.id)
        session.expire_all()
        return publication

    def live(self, **fields: Any) -> Publication:
        """A publication all the way to its readers."""
        publication = self.publish(**fields)
        self.wait(seconds=20)
        return self.ask(publication)

    # --- calls

    def calls_to(self, client: FlaskClient) -> None:
        """The carrier's console is told our address, and its calls go through the client."""

        def post(url: str, body: bytes) -> int:
            path = url.removeprefix("http://localhost")
            with self.at():
                return client.post(path, data=body, content_type="text/xml").status_code

        self.carrier.caller.post = post
        url = doors.address(self.account)
        self.control("callback", url=url, token=TOKEN, key=KEY, receive_id=APPID)

    def handle(self) -> None:
        """What the clock has done with calls that wait."""
        with self.at():
            for call in session.query(CarrierCall).all():
                handling.handle(call.id)
        session.expire_all()


def picture(colour: str = "seagreen", width: int = 64) -> Media:
    with transaction():
        return media.store(png(width=width, colour=colour), "a.png", by=None)


def covered(asset: Asset, cover: Media) -> Asset:
    """The asset with that cover."""
    with transaction():
        session.add(
            VersionMedia(version_id=asset.versions[0].id, media_id=cover.id, role="cover", alt="")
        )
    return asset
