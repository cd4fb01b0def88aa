"""Lets the simulated readers respond: their events go through the journal, like those of real ones."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from audience.models import Pool
from cms.core.clock import holding
from cms.core.db import session, transaction
from cms.demo import pack, shelves
from cms.demo.pack import Remark
from cms.demo.readers import Readers, Response, Sent
from cms.demo.truth import Placing
from cms.demo.week import Team
from content_library.models import Asset
from feedback import comments, ingest, journal, rollups
from feedback.facts import Fact
from feedback.models import CommentState, ReaderComment
from feedback.verdicts import request_reasons
from feedback.visitors import cookie_key
from schedules.models import Post, Publication
from schedules.states import LIVE_TO_READERS

PREVIEWERS = (
    "Mozilla/5.0 (compatible; Bytespider; spider-feedback@bytedance.com)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "facebookexternalhit/1.1",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "python-requests/2.32.3",
)
OPENS_AFTER = timedelta(seconds=1)
SEEN_AFTER = timedelta(seconds=4)
MODERATED_AFTER = timedelta(hours=9)
SHARE_HIDDEN = 0.06


@dataclass(frozen=True)
class Live:
    """A publication that readers met, and how the simulator sees it."""

    publication: Publication
    link_code: str
    sent: Sent
    theme: str
    lang: str


def feed(crew: Team, readers: Readers, *, since: datetime, until: datetime) -> int:
    """Everything readers did between the two moments, through the journal into the tables; how many."""
    written = 0
    with transaction():
        for live in _live(crew, readers, until):
            for fact in _facts(crew, readers, live):
                if since <= fact.received_at < until:
                    journal.append(fact.to_line())
                    written += 1
                    if fact.kind == "comment":
                        session.add(_comment(crew, live, fact))
    with holding(until):
        ingest.ingest()
        rollups.roll_up()
    return written


def moderate(crew: Team, *, until: datetime) -> int:
    """Show what was written until some hours ago and hide the rude; how many were decided."""
    decided = 0
    with transaction():
        held = select(ReaderComment).where(
            ReaderComment.state == CommentState.HELD, ReaderComment.at < until - MODERATED_AFTER
        )
        for comment in session.scalars(held.order_by(ReaderComment.at, ReaderComment.id)).all():
            operator = crew.operators[comment.at.toordinal() % 2]
            hides = crew.chance(f"hides:{comment.event_id}").random() < SHARE_HIDDEN
            with holding(comment.at + MODERATED_AFTER):
                state = CommentState.HIDDEN if hides else CommentState.SHOWN
                comments.decide(comment, state, by=operator)
            decided += 1
    with holding(until):
        rollups.roll_up()
    return decided


def _live(crew: Team, readers: Readers, until: datetime) -> Iterator[Live]:
    found = (
        select(Publication)
        .where(Publication.state.in_(LIVE_TO_READERS), Publication.published_at < until)
        .options(
            joinedload(Publication.post).joinedload(Post.asset),
            joinedload(Publication.pool).joinedload(Pool.stage),
            selectinload(Publication.links),
        )
        .order_by(Publication.published_at, Publication.id)
    )
    carried = shelves.written_by_hand()
    for publication in session.scalars(found):
        yield _as_sent(readers, publication, carried)


def _as_sent(
    readers: Readers, publication: Publication, carried: dict[str, frozenset[str]]
) -> Live:
    post, pool, asset = publication.post, publication.pool, publication.post.asset
    name = shelves.name_of(asset)
    own = carried[name]
    at = publication.published_at
    if at is None:
        raise ValueError("only what was published has readers")
    placing = Placing(pool.stage.slug, pool.stage.group.value, post.wall_time.hour, pool.kind.value)
    sent = Sent(
        key=f"{pool.slug}:{publication.due_at.isoformat()}",
        name=name,
        true_tags=readers.truth.true_tags(name, own),
        placing=placing,
        pool=pool.slug,
        exposed=publication.reach,
        at=at,
    )
    code = next(link.code for link in publication.links if not link.target)
    theme = next(slug for slug in pack.THEMES if slug in own)
    return Live(publication, code, sent, theme, asset.lang)


def _facts(crew: Team, readers: Readers, live: Live) -> Iterator[Fact]:
    yield from _of_programs(crew, readers, live)
    for response in readers.respond(live.sent):
        yield from _of_reader(crew, live, response)


def _of_reader(crew: Team, live: Live, response: Response) -> Iterator[Fact]:
    """What the pages record when a reader does this: a tap opens the page, whose script may speak up."""
    who = cookie_key(_mark(crew, live.sent.pool, response.reader))
    if response.kind != "click":
        yield _fact(crew, live, response.kind, who=who, at=response.at)
        return
    yield _fact(crew, live, "click", who=who, at=response.at)
    yield _fact(crew, live, "view", who=who, at=response.at + OPENS_AFTER)
    if response.is_proven:
        yield _fact(crew, live, "seen", who=who, at=response.at + SEEN_AFTER)


def _of_programs(crew: Team, readers: Readers, live: Live) -> Iterator[Fact]:
    """Previewers that name themselves, and scanners with a browser's name that are merely too quick."""
    chance = crew.chance(f"programs:{live.sent.key}")
    for number in range(readers.truth.previews):
        agent = chance.choice(PREVIEWERS)
        at = live.sent.at + timedelta(seconds=chance.uniform(0.2, 40.0))
        who = "w:" + _mark(crew, agent, number)
        yield _fact(crew, live, "click", who=who, at=at, reasons=request_reasons("GET", {}, agent))
    if chance.random() < readers.truth.scanner_share:
        at = live.sent.at + timedelta(seconds=chance.uniform(0.1, 1.8))
        who = "w:" + _mark(crew, "scanner", chance.randrange(9))
        yield _fact(crew, live, "click", who=who, at=at)


def _fact(
    crew: Team,
    live: Live,
    kind: str,
    *,
    who: str,
    at: datetime,
    reasons: tuple[str, ...] = (),
) -> Fact:
    is_link = kind == "click"
    return Fact(
        source="link" if is_link else "page",
        event_id=_mark(crew, live.sent.key, kind, who, at.isoformat()),
        kind=kind,
        publication_id=live.publication.id,
        received_at=at,
        occurred_at=at,
        link_code=live.link_code if is_link else "",
        visitor_key=who,
        key_strength="weak" if who.startswith("w:") else "cookie",
        reasons=reasons,
    )


def _comment(crew: Team, live: Live, fact: Fact) -> ReaderComment:
    """The row that `feedback.comments.write` would make, without its three questions a comment.

    A thousand of them in one go would double the time of the load; a test compares the two.
    """
    chance = crew.chance(f"comment:{fact.event_id}")
    return ReaderComment(
        event_id=fact.event_id,
        publication_id=live.publication.id,
        visitor_key=fact.visitor_key,
        network_key="w:" + _mark(crew, "network", fact.visitor_key),
        name=chance.choice([*pack.names(), ""]),
        text=_remark(chance, live).text,
        at=fact.received_at,
    )


def _remark(chance: random.Random, live: Live) -> Remark:
    spoken = [one for one in pack.remarks() if one.lang == live.lang]
    fitting = [one for one in spoken if one.theme == live.theme]
    anywhere = [one for one in spoken if not one.theme]
    return chance.choice(fitting if fitting and chance.random() < 0.55 else anywhere)


def _mark(crew: Team, *parts: object) -> str:
    """32 hexadecimal digits that the same parts always give."""
    told = ":".join(str(part) for part in (crew.seed, *parts))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def asset_named(name: str) -> Asset | None:
    """The asset of that name in the pack."""
    key = f"{shelves.IMPORT_NAME}/{name}" if name.startswith("articles/") else name
    return session.scalar(select(Asset).where(Asset.source_key == key))
