"""What the demo team learned from its readers: the model's runs, and the first suggestions decided."""

import importlib
from datetime import datetime, timedelta

from sqlalchemy import select

from cms.core.clock import holding
from cms.core.db import session, transaction
from cms.demo import team
from cms.demo.week import Team, step_at
from feedback import model_runs, suggestions
from feedback.models import Suggestion, SuggestionState

DECIDES_AFTER = timedelta(hours=7)
SECOND_THOUGHT_AFTER = timedelta(hours=3)


def decide(crew: Team, moment: datetime) -> str:
    """An early run: until there is one of each, a suggestion is accepted, another accepted and undone."""
    deliveries = _run(moment)
    waiting = _open()
    with transaction():
        analyst = team.member("analyst")
        for suggestion in waiting:
            if has_both():
                break
            is_second = suggestions.counts()[SuggestionState.ACCEPTED] > 0
            with step_at(moment + DECIDES_AFTER):
                suggestions.accept(suggestion, by=analyst)
            if is_second:
                with step_at(moment + DECIDES_AFTER + SECOND_THOUGHT_AFTER):
                    suggestions.undo(suggestion, by=analyst)
    return f"learning: {deliveries} deliveries, {len(waiting)} suggestions"


def has_both() -> bool:
    """Whether one suggestion stands accepted and one undone."""
    known = suggestions.counts()
    return known[SuggestionState.ACCEPTED] > 0 and known[SuggestionState.UNDONE] > 0


def latest(crew: Team, moment: datetime) -> str:
    """The run on all there is; what it suggests waits for whoever opens the demo."""
    deliveries = _run(moment)
    return f"learning: {deliveries} deliveries, {len(_open())} suggestions wait"


def _run(moment: datetime) -> int:
    with holding(moment):
        with transaction():
            run_id = model_runs.request(by=None).id
        # Loaded when needed: numpy and scipy would slow the start of every command.
        importlib.import_module("feedback.refinement").carry_out(run_id)
        return model_runs.get(run_id).deliveries


def _open() -> list[Suggestion]:
    found = select(Suggestion).where(Suggestion.state == SuggestionState.OPEN)
    return list(session.scalars(found.order_by(Suggestion.probability.desc(), Suggestion.id)))
