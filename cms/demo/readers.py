"""The seeded readers: who responds to a publication, how and when, drawn from the planted truth alone."""

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from cms.demo.truth import Placing, Truth

ON_PAGE = ("like", "collect", "comment")  # what a reader does after having opened the page
SHARE_PROVEN = 0.4  # of openings in which the page's script says that somebody is there


@dataclass(frozen=True)
class Sent:
    """A publication as its readers meet it. `name` is the asset's own, for noise that stays with it."""

    key: str
    name: str
    true_tags: frozenset[str]
    placing: Placing
    pool: str
    exposed: int
    at: datetime


@dataclass(frozen=True)
class Response:
    """One reader doing one thing; `opens` pages are seen, `is_proven` by the page's script."""

    kind: str
    reader: int
    at: datetime
    is_proven: bool = False


class Readers:
    """Everybody in the pools, each with a taste of their own."""

    def __init__(self, truth: Truth, seed: int) -> None:
        self.truth = truth
        self.seed = seed
        self._tastes: dict[tuple[str, int], frozenset[str]] = {}
        self._weights: dict[tuple[str, int, frozenset[str]], list[float]] = {}

    def respond(self, sent: Sent) -> list[Response]:
        """All responses to one publication, in order of time."""
        chance = random.Random(f"{self.seed}:{sent.key}")
        counts = {outcome: self._count(chance, sent, outcome) for outcome in self.truth.outcomes}
        tapped = self._who(chance, sent, counts["click"])
        responses = [
            Response("click", who, self._when(chance, sent, "click", sent.at), _proven(chance))
            for who in tapped
        ]
        opened = {response.reader: response.at for response in responses}
        for kind in ON_PAGE:
            responses += self._on_page(chance, sent, kind, count=counts[kind], opened=opened)
        return sorted(responses, key=lambda response: (response.at, response.kind, response.reader))

    def rate(self, sent: Sent, outcome: str) -> float:
        """The expected responses per reader: planted effects and the asset's own noise."""
        noise = random.Random(f"{self.seed}:{sent.name}:{outcome}")
        own = noise.gauss(0.0, self.truth.noise_sd)
        return self.truth.rate(outcome, sent.true_tags, sent.placing) * math.exp(own)

    def _count(self, chance: random.Random, sent: Sent, outcome: str) -> int:
        return min(sent.exposed, _poisson(chance, sent.exposed * self.rate(sent, outcome)))

    def _who(self, chance: random.Random, sent: Sent, count: int) -> list[int]:
        """Readers without repetition; those whose taste it meets have better odds (Efraimidis, 2006)."""
        if not count:
            return []
        weights = self._weights_of(sent)
        keys = [math.log(1.0 - chance.random()) / weight for weight in weights]
        return sorted(range(len(keys)), key=keys.__getitem__, reverse=True)[:count]

    def _weights_of(self, sent: Sent) -> list[float]:
        key = (sent.pool, sent.exposed, sent.true_tags)
        if key not in self._weights:
            better = math.exp(self.truth.favourite_log_odds)
            self._weights[key] = [
                better if self._taste(sent.pool, who) & sent.true_tags else 1.0
                for who in range(sent.exposed)
            ]
        return self._weights[key]

    def _taste(self, pool: str, who: int) -> frozenset[str]:
        key = (pool, who)
        if key not in self._tastes:
            chance = random.Random(f"{self.seed}:taste:{pool}:{who}")
            liked = chance.sample(sorted(self.truth.tags), self.truth.favourite_tags)
            self._tastes[key] = frozenset(liked)
        return self._tastes[key]

    def _on_page(
        self,
        chance: random.Random,
        sent: Sent,
        kind: str,
        *,
        count: int,
        opened: dict[int, datetime],
    ) -> list[Response]:
        """Mostly by those who tapped the link; when they are too few, by some who came by the feed."""
        who = list(opened)
        chance.shuffle(who)
        who = who[:count]
        known = set(who)
        while len(who) < count:
            more = chance.randrange(sent.exposed)
            if more not in known:
                known.add(more)
                who.append(more)
        found = []
        for one in who:
            earliest = opened.get(one, sent.at) + timedelta(seconds=chance.randint(8, 90))
            at = max(earliest, self._when(chance, sent, kind, sent.at))
            found.append(Response(kind, one, at, is_proven=True))
        return found

    def _when(self, chance: random.Random, sent: Sent, outcome: str, start: datetime) -> datetime:
        delay = self.truth.delays[outcome]
        minutes = delay.median_minutes * math.exp(chance.gauss(0.0, delay.sigma))
        # Nobody answers within the seconds in which only link checkers do.
        return start + timedelta(minutes=minutes, seconds=5)


def _proven(chance: random.Random) -> bool:
    return chance.random() < SHARE_PROVEN


def _poisson(chance: random.Random, mean: float) -> int:
    """Knuth's product, halved where it would underflow (a sum of Poisson draws is one)."""
    if mean > 30:
        return _poisson(chance, mean / 2) + _poisson(chance, mean / 2)
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count
