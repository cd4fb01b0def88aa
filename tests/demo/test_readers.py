"""Simulated readers follow the planted truth, the same way every time."""

import math
from dataclasses import replace
from datetime import UTC, datetime

from cms.demo import truth
from cms.demo.readers import Readers, Sent
from cms.demo.truth import Placing

AT = datetime(2026, 5, 18, 12, 30, tzinfo=UTC)


def sent(key: str, *tags: str, exposed: int = 400) -> Sent:
    placing = Placing("active", "core", 12, "group")
    return Sent(key, "articles/x.md", frozenset(tags), placing, "group-active", exposed, AT)


def clicks(readers: Readers, *tags: str, rounds: int = 150) -> int:
    return sum(
        response.kind == "click"
        for number in range(rounds)
        for response in readers.respond(sent(f"{tags}:{number}", *tags))
    )


def test_the_same_seed_tells_the_same_story() -> None:
    one, two = Readers(truth.load(), 5), Readers(truth.load(), 5)
    assert one.respond(sent("a", "trust")) == two.respond(sent("a", "trust"))
    assert one.respond(sent("a", "trust")) != Readers(truth.load(), 6).respond(sent("a", "trust"))


def test_a_planted_effect_is_what_readers_do() -> None:
    readers = Readers(truth.load(), 5)
    plain, better = clicks(readers), clicks(readers, "job-hunt")
    planted = truth.load().tags["job-hunt"]["click"]
    assert abs(math.log(better / plain) - planted) < 0.15


def test_a_tag_without_effect_changes_nothing() -> None:
    readers = Readers(truth.load(), 5)
    plain, same = clicks(readers), clicks(readers, "weekend")
    assert abs(math.log(same / plain)) < 0.15


def test_hidden_tags_are_true_tags() -> None:
    known = truth.load()
    name, slugs = next(iter(known.hidden.items()))
    assert set(slugs) <= known.true_tags(name, {"trust"})
    assert known.true_tags("articles/unknown.md", {"trust"}) == {"trust"}


def test_nobody_answers_twice_or_before_the_post() -> None:
    readers = Readers(truth.load(), 5)
    crowd = replace(sent("crowd", "job-hunt", "dry-goods"), exposed=30)
    responses = readers.respond(crowd)
    assert responses
    pairs = [(response.kind, response.reader) for response in responses]
    assert len(pairs) == len(set(pairs))
    assert all(response.at > AT for response in responses)


def test_an_hour_not_listed_counts_as_its_neighbour() -> None:
    known = truth.load()
    noon = Placing("active", "core", 12, "group")
    later = replace(noon, hour=13)
    assert known.rate("click", (), noon) == known.rate("click", (), later)
