"""What every kind of feedback event knows: its name, what it proves, and which of its events count."""

from abc import ABC
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import ClassVar

from feedback.sightings import Sighting

BUCKET = timedelta(minutes=30)


class Kind(ABC):
    """One kind. `proves_human`: a program that only fetches pages cannot cause it."""

    slug: ClassVar[str]
    label: ClassVar[str]
    proves_human: ClassVar[bool] = False
    is_counted: ClassVar[bool] = True  # False: a signal about the visitor, never a figure
    is_toggle: ClassVar[bool] = False  # taken back by a second one; judged over all days

    def count(self, honest: Sequence[Sighting]) -> set[int]:
        """Ids of those that count, out of all events of this kind that people caused, in order.

        Here: the first of each visitor on each link in each half hour.
        """
        first: dict[tuple[str, str, int], int] = {}
        for one in honest:
            bucket = int(one.at.timestamp() // BUCKET.total_seconds())
            first.setdefault((one.link_code, one.visitor, bucket), one.id)
        return set(first.values())


class Toggle(Kind):
    """A reaction that the reader may take back: what holds in the end counts once, on its day."""

    proves_human = True
    is_toggle = True

    def count(self, honest: Sequence[Sighting]) -> set[int]:
        standing: dict[str, int | None] = {}
        for one in honest:
            if not one.is_on:
                standing[one.visitor] = None
            elif standing.get(one.visitor) is None:
                standing[one.visitor] = one.id
        return {found for found in standing.values() if found is not None}


class Each(Kind):
    """Every single one counts."""

    proves_human = True

    def count(self, honest: Iterable[Sighting]) -> set[int]:
        return {one.id for one in honest}


class Signal(Kind):
    """Tells something about the visitor; stands in no statistics."""

    is_counted = False

    def count(self, honest: Sequence[Sighting]) -> set[int]:
        return set()
