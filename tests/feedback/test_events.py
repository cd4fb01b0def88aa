"""Facts are stored once, on their right day; what is wrong about them is kept and told."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from cms.core.clock import now
from cms.core.db import session, transaction
from feedback import events, rollups
from feedback.facts import Fact
from feedback.models import AssetScore, DirtyDay, Event, Flag, Rollup
from feedback.sightings import Sighting, converted
from tests.feedback import live

NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)  # noon of the workspace


def fact(of, kind="click", *, at=NOON, event_id="e1", **fields):
    values = {
        "source": "test",
        "event_id": event_id,
        "kind": kind,
        "publication_id": of.id if of else None,
        "received_at": at,
        "occurred_at": at,
        "link_code": "code",
        "visitor_key": "c:one",
        "key_strength": "cookie",
    }
    return Fact(**(values | fields))


def store(*facts):
    with transaction():
        return events.store(facts)


def figures():
    rollups.roll_up()
    session.expire_all()
    return {
        (row.publication_id, row.day, row.kind): (
            row.raw,
            row.counted,
            row.confirmed,
            row.people,
            row.weak,
        )
        for row in session.query(Rollup)
    }


@pytest.fixture
def of(app):
    return live.publication(published_at=NOON - timedelta(days=2))


def test_a_line_of_the_journal_gives_the_fact_back(of):
    one = fact(of, props={"on": False, "名": "值"}, reasons=("method",), sent_at=NOON)
    assert Fact.from_line(one.to_line().rstrip()) == one
    for torso in (b"", b"{", b"[]", b'{"source":"x"}', one.to_line()[:-9], b"\xff", b"null"):
        with pytest.raises(ValueError):
            Fact.from_line(torso)


def test_t15_the_same_id_twice_counts_once(of):
    assert store(fact(of), fact(of)) == 1
    assert store(fact(of)) == 0
    assert session.query(Event).count() == 1


def test_t15_the_same_id_with_another_content_is_kept_beside_it(of, capsys):
    other = fact(of, kind="view")
    assert store(fact(of), other) == 2
    assert "event_id_collision" in capsys.readouterr().out
    assert store(other, fact(of), other) == 0
    assert {event.event_id[:4] for event in session.query(Event)} == {"e1", "dup-"}


def test_ids_are_unique_within_their_source_only(of):
    assert store(fact(of), fact(of, source="other")) == 2


@pytest.mark.parametrize(
    ("sent", "received", "moved"),
    [
        (timedelta(0), timedelta(seconds=40), timedelta(0)),  # a slow network is no clock error
        (timedelta(0), timedelta(minutes=4, seconds=59), timedelta(0)),
        (timedelta(0), timedelta(hours=2), timedelta(hours=2)),
        (timedelta(0), -timedelta(hours=2), -timedelta(hours=2)),
    ],
)
def test_t14_only_a_real_clock_error_is_mended(of, sent, received, moved):
    one = fact(of, sent_at=NOON + sent, received_at=NOON + received)
    assert events.effective(one) == NOON + moved


def test_t14_two_steps_in_one_second_convert_and_batches_keep_capture_order():
    def step(number, kind, at, seq=None, visit=""):
        return Sighting(
            number, str(number), kind, "", "v", "cookie", at, at.date(), visit=visit, seq=seq
        )

    second = NOON.replace(microsecond=0)
    assert converted([step(1, "click", second), step(2, "like", second)], ["click", "like"])
    # The slow batch arrives an hour later and is stamped later, yet it was captured first.
    mixed = [
        step(3, "like", second, seq=2, visit="a"),
        step(1, "click", second + timedelta(hours=1), seq=0, visit="a"),
        step(2, "view", second + timedelta(minutes=1), seq=1, visit="a"),
    ]
    assert converted(mixed, ["click", "view", "like"])
    assert not converted(mixed, ["like", "click"])


def test_an_event_from_the_future_is_put_at_its_arrival(of):
    store(fact(of, occurred_at=NOON + timedelta(days=300)))
    event = session.query(Event).one()
    assert (event.effective_at, event.reasons) == (NOON, ["from_the_future"])
    assert next(iter(figures().values()))[:2] == (1, 1)


@pytest.mark.parametrize(
    ("age", "is_trusted", "flag"),
    [
        (timedelta(hours=23), False, Flag.NONE),
        (timedelta(hours=25), False, Flag.UNSIGNED_LATE),
        (timedelta(days=6, hours=23), True, Flag.NONE),
        (timedelta(days=8), True, Flag.TOO_LATE),
    ],
)
def test_late_events_change_their_day_until_it_is_closed(of, age, is_trusted, flag):
    store(fact(of))
    before = figures()
    store(
        fact(
            of,
            event_id="late",
            received_at=NOON + age,
            visitor_key="c:two",
            is_trusted=is_trusted,
        )
    )
    assert session.query(Event).filter_by(event_id="late").one().flag is flag
    assert (figures() != before) is (flag is Flag.NONE)
    told = [event.event_id for event in session.scalars(events.corrections())]
    assert told == (["late"] if flag is Flag.TOO_LATE else [])


def test_events_of_unknown_posts_are_kept_and_counted_nowhere(app):
    assert store(fact(None), fact(None, event_id="e2", publication_id=999_999)) == 2
    assert {event.flag for event in session.query(Event)} == {Flag.UNKNOWN_POST}
    assert session.query(DirtyDay).count() == 0
    assert len(session.scalars(events.orphans()).all()) == 2


def test_t18_nothing_odd_in_a_fact_holds_up_the_others(of):
    odd = fact(of, event_id="x\x00" * 100, link_code="长" * 500, visitor_key="v" * 999)
    assert store(odd, fact(of), fact(of, kind="no-such-kind", event_id="e3")) == 2


def test_any_order_of_arrival_gives_the_same_figures(app):
    posts = [live.publication(published_at=NOON - timedelta(days=3)) for _ in range(4)]
    facts = simulated(posts, 10_000)
    store(*facts)
    first = figures()
    scores = sorted((s.asset_id, s.clicks, s.likes, s.collects) for s in session.query(AssetScore))
    assert sum(row[0] for row in first.values()) > 5_000
    for seed in (1,):
        with transaction():
            for table in (Event, Rollup, DirtyDay, AssetScore):
                session.query(table).delete()
        Random(seed).shuffle(facts)
        for start in range(0, len(facts), 2_500):
            store(*facts[start : start + 2_500])
            rollups.roll_up()  # counting in between must leave no trace
        assert figures() == first
        again = ((s.asset_id, s.clicks, s.likes, s.collects) for s in session.query(AssetScore))
        assert sorted(again) == scores


def simulated(posts, number):
    """Readers, scanners and programs over three days, with repeats, toggles and unlucky edges."""
    chance = Random(7)
    kinds = (
        ["click"] * 5 + ["view"] * 5 + ["seen"] * 3 + ["like", "like", "collect", "comment", "trap"]
    )
    facts = []
    for n in range(number):
        of, visitor = chance.choice(posts), chance.randrange(700)
        kind = chance.choice(kinds)
        is_new = kind in ("click", "view") and chance.random() < 0.2
        facts.append(
            fact(
                of,
                kind,
                at=NOON + timedelta(seconds=round(chance.uniform(-40, 40) * 3600)),
                event_id=f"s{n}",
                link_code=chance.choice("abc") if kind == "click" else "",
                visitor_key=f"w:{visitor % 40}" if is_new else f"c:{visitor}",
                key_strength="weak" if is_new else "cookie",
                reasons=chance.choice([(), (), (), ("agent:curl",), ("no_agent",)]),
                props={"assigned": f"c:{visitor}"} if is_new else {"on": chance.random() < 0.6},
            )
        )
    return facts


def test_counting_again_changes_nothing_and_writes_nothing(of, count_queries):
    store(fact(of), fact(of, kind="like", event_id="e2"))
    first = figures()
    with transaction():
        events.mark(of.id, [events.day_of(NOON)])
    with count_queries() as statements:
        rollups.roll_up()
    assert not [one for one in statements if one.startswith("UPDATE events")]
    session.expire_all()
    assert figures() == first


def test_the_day_is_the_workspaces(of):
    late_evening = datetime(2026, 3, 4, 15, 59, 30, tzinfo=UTC)
    store(
        fact(of, at=late_evening), fact(of, at=late_evening + timedelta(minutes=1), event_id="e2")
    )
    days = sorted(day.isoformat() for _of, day, _kind in figures())
    assert days == ["2026-03-04", "2026-03-05"]


def test_a_like_taken_back_days_later_leaves_its_first_day(of):
    store(fact(of, kind="like"))
    assert next(iter(figures().values()))[:2] == (1, 1)
    later = NOON + timedelta(days=2)
    store(fact(of, kind="like", at=later, event_id="e2", props={"on": False}))
    assert {row[1] for row in figures().values()} == {0}
    third = later + timedelta(days=1)
    store(fact(of, kind="like", at=third, event_id="e3"))
    assert sum(row[1] for row in figures().values()) == 1


def test_totals_of_the_asset_follow(of):
    store(fact(of), fact(of, kind="collect", event_id="e2"))
    rollups.roll_up()
    score = session.get(AssetScore, of.post.asset_id)
    assert (score.clicks, score.collects, score.exposures, score.publications) == (1, 1, 200, 1)
    assert score.click_rate == pytest.approx(1 / 200)
    assert 0 < score.click_rate_low < score.click_rate < score.click_rate_high < 0.03
    assert now() > score.last_published_at
