"""What the tests of alerts share: posts that failed, routes, and a later moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import select

from cms.accounts.models import User
from cms.core import clock
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.i18n import N_
from schedules import alert_routes
from schedules.models import Alert, AlertNotice, AlertRoute, ChannelAccount, Publication
from schedules.states import AlertState
from schedules.states import PublicationState as State
from tests import factories as make

REFUSED = N_("The carrier refused the post.")


def failed(way: ChannelAccount, reason: str = REFUSED) -> Publication:
    publication = make.post(state=State.FAILED, account=way).publication
    with transaction():
        publication.reason = reason
    return publication


def of_posts() -> list[Alert]:
    """The alerts about posts: in a test nothing beats, so health has its own."""
    return [
        one for one in session.scalars(select(Alert).order_by(Alert.id)) if "failed" in one.cause
    ]


@contextmanager
def later(**span: float) -> Iterator[None]:
    with clock.holding(now() + timedelta(**span)):
        yield


def route(kind: str, address: str, by: User, lang: str = "en") -> tuple[AlertRoute, str]:
    fields = alert_routes.checked(kind, address, lang)
    with transaction():
        return alert_routes.add(fields, by=by)


def told(one: AlertRoute) -> list[tuple[str, AlertState]]:
    rows = select(AlertNotice).where(AlertNotice.route_id == one.id).order_by(AlertNotice.id)
    return [(row.alert.cause, row.state) for row in session.scalars(rows)]
