"""Who clicked: recorded traces of scanners and of fast people, and phones behind one gateway."""

from datetime import UTC, datetime, timedelta

import pytest

from cms.core.db import session, transaction
from feedback import events, rollups
from feedback.agents import program_named
from feedback.facts import Fact
from feedback.models import Event, Rollup, Verdict
from feedback.verdicts import request_reasons
from feedback.visitors import truncated, weak_key
from tests.feedback import live
from tests.feedback.live import PHONE

SENT = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)

PEOPLE = [
    PHONE,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 wxwork/4.1.22 MicroMessenger/7.0.1 Language/zh",
    "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36 DingTalk/7.5.20",
    "Mozilla/5.0 (Linux; Android 9; CUBOT X18) AppleWebKit/537.36 Chrome/115.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
]
PROGRAMS = [
    "curl/8.5.0",
    "python-requests/2.32.3",
    "Go-http-client/2.0",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0.0.0 Safari/537.36",
    "SomethingNew LinkPreview/1.0 preview",
]


@pytest.mark.parametrize("agent", PEOPLE)
def test_ordinary_browsers_pass(agent):
    assert program_named(agent) is None
    assert request_reasons("GET", {}, agent) == ()


@pytest.mark.parametrize("agent", PROGRAMS)
def test_programs_give_themselves_away(agent):
    assert program_named(agent)


def test_reasons_add_up():
    found = request_reasons("HEAD", {"X-Moz": "prefetch"}, "curl/8")
    assert found == ("method", "prefetch", "agent:curl")
    assert request_reasons("GET", {"Purpose": "preview"}, " ") == ("prefetch", "no_agent")


def fact(of, seconds, kind="click", *, visitor="c:v", link="a", reasons=(), **fields):
    at = SENT + timedelta(seconds=seconds)
    return Fact(
        "test",
        f"{kind}-{visitor}-{link}-{seconds}",
        kind,
        of.id,
        received_at=at,
        occurred_at=at,
        link_code=link,
        visitor_key=visitor,
        key_strength=fields.pop("strength", "cookie"),
        reasons=reasons,
        props=fields,
    )


def counted(*facts):
    """(raw, counted, confirmed, people, weak) of clicks."""
    with transaction():
        events.store(facts)
    rollups.roll_up()
    session.expire_all()
    row = session.query(Rollup).filter_by(kind="click").one()
    return row.raw, row.counted, row.confirmed, row.people, row.weak


@pytest.fixture
def of(app):
    return live.publication(published_at=SENT)


def test_t10_t11_a_scanner_with_a_plain_browser_counts_nothing(of):
    """Every link of the message within seconds, from one address, then HEADs; no known name."""
    trace = [fact(of, 300 + n * 1.5, visitor="w:gate", link=link, strength="weak")
             for n, link in enumerate("abcd")]  # fmt: skip
    trace += [
        fact(of, 309 + n, visitor="w:gate", link=link, strength="weak", reasons=("method",))
        for n, link in enumerate("abcd")
    ]
    raw, was_counted, *_ = counted(*trace)
    assert (raw, was_counted) == (8, 0)
    found = {event.verdict for event in session.query(Event)}
    assert found == {Verdict.SUSPECTED, Verdict.BOT}


def test_t10_t11_a_fast_person_who_goes_on_to_collect_counts_once(of):
    assert counted(fact(of, 1.2), fact(of, 40, "collect"))[:3] == (1, 1, 1)
    click = session.query(Event).filter_by(kind="click").one()
    assert (click.verdict, click.reasons) == (Verdict.HUMAN, ["too_fast"])


def test_t11_being_fast_alone_is_suspicion_never_proof(of):
    assert counted(fact(of, 1.2))[:2] == (1, 0)
    assert session.query(Event).one().verdict is Verdict.SUSPECTED


def test_a_program_stays_one_whatever_follows(of):
    assert counted(fact(of, 60, reasons=("agent:curl",)), fact(of, 70, "like"))[:2] == (1, 0)


def test_what_follows_after_half_an_hour_proves_nothing(of):
    assert counted(fact(of, 1.2), fact(of, 2 + 30 * 60, "collect"))[:2] == (1, 0)


def test_confirmation_reaches_over_midnight(of):
    midnight = 12 * 3600
    assert counted(fact(of, midnight - 60), fact(of, midnight + 60, "seen"))[:3] == (1, 1, 1)


def test_the_trap_spoils_half_a_minute_on_either_side_for_its_visitor_only(of):
    facts = [fact(of, t, visitor=v) for t in (100, 190) for v in ("c:bad", "c:good")]
    assert counted(*facts, fact(of, 125, "trap", visitor="c:bad"))[:2] == (4, 2)


def test_one_visitor_counts_once_in_each_half_hour_on_each_link(of):
    times = (0, 60, 1799, 1800, 3599)
    assert counted(*(fact(of, 3600 + t) for t in times))[:2] == (5, 2)


def test_t12_phones_behind_one_gateway_are_told_apart_by_their_cookies(of):
    """200 phones with 5 browsers: those that keep the cookie are 200 people, the others at least 5."""
    phones = []
    for n in range(200):
        known_as = {"visitor": f"w:gate-{n % 5}", "strength": "weak"}
        phones.append(fact(of, 60 + n, **known_as, assigned=f"c:{n}"))
    assert counted(*phones)[1:] == (5, 0, 5, 5)
    pages = [fact(of, 61 + n, "view", visitor=f"c:{n}") for n in range(200)]
    assert counted(*pages)[1:] == (200, 0, 200, 0)


def test_addresses_are_kept_by_network_only_and_the_salt_changes_daily(app):
    assert truncated("203.0.113.77") == "203.0.113.0/24"
    assert truncated("::ffff:203.0.113.77") == "203.0.113.0/24"
    assert truncated("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert truncated("nonsense") == ""
    one = weak_key("203.0.113.77", PHONE, SENT)
    assert weak_key("203.0.113.9", PHONE, SENT) == one
    assert weak_key("203.0.113.9", PHONE, SENT + timedelta(days=1)) != one
    assert weak_key("203.0.114.9", PHONE, SENT) != one
