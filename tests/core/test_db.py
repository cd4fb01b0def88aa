"""The transaction: what is committed, what is undone, and when effects run."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from cms.accounts.models import User
from cms.core.db import after_commit, session, transaction
from tests import factories


@pytest.mark.usefixtures("app")
class TestTransaction:
    def test_effects_run_after_the_outermost_commit_and_in_order(self):
        ran = []
        with transaction():
            after_commit(lambda: ran.append("first"))
            with transaction():
                after_commit(lambda: ran.append("second"))
            assert ran == []
        assert ran == ["first", "second"]

    def test_a_raise_undoes_rows_and_drops_effects(self):
        person = factories.user(name="Before")
        ran = []
        with pytest.raises(RuntimeError, match="stop"), transaction():
            person.name = "After"
            after_commit(lambda: ran.append("never"))
            session.flush()
            raise RuntimeError("stop")
        assert session.scalar(select(User.name).where(User.id == person.id)) == "Before"
        assert ran == []

    def test_a_change_outside_is_refused(self):
        person = factories.user()
        person.name = "Stray"
        with pytest.raises(RuntimeError, match="outside transaction"):
            session.flush()
        session.rollback()

    def test_instants_come_back_aware_and_equal(self):
        moment = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
        person = factories.user(last_seen_at=moment)
        session.expire_all()
        assert person.last_seen_at == moment
        assert person.last_seen_at.tzinfo is not None

    def test_naive_instants_are_refused(self):
        with pytest.raises(Exception, match="naive datetime"):
            factories.user(last_seen_at=datetime(2026, 1, 1))

    def test_each_test_starts_empty(self):
        assert session.scalars(select(User)).all() == []


def test_a_factory_post_is_whole(app):
    post = factories.post()
    assert post.publication.post is post
    assert post.publication.links[0].target == ""
