"""The tables of feedback and learning."""

from feedback.models.events import (
    Event,
    JournalOffset,
    ReaderComment,
    Verdict,
)
from feedback.models.learning import ModelRun, Suggestion, SuggestionState, TagEffect
from feedback.models.rollups import AssetScore, DirtyDay, Rollup

__all__ = [
    "AssetScore",
    "DirtyDay",
    "Event",
    "JournalOffset",
    "ModelRun",
    "ReaderComment",
    "Rollup",
    "Suggestion",
    "SuggestionState",
    "TagEffect",
    "Verdict",
]
