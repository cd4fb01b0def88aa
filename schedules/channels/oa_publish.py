"""The channel `oa_publish`: an Official Account publishes an article; followers are not notified."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from cms.core.errors import Refused, TryAgain
from cms.core.i18n import N_
from schedules import steps
from schedules.channels import oa_drafts, oa_figures, oa_pieces
from schedules.channels.answers import CallsBack, Figure, Gives, How, Takes
from schedules.channels.base import (
    Channel,
    Confirmation,
    Limits,
    Progress,
    Receipt,
    Rendered,
    Repeat,
    Standing,
)
from schedules.channels.oa_codes import BY_HAND, Means, Said, fault
from schedules.channels.official_account import FIELDS, SETTLES_AFTER, Api, library
from schedules.envelopes import Envelope, Outgoing, Way
from schedules.states import Outcome

log = structlog.get_logger(__name__)

NOT_GRANTED = 48001
MINUTE = timedelta(minutes=1)
CLOCKS_APART = timedelta(minutes=5)  # ours and the carrier's
PAGE = 20
PAGES = 3
MOST_READ = 6  # articles read in full while looking one up

IN_REVIEW = N_("The draft has been taken, and the article is not listed yet.")
# A draft goes when its article is published: until then it is there, submitted or not.
LOOK_THERE = N_(
    "Nobody knows whether the Official Account took the article. Look at its admin page, under "
    "Publish records. If it stands there, even in review, it was taken; if not, send it again."
)
DRAFT_GONE = N_("Somebody removed the draft. Another one is made.")
DRAFTS_ONLY = N_(
    "Drafts can be made, but this account may not publish through the interface: "
    "each is to be finished by hand in its console."
)
NOT_KNOWN = N_("The carrier's number of the article is not known, so it cannot be taken back.")

STANDINGS: Mapping[int, tuple[Standing, str]] = {
    0: (Standing.LIVE, ""),
    1: (Standing.WAITING, ""),
    2: (Standing.REFUSED, N_("It did not pass the check for originality.")),
    3: (Standing.REFUSED, N_("The Official Account could not publish it.")),
    4: (Standing.REFUSED, N_("The platform's review refused it.")),
    5: (Standing.WITHDRAWN, N_("Somebody removed it at the Official Account.")),
    6: (Standing.WITHDRAWN, N_("The platform has blocked it.")),
}


class OaPublish(Channel):
    """Draft first, then one call that publishes it; that call has no key, so it is looked up."""

    slug = "oa_publish"
    name = N_("Official Account (publish)")
    limits = Limits(text=oa_pieces.DIGEST_CHARACTERS, pictures=oa_pieces.MOST_PICTURES)
    repeat = Repeat.QUERY
    confirmation = Confirmation.CARRIER
    appends_link = False  # it stands below the article
    takes = frozenset({Takes.TEXT, Takes.PICTURES, Takes.ARTICLE, Takes.LINK})
    gives: ClassVar[Mapping[Gives, How]] = {
        Gives.CLICK: How.OWN_LINK,
        Gives.COLLECT: How.PULL,
        Gives.COMMENT: How.PULL,
        Gives.LIKE: How.PULL,
        Gives.SHARE: How.PULL,
        Gives.CONVERSION: How.OWN_LINK,
        Gives.DELIVERY: How.CALLBACK,
    }
    fields = FIELDS
    needs = N_(
        "Put this server's address on the account's list of allowed addresses. Accounts that are "
        "not verified get drafts only, to be published by hand."
    )
    can_withdraw = True
    settles_after = SETTLES_AFTER
    polls = (
        timedelta(seconds=10),
        timedelta(seconds=30),
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        15 * MINUTE,
    )
    calls_back = CallsBack("appid", takes_plain=True)

    def realm(self, way: Way) -> str:
        return library(way)

    def render(self, outgoing: Outgoing) -> Rendered:
        return oa_pieces.published(outgoing).rendered()

    def deliver(self, envelope: Envelope) -> Receipt:
        api = Api.of(envelope)
        envelope, draft = oa_drafts.made(api, envelope, oa_pieces.published(envelope.outgoing))
        envelope = _forgotten(envelope)
        said = api.say("/cgi-bin/freepublish/submit", {"media_id": draft})
        if said.code == NOT_GRANTED or said.means is Means.BY_HAND:
            return Receipt(Outcome.ACCEPTED, reason=BY_HAND, confirmation=Confirmation.PERSON)
        if said.means is Means.BUSY:
            return Receipt(Outcome.UNCERTAIN, reason=said.words)
        if said.means is Means.GONE:
            return _draft_gone(envelope)
        if not said.is_done:
            raise fault(said)
        return _taken(envelope, said)

    def find(self, envelope: Envelope) -> Receipt:
        """By the number of the job; else by our link in what is published; else nobody can tell."""
        api = Api.of(envelope)
        job = str(envelope.facts.get("publish_id", ""))
        if job:
            said = api.ask("/cgi-bin/freepublish/get", {"publish_id": job})
            known = Outcome.ACCEPTED if said.is_done else Outcome.UNCERTAIN
            return Receipt(known, external_id=job, reason="" if said.is_done else said.words)
        listed = _listed(api, envelope)
        if listed:
            return replace(listed, confirmation=Confirmation.NOBODY)
        draft = str(envelope.facts.get("draft", ""))
        if not draft:
            return Receipt(Outcome.NOT_SENT)  # nothing is published without a draft
        said = api.ask("/cgi-bin/draft/get", {"media_id": draft})
        if said.is_done or said.means is Means.GONE:
            # In review there is a draft and no article; gone, it was taken, or a person removed it.
            return Receipt(Outcome.UNCERTAIN, reason=LOOK_THERE, is_unproven=True)
        return Receipt(Outcome.UNCERTAIN, reason=said.words, after=SETTLES_AFTER)

    def progress(self, envelope: Envelope) -> Progress:
        job = str(envelope.facts.get("publish_id", "") or envelope.external_id)
        if not job:
            return Progress(Standing.UNKNOWN)
        found = Api.of(envelope).need("/cgi-bin/freepublish/get", {"publish_id": job})
        return progress_of(found)

    def withdraw(self, envelope: Envelope) -> Receipt:
        article = str(envelope.facts.get("article_id", ""))
        article = article or str(self.progress(envelope).facts.get("article_id", ""))
        if not article:
            raise Refused(NOT_KNOWN)
        body = {"article_id": article, "index": 0}
        said = Api.of(envelope).ask("/cgi-bin/freepublish/delete", body)
        if said.is_done or said.means is Means.GONE:
            return Receipt(Outcome.ACCEPTED)
        raise fault(said)

    def test(self, way: Way) -> str:
        said = Api.through(way).ask(
            "/cgi-bin/freepublish/batchget", {"offset": 0, "count": 1, "no_content": 1}
        )
        if said.code == NOT_GRANTED:
            return DRAFTS_ONLY
        return "" if said.is_done else said.words

    def warm_up(self, way: Way) -> None:
        Api.through(way).token()

    def prepare(self, envelope: Envelope) -> None:
        oa_drafts.upload(Api.of(envelope), oa_pieces.published(envelope.outgoing))

    def figures(self, envelope: Envelope) -> tuple[Figure, ...]:
        return oa_figures.of_article(Api.of(envelope), envelope)


def progress_of(told: Mapping[str, Any]) -> Progress:
    """What the carrier says of a job, asked for or told by itself; numbers may come as words."""
    standing, reason = STANDINGS.get(_number(told.get("publish_status")), (Standing.UNKNOWN, ""))
    article = str(told.get("article_id") or "")
    detail = told.get("article_detail")
    items = detail.get("item") if isinstance(detail, dict) else None
    first = items[0] if isinstance(items, list) and items else items
    url = str(first.get("article_url") or "") if isinstance(first, dict) else ""
    facts = {"article_id": article, "article_url": url}
    known = {name: value for name, value in facts.items() if value}
    return Progress(standing, url=url, reason=reason, facts=known)


def told(content: Mapping[str, Any]) -> tuple[dict[str, str], Progress]:
    """Of the event that ends a job: the carrier's names for it, and how it ended."""
    info = content.get("PublishEventInfo")
    info = info if isinstance(info, dict) else {}
    names = {name: str(info.get(name) or "") for name in ("publish_id", "article_id")}
    return names, progress_of(info)


def _forgotten(envelope: Envelope) -> Envelope:
    """An earlier job, ended and now sent anew, must not be taken for this one."""
    earlier = {"publish_id", "msg_data_id", "article_id", "article_url"} & envelope.facts.keys()
    return steps.note(envelope, **dict.fromkeys(earlier, "")) if earlier else envelope


def _taken(envelope: Envelope, said: Said) -> Receipt:
    """The job's number is written down at once; should that fail, the receipt still bears it."""
    job = str(said.content.get("publish_id") or "")
    if not job:
        return Receipt(Outcome.UNCERTAIN, reason=IN_REVIEW)
    message = str(said.content.get("msg_data_id") or "")
    try:
        steps.note(envelope, publish_id=job, msg_data_id=message)
    except SQLAlchemyError:
        log.warning("job_not_noted", publication=envelope.publication_id, exc_info=True)
    return Receipt(Outcome.ACCEPTED, external_id=job)


def _draft_gone(envelope: Envelope) -> Receipt:
    """Published by an earlier attempt, or removed by a person: only the list can tell.

    Unless a person has looked, and said that it shall be sent again.
    """
    if envelope.doubted_since is not None:
        return Receipt(Outcome.UNCERTAIN, reason=IN_REVIEW, after=SETTLES_AFTER)
    steps.note(envelope, draft="", draft_of="")
    raise TryAgain(DRAFT_GONE)


def _listed(api: Api, envelope: Envelope) -> Receipt | None:
    """The published article that bears our link, or our title where there is no link."""
    since = (envelope.asked_since - CLOCKS_APART) if envelope.asked_since else None
    budget = MOST_READ
    for page in range(PAGES):
        body = {"offset": page * PAGE, "count": PAGE, "no_content": 1}
        items = api.need("/cgi-bin/freepublish/batchget", body).get("item")
        items = [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []
        for item in items:
            if since and _number(item.get("update_time")) < since.timestamp():
                return None  # the list begins with the newest
            article = _first_of(item.get("content"))
            if article is None or _needs_reading(article, envelope.outgoing):
                if not budget:
                    return None
                budget -= 1
                article = _read(api, str(item.get("article_id")))
            if article and _is_ours(article, envelope.outgoing):
                return _adopted(envelope, str(item.get("article_id")), str(article.get("url", "")))
        if len(items) < PAGE:
            return None
    return None


def _adopted(envelope: Envelope, article: str, url: str) -> Receipt:
    steps.note(envelope, article_id=article, article_url=url)
    return Receipt(Outcome.ACCEPTED, external_id=article, url=url)


def _needs_reading(article: Mapping[str, Any], outgoing: Outgoing) -> bool:
    """A set of pictures bears the link in its words, which the list leaves out."""
    has_no_source = not article.get("content_source_url") and not article.get("content")
    return has_no_source and bool(outgoing.link) and article.get("title") == outgoing.title


def _is_ours(article: Mapping[str, Any], outgoing: Outgoing) -> bool:
    if article.get("is_deleted") is True:
        return False
    if outgoing.link:
        source, content = article.get("content_source_url"), article.get("content")
        return source == outgoing.link or outgoing.link in str(content or "")
    return article.get("title") == outgoing.title


def _read(api: Api, article: str) -> Mapping[str, Any] | None:
    said = api.ask("/cgi-bin/freepublish/getarticle", {"article_id": article})
    return _first_of(said.content) if said.is_done else None


def _first_of(content: Any) -> Mapping[str, Any] | None:
    items = content.get("news_item") if isinstance(content, dict) else None
    first = items[0] if isinstance(items, list) and items else None
    return first if isinstance(first, dict) else None


def _number(value: Any) -> int:
    """A number, however it is written; -1 for what is none."""
    try:
        return int(str(value))
    except ValueError:
        return -1
