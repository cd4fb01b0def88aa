"""Which asset a planner of the demo world puts where, and what they write above it."""

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from cms.demo import pack
from cms.demo.pack import Wording

RESTS_DAYS = 14  # an asset comes back to a pool after two weeks, if there is another
ENGLISH_IS_LATER = 0.6


@dataclass(frozen=True)
class Choice:
    """An asset as the planner sees it."""

    id: int
    name: str  # articles/… .md, video:…, poster:…
    kind: str
    title: str
    lang: str
    tags: frozenset[str]


class Planner:
    """Fills slots: the wanted theme, the pool's stage, no early repeat, and everything used alike."""

    def __init__(self, choices: list[Choice], seed: int) -> None:
        self.choices = choices
        self._chance = random.Random(f"{seed}:planner")
        self._used: dict[int, int] = defaultdict(int)
        self._last: dict[tuple[int, str], date] = {}
        self._worded: dict[str, int] = defaultdict(int)

    def choose(self, *, pool: str, stage: str, theme: str, on: date) -> Choice:
        """The best asset for the slot, used from now on."""
        fitting = [choice for choice in self.choices if stage in choice.tags]
        chosen = min(fitting, key=lambda choice: self._cost(choice, pool, theme, on))
        self.note(chosen, pool, on)
        return chosen

    def note(self, choice: Choice, pool: str, on: date) -> None:
        """Say that the asset goes to the pool on that day."""
        self._used[choice.id] += 1
        self._last[choice.id, pool] = on

    def words(self, choice: Choice) -> str | None:
        """What to write above it, or None to leave the asset's own words."""
        if self._chance.random() < 0.2:
            return None
        suited = [wording for wording in pack.wordings() if _suits(wording, choice)]
        if not suited:
            return None
        # The least used one, so that no pool reads the same sentence twice a week.
        wording = min(suited, key=lambda one: (self._worded[one.text], self._chance.random()))
        self._worded[wording.text] += 1
        title = f"《{choice.title}》" if choice.lang == "zh" else choice.title
        return wording.text.replace("{title}", title)

    def _cost(self, choice: Choice, pool: str, theme: str, on: date) -> float:
        last = self._last.get((choice.id, pool))
        rested = (on - last).days if last else RESTS_DAYS
        tired = max(0, RESTS_DAYS - rested)
        return (
            2.0 * tired
            + (0.0 if not theme or theme in choice.tags else 6.0)
            + 0.8 * self._used[choice.id]
            + (ENGLISH_IS_LATER if choice.lang == "en" else 0.0)
            + 1.5 * self._chance.random()
        )


def _suits(wording: Wording, choice: Choice) -> bool:
    if wording.lang != choice.lang or theme_of(choice) != wording.theme:
        return False
    stem = choice.name.removeprefix("articles/").removesuffix(".md")
    return not wording.assets or stem in wording.assets


def theme_of(choice: Choice) -> str:
    """The asset's one theme."""
    return next(slug for slug in pack.THEMES if slug in choice.tags)
