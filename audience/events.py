"""Past facts about the audience that upper floors listen to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StageSaved:
    """A stage was made or changed."""

    stage_id: int


@dataclass(frozen=True)
class PersonaPassedOn:
    """A persona has another holder, or none any more; `by_id` is whoever said so."""

    persona_id: int
    holder_id: int | None
    by_id: int | None
