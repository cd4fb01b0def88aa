"""A process of its own that makes a post of letters or carries it out; a fault point may kill it."""

import sys
from datetime import timedelta

from cms.core import config, faults
from cms.core.clock import now
from cms.core.db import db, session, transaction
from cms.factory import create_app
from schedules import publishing, reconciling
from schedules.models import Publication
from tests import factories as make
from tests.schedules.channels.email.mailing import listed, states
from tests.schedules.ready import approved


def go(step: str) -> None:
    """`make` the post; carry it out `first`, or `again` when that worker is dead."""
    settings = config.settings_from()
    application = create_app(settings)
    faults.arm(settings.faults, settings.home)
    with application.app_context():
        if step == "make":
            db.create_all()
            account = make.account(channel="email", per_minute=6000, settings={"sender_name": "A"})
            listed(account, "ann@example.com", "bo@example.com", "cy@example.com")
            approved(account=account)
            return
        if step == "again":
            with transaction():
                session.query(Publication).update({"lease_until": now() - timedelta(seconds=1)})
            reconciling.settle_expired()
        publishing.publish(1, worker=step)
        if step == "again":
            print(session.get(Publication, 1).state.value, sorted(states(1).items()))


if __name__ == "__main__":
    go(sys.argv[1])
