"""A post that is live in the sandbox's own ledger, and the wish to take it back: not yet carried."""

from datetime import timedelta

from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import db, session, transaction
from cms.factory import create_app
from schedules import publishing, wishes
from schedules.models import Publication
from schedules.states import PublicationState
from tests import factories as make
from tests.schedules.ready import account, approved


def main() -> None:
    app = create_app()
    with app.app_context():
        db.create_all()
        publication_id = approved(account=account(), publish_at=now() - timedelta(seconds=1)).id
        publishing.publish(publication_id, worker="before")
        session.expire_all()
        publication = session.get_one(Publication, publication_id)
        assert publication.state is PublicationState.PUBLISHED
        with transaction():
            wishes.ask_withdrawal(publication, make.user(Role.OPERATOR))


if __name__ == "__main__":
    main()
