"""From counted responses to suggestions: found, explained, accepted, refused, undone; never silent."""

import pytest

from cms.accounts.models import AuditEntry, Role
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import Conflict
from content_library import tags
from content_library.models import AssetTag, TagSource
from feedback import learning_set, model_runs, refinement, suggestions
from feedback.models import ModelRun, Rollup, RunState, Suggestion, SuggestionState, TagEffect
from tests import factories as make
from tests.feedback.world import World


@pytest.fixture
def world(app):
    return World()


@pytest.fixture
def analyst(app):
    return make.user(Role.ANALYST)


def run():
    with transaction():
        run_id = model_runs.request(by=None).id
    refinement.carry_out(run_id)
    session.expire_all()
    return session.get(ModelRun, run_id)


def carried():
    """Every tag link as it stands."""
    session.expire_all()
    return {
        (link.asset_id, link.tag_id): (
            link.source,
            link.confidence,
            link.evidence,
            link.decided_by_id,
            link.decided_at,
        )
        for link in session.query(AssetTag)
    }


def wanted(world):
    return (
        session.query(Suggestion)
        .filter_by(asset_id=world.mistagged.id, tag_id=world.strong.id)
        .order_by(Suggestion.id.desc())
        .first()
    )


def test_the_missing_tag_is_suggested_with_its_evidence_and_nothing_is_retagged(world):
    before = carried()
    done = run()
    assert done.state is RunState.DONE
    assert done.deliveries == 24 * 9
    assert carried() == before
    found = wanted(world)
    assert (found.action, found.state) == ("add", SuggestionState.OPEN)
    assert found.probability > 0.5
    clicks = next(one for one in found.evidence["readings"] if one["outcome"] == "click")
    assert clicks["observed"] > 1.5 * clicks["expected_without"]
    assert clicks["low"] > 1.2
    assert clicks["deliveries"] == 9
    assert found.evidence["exposures"] > 5_000
    others = session.query(Suggestion).filter(Suggestion.id != found.id).count()
    assert others <= 1


def test_effects_are_kept_with_intervals_and_only_the_real_one_is_called_sure(world):
    done = run()
    sure = session.query(TagEffect).filter_by(run_id=done.id, outcome="click", is_significant=True)
    strong = [effect for effect in sure if effect.tag_id == world.strong.id]
    assert {effect.stage_group for effect in strong} == {"new", "core", "lapsing"}
    assert all(1.2 < effect.low < effect.lift < effect.high < 4 for effect in strong)
    assert all(effect.deliveries >= 5 and effect.assets >= 3 for effect in sure)


def test_accepting_and_undoing_restores_exactly_what_was(world, analyst):
    run()
    before = carried()
    with transaction():
        suggestions.accept(wanted(world), by=analyst)
    link = session.get(AssetTag, (world.mistagged.id, world.strong.id))
    assert (link.source, link.decided_by_id) == (TagSource.FEEDBACK, analyst.id)
    change = wanted(world).change
    assert change.model_version == wanted(world).run.version
    assert change.evidence["readings"]
    with transaction():
        suggestions.undo(wanted(world), by=analyst)
    assert carried() == before
    assert wanted(world).state is SuggestionState.UNDONE
    actions = {entry.action for entry in session.query(AuditEntry)}
    assert {"suggestion.accepted", "suggestion.undone"} <= actions


def test_undoing_a_removal_restores_the_tag_with_all_it_said(world, analyst):
    run()
    link = session.query(AssetTag).filter_by(asset_id=world.assets[3].id).first()
    with transaction():
        link.confidence, link.evidence = 0.7312, {"words": ["offer"]}
        taken = Suggestion(
            asset_id=link.asset_id,
            tag_id=link.tag_id,
            action="remove",
            probability=0.8,
            evidence={},
            run_id=session.query(ModelRun).one().id,
            created_at=now(),
        )
        session.add(taken)
    before = carried()
    with transaction():
        suggestions.accept(taken, by=analyst)
    assert (link.asset_id, link.tag_id) not in carried()
    with transaction():
        suggestions.undo(taken, by=analyst)
    assert carried() == before


def test_what_was_refused_is_not_asked_again_until_there_is_far_more(world, analyst):
    run()
    with transaction():
        suggestions.reject(wanted(world), by=analyst)
    run()
    assert wanted(world).state is SuggestionState.REJECTED
    with transaction():
        told = dict(wanted(world).evidence)
        wanted(world).evidence = told | {
            "shown": told["shown"] / 2
        }  # as if shown twice as often now
    run()
    assert wanted(world).state is SuggestionState.OPEN


def test_what_was_undone_is_left_to_people(world, analyst):
    run()
    with transaction():
        suggestions.accept(wanted(world), by=analyst)
    with transaction():
        suggestions.undo(wanted(world), by=analyst)
    run()
    assert wanted(world).state is SuggestionState.UNDONE


def test_a_second_run_renews_what_is_open_and_outdates_what_is_not_proposed(world):
    run()
    first = wanted(world).id
    second = run()
    assert (wanted(world).id, wanted(world).run_id) == (first, second.id)
    with transaction():
        session.query(Rollup).delete()
    run()
    assert wanted(world).state is SuggestionState.OUTDATED


def test_a_persons_tag_is_never_questioned_whatever_the_evidence(world, analyst):
    """The tag is put by hand on assets whose readers respond as if it were absent."""
    plain = [asset for asset in world.assets if 0 not in world.truth[asset.id]][:4]
    with transaction():
        for asset in plain:
            tags.apply(asset, world.strong, by=analyst)
        tags.apply(world.mistagged, world.tags[5], by=analyst)
        tags.withdraw(world.mistagged, world.tags[5], by=analyst)
    run()
    asked = {(one.asset_id, one.tag_id) for one in session.query(Suggestion)}
    assert not asked & {(asset.id, world.strong.id) for asset in plain}
    assert (world.mistagged.id, world.tags[5].id) not in asked
    by_hand = {
        (link.asset_id, link.tag_id)
        for link in session.query(AssetTag).filter_by(source=TagSource.HUMAN)
    }
    assert by_hand
    assert not asked & by_hand


def test_accepting_what_a_person_did_meanwhile_is_refused(world, analyst):
    run()
    with transaction():
        tags.apply(world.mistagged, world.strong, by=make.user())
    with pytest.raises(Conflict), transaction():
        suggestions.accept(wanted(world), by=analyst)
    assert wanted(world).state is SuggestionState.OPEN


def test_nothing_is_decided_twice(world, analyst):
    run()
    with transaction():
        suggestions.reject(wanted(world), by=analyst)
    for act in (suggestions.accept, suggestions.reject, suggestions.undo):
        with pytest.raises(Conflict), transaction():
            act(wanted(world), by=analyst)


def test_a_run_is_carried_out_once(world):
    with transaction():
        run_id = model_runs.request(by=None).id
        assert model_runs.request(by=None).id == run_id
        assert model_runs.waiting() == [run_id]
    refinement.carry_out(run_id)
    effects = session.query(TagEffect).count()
    refinement.carry_out(run_id)
    assert effects > 0
    assert session.query(TagEffect).count() == effects


def test_a_run_that_fails_says_why(world, monkeypatch):
    monkeypatch.setattr(refinement.joint_model, "fit", lambda _deliveries: 1 / 0)
    failed = run()
    assert failed.state is RunState.FAILED
    assert "ZeroDivisionError" in failed.detail["fault"]


def test_without_any_post_there_is_a_run_and_no_suggestion(app):
    assert run().state is RunState.DONE
    assert session.query(Suggestion).count() == 0


def test_suspected_clicks_change_nothing(world):
    """Counted figures alone go in: raw ones may grow as they like."""
    before = learning_set.gather().responses
    with transaction():
        for row in session.query(Rollup).filter_by(kind="click"):
            row.raw += 5_000
    after = learning_set.gather().responses
    assert all((before[outcome] == after[outcome]).all() for outcome in before)
