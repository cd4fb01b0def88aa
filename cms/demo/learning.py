"""What the demo team learned from its readers: the model's runs, and the first suggestions decided."""

import importlib
from datetime import datetime, timedelta

from sqlalchemy import select

from cms.core.clock import holding
from cms.core.db import session, transaction
from cms.demo import team
from cms.demo.week import Team
from feedback import model_runs, suggestions
from feedback.models import Suggestion, SuggestionState

DECIDES_AFTER = timedelta(hours=7)
SECOND_THOUGHT_AFTER = timedelta(hours=3)


def first(crew: Team, moment: datetime) -> str:
    """The first run: of its suggestions one is accepted, one accepted and undone."""
    run = _run(moment)
    decided = 0
    with transaction():
        analyst = team.member("analyst")
        for number, suggestion in enumerate(_open()[:2]):
            with holding(moment + DECIDES_AFTER + timedelta(minutes=9 * number)):
                suggestions.accept(suggestion, by=analyst)
            decided += 1
            if number == 1:
                with holding(moment + DECIDES_AFTER + SECOND_THOUGHT_AFTER):
                    suggestions.undo(suggestion, by=analyst)
    return f"learning: {run} deliveries, {decided} suggestions decided"


def latest(crew: Team, moment: datetime) -> str:
    """The run on all there is; what it suggests waits for whoever opens the demo."""
    run = _run(moment)
    return f"learning: {run} deliveries, {len(_open())} suggestions wait"


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
