"""The tables of feedback and learning."""

from feedback.models.events import (
    CommentState,
    Event,
    Flag,
    JournalOffset,
    ReaderComment,
    Verdict,
)
from feedback.models.figures import CarrierFigure
from feedback.models.learning import ModelRun, RunState, Suggestion, SuggestionState, TagEffect
from feedback.models.rollups import AssetScore, DirtyDay, Rollup

__all__ = [
    "AssetScore",
    "CarrierFigure",
    "CommentState",
    "DirtyDay",
    "Event",
    "Flag",
    "JournalOffset",
    "ModelRun",
    "ReaderComment",
    "Rollup",
    "RunState",
    "Suggestion",
    "SuggestionState",
    "TagEffect",
    "Verdict",
]
