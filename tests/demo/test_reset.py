"""The demo world never touches real work, and goes without a trace when it is told to."""

import pytest
from flask import Flask
from sqlalchemy import func, select

from audience.models import Pool, PoolKind
from cms.accounts import users
from cms.accounts.models import AuditEntry, Role, User
from cms.cli import demo
from cms.core.clock import holding, now
from cms.core.config import current
from cms.core.db import Model, session, transaction
from cms.core.errors import Conflict
from cms.demo import marks, pack, responses, team, wiping, world
from cms.demo.choosing import Planner
from cms.demo.models import DemoWorld
from cms.demo.readers import Sent
from cms.demo.truth import Placing
from cms.demo.week import Team
from feedback import comments, events
from feedback.comments import Draft
from feedback.facts import Fact
from feedback.models import Event, ReaderComment
from feedback.visitors import Visitor
from tests import factories

SENT = Sent(
    key="sample",
    name="articles/x.md",
    true_tags=frozenset(),
    placing=Placing("active", "core", 12, "group"),
    pool="group-active",
    exposed=1,
    at=now(),
)


def begin(*, is_finished: bool = True) -> None:
    """The first steps of a load: the mark and the people."""
    with transaction():
        moment = now()
        session.add(
            DemoWorld(
                seed=1,
                today=moment.date(),
                began_at=moment,
                finished_at=moment if is_finished else None,
            )
        )
        team.people()
        team.readers(team.member("administrator"))


def test_real_users_are_never_loaded_over(elsewhere: Flask) -> None:
    with transaction():
        users.add("lin", "Lin", Role.ADMINISTRATOR, by=None)
    with pytest.raises(Conflict) as refused:
        list(world.load())
    assert refused.value.problem.code == "not_empty"
    assert session.scalars(select(User.login)).all() == ["lin"]


def test_real_assets_are_never_loaded_over(elsewhere: Flask) -> None:
    factories.asset()
    assert not world.is_empty()
    with pytest.raises(Conflict):
        next(world.load())


def test_real_work_is_never_wiped(elsewhere: Flask) -> None:
    with transaction():
        users.add("lin", "Lin", Role.ADMINISTRATOR, by=None)
    with pytest.raises(Conflict) as refused:
        wiping.wipe()
    assert refused.value.problem.code == "not_a_demo"
    assert users.count() == 1


def test_people_who_joined_a_demo_keep_it(elsewhere: Flask) -> None:
    begin()
    with transaction():
        users.add("lin", "Lin", Role.PLANNER, by=None)
    with pytest.raises(Conflict) as refused:
        wiping.wipe()
    assert refused.value.problem.code == "people_at_work"
    assert marks.mark() is not None


def test_a_wiped_demo_leaves_no_row(elsewhere: Flask) -> None:
    begin()
    factories.post()
    wiping.wipe()
    left = {
        table.name: session.scalar(select(func.count()).select_from(table))
        for table in Model.metadata.sorted_tables
        if table.name not in wiping.KEPT
    }
    assert {name: rows for name, rows in left.items() if rows} == {}
    assert world.is_empty()


def test_a_torn_load_is_begun_anew(elsewhere: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(is_finished=False)
    loaded = []
    monkeypatch.setattr(world, "load", lambda: iter(loaded.append("again") or ["again"]))
    assert "not loaded to its end" in next(lines := demo.before_start())
    assert list(lines)[-1] == "again"
    assert users.count() == 0


def test_a_finished_demo_greets_with_a_link_for_each_role(elsewhere: Flask) -> None:
    begin()
    lines = list(demo.after_start())
    for login in team.ROLE_LOGINS:
        assert sum(f" {login} " in line and "/enter/" in line for line in lines) == 1
    assert list(demo.before_start()) == []


def test_an_emptied_place_greets_the_first_administrator(elsewhere: Flask) -> None:
    assert "first administrator" in next(demo.after_start())


def test_comments_are_rows_as_the_operation_makes_them(elsewhere: Flask) -> None:
    """The loader's shorter way must leave what the real operation leaves, field by field."""
    post = factories.post(state="published")
    crew = Team(post.calendar, 7, Planner([], 7), {}, planners=[], operators=[])
    visitor = Visitor(key="c:" + "a" * 32, strength="cookie", network_key="w:" + "b" * 32)
    with holding(now()), transaction():
        real = comments.write(post.publication, Draft("阿宁", "收藏了", "once"), visitor)
    fact = Fact(
        source="page",
        event_id="e" * 32,
        kind="comment",
        publication_id=post.publication.id,
        received_at=real.at,
        occurred_at=real.at,
        visitor_key=visitor.cookie_key,
        key_strength="cookie",
    )
    live = responses.Live(post.publication, "code", SENT, "trust", "zh")
    with transaction():
        made = responses._comment(crew, live, fact)
        session.add(made)
        events.store([fact])
    told = {"id", "event_id", "name", "text", "network_key"}
    names = [column.key for column in ReaderComment.__table__.columns if column.key not in told]
    assert [getattr(made, name) for name in names] == [getattr(real, name) for name in names]
    assert made.text in {remark.text for remark in pack.remarks()}
    by_id = {event.event_id: event for event in session.scalars(select(Event))}
    ours, theirs = by_id[fact.event_id], by_id[real.event_id]
    for column in Event.__table__.columns:
        if column.key not in ("id", "event_id"):
            assert getattr(ours, column.key) == getattr(theirs, column.key), column.key


def test_every_step_is_in_the_audit_trail(elsewhere: Flask) -> None:
    begin()
    actions = set(session.scalars(select(AuditEntry.action)))
    assert {"user.added", "stage.created", "persona.added", "pool.added"} <= actions
    assert session.scalars(select(Pool.kind).distinct()).all()
    assert PoolKind.MOMENTS in set(session.scalars(select(Pool.kind)))
    assert current().timezone == "Asia/Shanghai"
