"""One run of the model: fits each outcome, keeps the tags' effects, and proposes tag changes."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import insert

from cms.accounts import audit
from cms.core.clock import now
from cms.core.db import session, transaction
from feedback import learning_set, model_runs, suggestions
from feedback.learning_set import GROUPS, LearningSet
from feedback.models import ModelRun, RunState, TagEffect
from feedback.statistics import joint_model, multiple, proposals
from feedback.statistics.evidence import Evidence, Reading
from feedback.statistics.intervals import LiftPrior, lift_quantile, shrink_lift
from feedback.statistics.joint_model import Fit
from feedback.statistics.proposals import Proposal

log = structlog.get_logger(__name__)

# A weak prior around "as expected": one imagined response.
LIFT_PRIOR = LiftPrior(1.0, 1.0)


def carry_out(run_id: int) -> None:
    """Fit and write, if nobody else has taken this run up."""
    with transaction():
        if not model_runs.claim(run_id):
            return
    try:
        found = learning_set.gather()
        fits = _fits(found) if found else {}
        with transaction():
            _write(model_runs.get(run_id), found, fits)
    except Exception as error:  # the job's door: the page must say that it failed, and why
        log.exception("model_run_failed", run=run_id)
        session.rollback()
        with transaction():
            run = model_runs.get(run_id)
            run.state = RunState.FAILED
            run.detail = {"fault": f"{type(error).__name__}: {error}"[:300]}


def _fits(found: LearningSet) -> dict[str, Fit]:
    fits = {}
    for outcome in learning_set.OUTCOMES:
        deliveries = found.deliveries(outcome)
        if deliveries is not None:
            fits[outcome] = joint_model.fit(deliveries)
    return fits


def _write(run: ModelRun, found: LearningSet | None, fits: Mapping[str, Fit]) -> None:
    made: list[dict[str, Any]] = []
    proposed: list[Proposal] = []
    if found is not None and fits:
        made = _effects(run, found, fits)
        proposed = proposals.propose(fits, decided=learning_set.decided(found))
    if made:
        session.execute(insert(TagEffect), made)
    told = [_told(run, found, one) for one in proposed] if found else []
    changed = suggestions.replace_open(run, told)
    run.state, run.fitted_at = RunState.DONE, now()
    run.deliveries = len(found.rows) if found else 0
    run.detail = {
        "assets": len(found.asset_ids) if found else 0,
        "tags": len(found.tag_ids) if found else 0,
        "outcomes": {
            outcome: {
                "deliveries": len(fit.deliveries),
                "responses": float(fit.deliveries.y.sum()),
                "exposures": round(float(fit.deliveries.n.sum()), 1),
                "has_converged": fit.converged,
            }
            for outcome, fit in fits.items()
        },
        "suggestions": changed,
    }
    audit.record("model_run.fitted", run, by=None, version=run.version, **changed)


def _effects(run: ModelRun, found: LearningSet, fits: Mapping[str, Fit]) -> list[dict[str, Any]]:
    """Every effect that may be shown; significance is judged over the whole list together."""
    shown = [
        (outcome, effect)
        for outcome, fit in fits.items()
        for effect in fit.tag_effects().values()
        if effect is not None
    ]
    kept = multiple.discoveries([effect.p for _outcome, effect in shown])
    return [
        {
            "run_id": run.id,
            "tag_id": found.tag_ids[effect.tag],
            "stage_group": GROUPS[effect.group].value,
            "outcome": outcome,
            "lift": effect.lift,
            "low": effect.low,
            "high": effect.high,
            "exposures": round(effect.exposures),
            "deliveries": effect.deliveries,
            "assets": effect.assets,
            "is_significant": bool(is_kept),
        }
        for (outcome, effect), is_kept in zip(shown, kept, strict=True)
    ]


def _told(run: ModelRun, found: LearningSet, proposal: Proposal) -> suggestions.Proposed:
    """A proposal with its evidence in plain numbers, for people and for the log."""
    evidence = proposal.evidence
    asset_id = found.asset_ids[evidence.asset]
    return suggestions.Proposed(
        asset_id=asset_id,
        tag_id=found.tag_ids[evidence.tag],
        action=proposal.change.value,
        probability=proposal.probability,
        evidence=_evidence(evidence)
        | {
            "model_version": run.version,
            "shown": sum(row.reach for row in found.rows if row.asset_id == asset_id),
            "rivals": [
                {"tag_id": found.tag_ids[tag], "probability": round(probability, 3)}
                for tag, probability in proposal.rivals
            ],
        },
    )


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "log_bayes_factor": round(evidence.log_bayes_factor, 3),
        "prior": round(evidence.prior, 4),
        "posterior": round(evidence.posterior, 4),
        "exposures": round(evidence.exposures),
        "deliveries": evidence.deliveries,
        "readings": [_reading(reading) for reading in _with_any(evidence.readings)],
    }


def _reading(reading: Reading) -> dict[str, Any]:
    """What was seen beside what was expected, and the lift over the expectation with its doubt."""
    standard = reading.expected_without
    lift = float(shrink_lift([reading.observed], [standard], LIFT_PRIOR)[0])
    low, high = (
        float(lift_quantile([reading.observed], [standard], LIFT_PRIOR, q=q)[0])
        for q in (0.05, 0.95)
    )
    return {
        "outcome": reading.outcome,
        "observed": round(reading.observed, 1),
        "expected_with": round(reading.expected_with, 1),
        "expected_without": round(reading.expected_without, 1),
        "exposures": round(reading.exposures),
        "deliveries": reading.deliveries,
        "lift": round(lift, 3),
        "low": round(low, 3),
        "high": round(high, 3),
    }


def _with_any(readings: Sequence[Reading]) -> list[Reading]:
    return [reading for reading in readings if reading.deliveries]
