"""Past facts about the audience that upper floors listen to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StageSaved:
    """A stage was made or changed."""

    stage_id: int
