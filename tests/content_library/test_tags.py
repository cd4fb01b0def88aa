"""Applying, withdrawing and undoing tags: people outrank machines, and every change can be explained."""

import pytest
from flask import Flask
from sqlalchemy import select

from cms.accounts.models import AuditEntry, Role
from cms.core.db import session, transaction
from cms.core.errors import Conflict
from content_library import tags
from content_library.models import TagChange, TagSource
from tests import factories

MODEL = {"source": TagSource.MODEL, "confidence": 0.7, "evidence": {"why": "test"}, "by": None}


@pytest.fixture
def planner(app: Flask):
    return factories.user()


@pytest.fixture
def pair(app: Flask):
    return factories.asset(), factories.tag()


def test_a_persons_tag_is_never_taken_over_by_a_machine(pair, planner):
    asset, tag = pair
    with transaction():
        tags.apply(asset, tag, by=planner)
        assert tags.apply(asset, tag, **MODEL) is None
        assert tags.withdraw(asset, tag, source=TagSource.MODEL, by=None) is None
        assert tags.withdraw(asset, tag, source=TagSource.FEEDBACK, by=planner) is None
    assert tags.link(asset, tag).source is TagSource.HUMAN


def test_a_tag_taken_away_by_a_person_is_not_put_back_by_a_machine(pair, planner):
    asset, tag = pair
    with transaction():
        tags.apply(asset, tag, **MODEL)
        tags.withdraw(asset, tag, by=planner)
        assert tags.apply(asset, tag, **MODEL) is None
        assert tags.apply(asset, tag, source=TagSource.RULE, by=None) is None
    assert tags.link(asset, tag) is None


def test_a_suggestion_accepted_by_a_person_may_return_a_refused_tag(pair, planner):
    asset, tag = pair
    with transaction():
        tags.apply(asset, tag, by=planner)
        tags.withdraw(asset, tag, by=planner)
        change = tags.apply(asset, tag, source=TagSource.FEEDBACK, confidence=0.9, by=planner)
    assert change is not None
    assert tags.link(asset, tag).source is TagSource.FEEDBACK


def test_a_person_takes_over_a_machines_tag(pair, planner):
    asset, tag = pair
    with transaction():
        tags.apply(asset, tag, **MODEL)
        change = tags.apply(asset, tag, by=planner)
    link = tags.link(asset, tag)
    assert (link.source, link.confidence, link.decided_by_id) == (TagSource.HUMAN, 1.0, planner.id)
    assert change.before["source"] == "model"


def test_the_same_word_again_changes_nothing(pair, planner):
    asset, tag = pair
    with transaction():
        assert tags.apply(asset, tag, **MODEL)
        assert tags.apply(asset, tag, **MODEL) is None
        assert tags.withdraw(asset, factories.tag(), by=planner) is None
    assert session.query(TagChange).filter_by(asset_id=asset.id).count() == 1


def test_undo_restores_exactly_what_was_there(pair, planner):
    asset, tag = pair
    with transaction():
        tags.apply(asset, tag, **MODEL)
    before = tags._snapshot(tags.link(asset, tag))
    with transaction():
        change = tags.withdraw(asset, tag, source=TagSource.MODEL, by=None)
    with transaction():
        tags.undo(change, by=planner)
    assert tags._snapshot(tags.link(asset, tag)) == before
    assert change.undone_at is not None


def test_undo_of_an_addition_removes_it_and_then_machines_keep_away(pair, planner):
    asset, tag = pair
    with transaction():
        change = tags.apply(asset, tag, **MODEL)
        tags.undo(change, by=planner)
    assert tags.link(asset, tag) is None
    with transaction():
        assert tags.apply(asset, tag, **MODEL) is None


def test_taking_back_ones_own_addition_leaves_the_question_open(pair, planner):
    asset, tag = pair
    with transaction():
        tags.undo(tags.apply(asset, tag, by=planner), by=planner)
        assert tags.apply(asset, tag, **MODEL) is not None


def test_a_change_is_undone_once_and_only_while_it_stands(pair, planner):
    asset, tag = pair
    with transaction():
        change = tags.apply(asset, tag, **MODEL)
        tags.apply(asset, tag, by=planner)
    with pytest.raises(Conflict) as refused, transaction():
        tags.undo(change, by=planner)
    assert refused.value.problem.code == "changed_meanwhile"
    with transaction():
        mine = tags.withdraw(asset, tag, by=planner)
        tags.undo(mine, by=planner)
    with pytest.raises(Conflict) as again, transaction():
        tags.undo(mine, by=planner)
    assert again.value.problem.code == "already_undone"


def test_every_change_is_logged_and_audited(pair):
    asset, tag = pair
    analyst = factories.user(Role.ANALYST)
    with transaction():
        tags.apply(asset, tag, by=analyst, evidence={"note": "x"}, model_version="m1")
        tags.withdraw(asset, tag, by=analyst)
    log = session.scalars(tags.changes(asset)).all()
    assert [(one.before is None, one.after is None) for one in log] == [
        (False, True),
        (True, False),
    ]
    assert log[1].model_version == "m1"
    assert log[1].evidence == {"note": "x"}
    actions = session.scalars(
        select(AuditEntry.action).where(AuditEntry.object_id == asset.id).order_by(AuditEntry.id)
    ).all()
    assert actions[-2:] == ["asset.tagged", "asset.untagged"]
