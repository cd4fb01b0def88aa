"""The ledger: planning, the one mover and the finders."""

import dataclasses
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from audience.models import PoolKind
from cms.accounts.models import AuditEntry
from cms.core import config
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict
from schedules import content, links, publications, rules
from schedules.models import Publication
from schedules.states import PUBLICATION_MOVES
from schedules.states import PublicationState as State
from tests import factories as make


def test_planning_twice_keeps_one_publication(app: Flask) -> None:
    post = make.post()
    with transaction():
        first = publications.plan(post)
        second = publications.plan(post)
    assert first.id == second.id
    assert session.scalar(select(func.count()).select_from(Publication)) == 1


def test_with_the_unique_rule_off_planning_twice_makes_two(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: it is the rule that keeps one."""
    monkeypatch.setenv("SEEDBED_DISABLE", "unique")
    post = make.post()
    with transaction():
        publications.plan(post)
    assert session.scalar(select(func.count()).select_from(Publication)) == 2


def test_rules_cannot_be_switched_off_outside_tests(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDBED_DISABLE", "fence,hash")
    assert not rules.is_on("fence")
    real = dataclasses.replace(config.current(), mode=config.Mode.PRODUCTION)
    monkeypatch.setattr(config, "_current", real)
    assert rules.is_on("fence")


def test_a_video_gets_a_second_link_to_where_it_plays(app: Flask) -> None:
    video = make.asset(kind="video", content={"url": "https://www.bilibili.com/video/BV1xx411c7mD"})
    post = make.post(asset=video)
    with transaction():
        publications.plan(post)
        publications.plan(post)
    targets = sorted(link.target for link in post.publication.links)
    assert targets == ["", "https://www.bilibili.com/video/BV1xx411c7mD"]


def test_a_moved_post_takes_its_publication_along(app: Flask) -> None:
    post = make.post(pool=make.pool(kind=PoolKind.MOMENTS), calendar=make.calendar())
    with transaction():
        post.publish_at = now() + timedelta(days=3)
        publications.plan(post)
    assert post.publication.due_at == post.publish_at
    assert post.publication.late_after == post.publish_at + timedelta(minutes=120)


@pytest.mark.parametrize("state", list(State))
def test_the_mover_allows_what_the_table_allows_and_nothing_else(app: Flask, state: State) -> None:
    for target in State:
        publication = make.post(state=state).publication
        if target in PUBLICATION_MOVES[state]:
            with transaction():
                publications.move(publication, target, by=None)
            assert publication.state is target
            entries = session.scalars(
                select(AuditEntry).where(AuditEntry.object_id == publication.id)
            ).all()
            assert [entry.action for entry in entries] == [f"publication.{target.value}"]
        else:
            with pytest.raises(Conflict), transaction():
                publications.move(publication, target, by=None)
            assert publication.state is state


def test_shift_tells_the_one_who_moved_it_from_the_one_who_came_late(app: Flask) -> None:
    publication = make.post(state=State.SCHEDULED).publication
    with transaction():
        assert publications.shift(publication.id, State.SCHEDULED, State.HELD)
        assert not publications.shift(publication.id, State.SCHEDULED, State.HELD)


@pytest.mark.parametrize("state", [State.CLAIMED, State.SENDING, State.PUBLISHED, State.UNCERTAIN])
def test_what_is_going_out_cannot_be_taken_back(app: Flask, state: State) -> None:
    post = make.post(state=state)
    with pytest.raises(Conflict) as refused, transaction():
        publications.unschedule(post, by=None)
    assert refused.value.problem.code == "already_going_out"
    with pytest.raises(Conflict), transaction():
        publications.plan(post)


def test_counts_name_every_state(app: Flask) -> None:
    make.post(state=State.MISSED)
    counts = publications.counts_by_state()
    assert set(counts) == set(State)
    assert counts[State.MISSED] == 1


def test_the_hash_changes_with_everything_a_reader_would_see(app: Flask) -> None:
    post = make.post()
    before = content.content_hash(content.outgoing(post))
    assert content.content_hash(content.outgoing(post)) == before
    seen = {before}
    for change in (
        {"text": "Other words"},
        {"publish_at": now() + timedelta(days=9)},
        {"account": make.account(post.pool)},
        {"version": make.asset().versions[0]},
        {"pool": make.pool()},
    ):
        with transaction():
            for name, value in change.items():
                setattr(post, name, value)
        seen.add(content.content_hash(content.outgoing(post)))
    assert len(seen) == 6


def test_the_link_goes_along_where_the_carrier_has_no_place_for_it(app: Flask) -> None:
    by_hand = make.post(account=make.account(channel="manual"))
    link = links.url_of(by_hand.publication.links[0])
    assert content.outgoing(by_hand).text == f"Worth a read\n{link}"
    assert content.outgoing(make.post()).text == "Worth a read"
    assert links.by_code(by_hand.publication.links[0].code).publication is by_hand.publication
    assert links.by_code("nothing") is None
