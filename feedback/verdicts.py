"""Who caused an event: a person, a program, or perhaps a program; every verdict with its reasons.

Rules add up; none ends the search. All of a publication's events around a day are judged together,
so that the order in which they arrived makes no difference.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from feedback.agents import program_named
from feedback.kinds import KINDS
from feedback.models import Verdict
from feedback.sightings import Sighting, in_order, is_at_or_after

TOO_FAST = timedelta(seconds=2)
BURST = timedelta(seconds=10)
BURST_LINKS = 3
AROUND_TRAP = timedelta(seconds=30)
CONFIRMED_WITHIN = timedelta(minutes=30)

# Reasons by which the request gives itself away; "agent:" is followed by the name.
BOT_REASONS = ("method", "prefetch", "agent:")
FROM_THE_FUTURE = "from_the_future"  # told, but no sign of a program: a phone's clock was wrong
ARRIVAL_REASONS = (*BOT_REASONS, "no_agent", FROM_THE_FUTURE)

PURPOSE_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_PURPOSES = ("prefetch", "preview", "prerender")


@dataclass(frozen=True)
class Judgement:
    """What was found about one event. `visitor` is who caused it, as far as can be known."""

    verdict: Verdict
    reasons: tuple[str, ...]
    is_counted: bool
    is_confirmed: bool
    visitor: str
    is_weak: bool


def request_reasons(method: str, headers: Mapping[str, str], agent: str) -> tuple[str, ...]:
    """What speaks against a person, seen from the request alone."""
    reasons = []
    if method.upper() in ("HEAD", "OPTIONS"):
        reasons.append("method")
    said = " ".join(headers.get(name, "") for name in PURPOSE_HEADERS).lower()
    if any(purpose in said for purpose in _PURPOSES):
        reasons.append("prefetch")
    if not agent.strip():
        reasons.append("no_agent")
    elif named := program_named(agent):
        reasons.append(f"agent:{named}")
    return tuple(reasons)


def first_verdict(reasons: Iterable[str]) -> Verdict:
    """The verdict from the request alone, until the events around it have been seen."""
    return _verdict(reasons, is_confirmed=False)


def judge(
    sightings: Sequence[Sighting],
    *,
    published_at: datetime | None = None,
    hidden: Collection[str] = (),
) -> dict[int, Judgement]:
    """Judge all given events of one publication. `hidden`: ids of comments that a person hid."""
    known = in_order(_with_visitors(sightings))
    by_visitor: dict[str, list[Sighting]] = defaultdict(list)
    for one in known:
        by_visitor[one.visitor].append(one)
    found: dict[int, Judgement] = {}
    for events in by_visitor.values():
        found |= _judge_visitor(events, published_at, hidden)
    for event_id in _counted(known, found):
        found[event_id] = replace(found[event_id], is_counted=True)
    return found


def _with_visitors(sightings: Sequence[Sighting]) -> list[Sighting]:
    """Know a first fetch again by the cookie it was given, once that cookie has come back."""
    came_back = {one.visitor for one in sightings if one.strength != "weak"}
    return [
        replace(one, visitor=one.assigned, strength="cookie")
        if one.strength == "weak" and one.assigned in came_back
        else one
        for one in sightings
    ]


def _judge_visitor(
    events: list[Sighting], published_at: datetime | None, hidden: Collection[str]
) -> dict[int, Judgement]:
    in_burst = _bursts(events)
    traps = [one.at for one in events if one.kind == "trap"]
    proofs = [one for one in events if KINDS.get(one.kind).proves_human]
    proof_times = sorted(one.at for one in proofs)
    found = {}
    for one in events:
        reasons = list(one.reasons)
        if one.kind == "click" and _is_too_fast(one.at, published_at):
            reasons.append("too_fast")
        if one.id in in_burst:
            reasons.append("burst")
        if any(abs(one.at - trap) <= AROUND_TRAP for trap in traps):
            reasons.append("honeypot")
        if one.event_id in hidden:
            reasons.append("hidden")
        is_confirmed = _is_confirmed(one, proofs, proof_times)
        verdict = _verdict(reasons, is_confirmed=is_confirmed)
        found[one.id] = Judgement(
            verdict=verdict,
            reasons=tuple(reasons),
            is_counted=False,
            is_confirmed=is_confirmed and verdict is Verdict.HUMAN,
            visitor=one.visitor,
            is_weak=one.strength == "weak",
        )
    return found


def _verdict(reasons: Iterable[str], *, is_confirmed: bool) -> Verdict:
    told = [reason for reason in reasons if reason != FROM_THE_FUTURE]
    if any(reason.startswith(BOT_REASONS) for reason in told):
        return Verdict.BOT
    if "hidden" in told:
        return Verdict.SUSPECTED
    if told and not is_confirmed:
        return Verdict.SUSPECTED
    return Verdict.HUMAN


def _is_too_fast(at: datetime, published_at: datetime | None) -> bool:
    return published_at is not None and timedelta(0) <= at - published_at < TOO_FAST


def _bursts(events: list[Sighting]) -> set[int]:
    """Clicks on several links of one message within seconds: no thumb does that."""
    clicks = [one for one in events if one.kind in ("click", "open")]
    times = [one.at for one in clicks]
    caught: set[int] = set()
    for start, one in enumerate(clicks):
        window = clicks[start : bisect_right(times, one.at + BURST, lo=start)]
        if len({near.link_code for near in window}) >= BURST_LINKS:
            caught |= {near.id for near in window}
    return caught


def _is_confirmed(one: Sighting, proofs: list[Sighting], times: list[datetime]) -> bool:
    """Whether the event proves a person itself, or one that does followed within half an hour."""
    if one.visit and any(
        proof.visit == one.visit and is_at_or_after(proof, one) for proof in proofs
    ):
        return True
    if KINDS.get(one.kind).proves_human:
        return True
    after = bisect_left(times, one.at)
    return after < len(times) and times[after] - one.at <= CONFIRMED_WITHIN


def _counted(known: list[Sighting], found: Mapping[int, Judgement]) -> set[int]:
    honest: dict[str, list[Sighting]] = defaultdict(list)
    for one in known:
        if found[one.id].verdict is Verdict.HUMAN:
            honest[one.kind].append(one)
    return {
        event_id for slug, events in honest.items() for event_id in KINDS.get(slug).count(events)
    }
