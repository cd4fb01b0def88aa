"""One decision of a person, in a process of its own: `approve POST`, or `again PUBLICATION`."""

import sys

from sqlalchemy import select

from cms.accounts.models import Role, User
from cms.core import faults
from cms.core.config import current
from cms.core.db import session, transaction
from cms.factory import create_app
from schedules import approvals, decisions, publications
from schedules.models import Post


def main() -> None:
    word, number = sys.argv[1], int(sys.argv[2])
    app = create_app()
    faults.arm(current().faults, current().home)
    with app.app_context(), transaction():
        operator = session.scalars(select(User).where(User.role == Role.OPERATOR)).one()
        if word == "approve":
            post = session.get_one(Post, number)
            approvals.approve(post, revision=post.revision, by=operator)
        else:
            decisions.resolve_uncertain(publications.get(number), word, by=operator)


if __name__ == "__main__":
    main()
