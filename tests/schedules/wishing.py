"""What the tests of wishes share: posts that are live, what is asked for them, a worker who carries it."""

from datetime import datetime, timedelta
from typing import Any

from cms.accounts.models import User
from cms.core.clock import now
from cms.core.config import current
from cms.core.db import session, transaction
from schedules import carrying, wishes
from schedules.models import Publication
from schedules.states import Act, Outcome
from schedules.states import PublicationState as State
from tests.schedules.fake_carrier import ready
from tests.schedules.ready import tried


def past_the_lease() -> datetime:
    return now() + timedelta(seconds=current().lease_seconds + 1)


def live(**settings: Any) -> Publication:
    """One that the fake carrier shows."""
    publication = tried(ready(confirmation="nobody", **settings))
    assert publication.state is State.PUBLISHED
    return publication


def withdraw(publication: Publication, by: User) -> None:
    with transaction():
        wishes.ask_withdrawal(publication, by, "Wrong picture")


def amend(publication: Publication, text: str, by: User) -> None:
    with transaction():
        wishes.ask_amendment(publication, text, by)


def carry(publication: Publication) -> bool:
    """Whether a worker who came by spoke to the carrier about it."""
    done = carrying.carry(publication.id, worker="here")
    session.expire_all()
    return done


def acts(publication: Publication) -> list[tuple[Act, Outcome | None]]:
    return [(one.act, one.outcome) for one in publication.attempts if one.act is not Act.SEND]
