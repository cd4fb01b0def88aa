"""The channel `oa_mass`: an Official Account sends to its followers; each is notified."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from cms.core.errors import Problem, Refused, TryAgain
from cms.core.i18n import N_
from cms.core.sentences import Sentence
from schedules import steps
from schedules.channels import oa_drafts, oa_figures, oa_pieces
from schedules.channels.answers import (
    CallsBack,
    Field,
    Figure,
    Gives,
    How,
    Per,
    Quota,
    Takes,
)
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
from schedules.channels.callback_fields import CALLBACK_FIELDS
from schedules.channels.oa_codes import Means, Said, fault
from schedules.channels.oa_pieces import Form, Piece
from schedules.channels.official_account import ADDRESS_FIELD, APP_FIELDS, ARTICLE_FIELDS, Api
from schedules.channels.official_account import library as library_of
from schedules.envelopes import Envelope, Outgoing, Way
from schedules.states import Outcome

log = structlog.get_logger(__name__)

KEY_BYTES = 64
KEY_LIVES = timedelta(hours=24)  # the carrier looks for the key among the sends of a day
KNOWN, HURRIED, KEY_TOO_LONG = 45065, 45066, 45067
WORDS = 600  # of a text to all followers, as the console allows
MINUTE = timedelta(minutes=1)

TOO_SOON = N_("The carrier wants a minute between two tries of the same message.")
NO_TAG = N_("Say which tag's followers get it, or choose all followers.")
CARD_STAYS = N_("The content is gone; the card stays in the chats of those who got it.")
ONLY_ARTICLES = N_("Only articles can be taken back after they were sent.")
REFUSED = N_("The Official Account could not send it.")
PARTLY = N_(
    "It reached %(sent)s of %(total)s followers; the Official Account could not send it to "
    "%(failed)s."
)
REVIEWED = N_("The platform's review refused it: %(why)s.")

WHY: Mapping[str, str] = {
    "10001": N_("advertising"),
    "20001": N_("politics"),
    "20002": N_("pornography"),
    "20004": N_("society"),
    "20006": N_("crime"),
    "20008": N_("fraud"),
    "20013": N_("copyright"),
    "22000": N_("mutual promotion"),
    "21000": N_("another reason"),
}
STANDINGS: Mapping[str, tuple[Standing, str]] = {
    "SEND_SUCCESS": (Standing.LIVE, ""),
    "SEND SUCCESS": (Standing.LIVE, ""),
    "SENDING": (Standing.WAITING, ""),
    "SEND_FAIL": (Standing.REFUSED, REFUSED),
    "SEND FAIL": (Standing.REFUSED, REFUSED),
    "DELETE": (Standing.WITHDRAWN, CARD_STAYS),
}
_ERROR = re.compile(r"ERR\((\d+)\)")

SUBSCRIPTION, SERVICE = "subscription", "service"
AUDIENCE_FIELDS: tuple[Field, ...] = (
    Field(
        "account_type",
        N_("Account type"),
        N_("By this, posts beyond what the platform allows are told of before they leave."),
        kind="choice",
        is_required=False,
        default=SUBSCRIPTION,
        choices=(
            (SUBSCRIPTION, N_("Subscription account: one mass message a day")),
            (SERVICE, N_("Service account: four a month for each follower")),
        ),
    ),
    Field(
        "audience",
        N_("Who gets it"),
        kind="choice",
        is_required=False,
        default="all",
        choices=(("all", N_("All followers")), ("tag", N_("Followers with a tag"))),
    ),
    Field("tag_id", N_("Number of the tag"), kind="number", is_required=False),
    Field(
        "is_protected",
        N_("Mass sending is protected"),
        N_("Then an administrator of the account confirms each one within 30 minutes."),
        kind="flag",
        is_required=False,
    ),
)


class OaMass(Channel):
    """One call with our own key: the same key again gives the same message, never a second one."""

    slug = "oa_mass"
    name = N_("Official Account (mass send)")
    limits = Limits(
        text=oa_pieces.DIGEST_CHARACTERS, pictures=oa_pieces.MOST_PICTURES, per_minute=60
    )
    repeat = Repeat.KEYED
    key_lives = KEY_LIVES
    confirmation = Confirmation.CARRIER
    appends_link = False
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
    fields = (*APP_FIELDS, *AUDIENCE_FIELDS, *ARTICLE_FIELDS, *CALLBACK_FIELDS, ADDRESS_FIELD)
    needs = N_(
        "The account must be verified. A subscription account sends once a day; a service account "
        "reaches each follower four times a month. Put this server's address on its list."
    )
    can_withdraw = True
    polls = (timedelta(seconds=15), MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE)
    calls_back = CallsBack("appid", takes_plain=True)

    def quota_for(self, settings: Mapping[str, Any]) -> Quota:
        """Whoever did not say which sort it is gets the stricter one."""
        app = str(settings.get("appid") or "")
        if settings.get("account_type") != SERVICE:
            return Quota(1, Per.DAY, app)
        is_tag = settings.get("audience") == "tag"
        return Quota(4, Per.MONTH, app, str(settings.get("tag_id") or "") if is_tag else "")

    def realm(self, way: Way) -> str:
        return library_of(way)

    def confirmation_for(self, settings: Mapping[str, Any]) -> Confirmation:
        is_protected = bool(settings.get("is_protected"))
        return Confirmation.ADMINISTRATOR if is_protected else Confirmation.CARRIER

    def render(self, outgoing: Outgoing) -> Rendered:
        return _piece(outgoing).rendered()

    def problems(self, outgoing: Outgoing) -> list[Problem]:
        found = super().problems(outgoing)
        if _filter(outgoing.settings) is None:
            found.append(Problem("tag_missing", NO_TAG))
        return found

    def deliver(self, envelope: Envelope) -> Receipt:
        api = Api.of(envelope)
        piece = _piece(envelope.outgoing)
        envelope, said = _said(api, envelope, piece)
        if said.means is Means.GONE and piece.form is Form.PICTURES:
            # Somebody emptied the account's library; sending uses nothing up, so the same again.
            envelope, said = _said(api, envelope, piece, anew=True)
        if said.is_done or said.code == KNOWN:
            return _taken(envelope, said)
        if said.code == HURRIED:
            raise TryAgain(TOO_SOON, MINUTE)
        if said.means is Means.BUSY:
            return Receipt(Outcome.UNCERTAIN, reason=said.words)
        if said.means is Means.GONE:
            return _draft_gone(envelope, said)
        raise fault(said)

    def progress(self, envelope: Envelope) -> Progress:
        message = str(envelope.external_id or envelope.facts.get("msg_id", ""))
        if not message:
            return Progress(Standing.UNKNOWN)
        found = Api.of(envelope).need("/cgi-bin/message/mass/get", {"msg_id": message})
        return progress_of(str(found.get("msg_status", "")))

    def withdraw(self, envelope: Envelope) -> Receipt:
        if _piece(envelope.outgoing).form is not Form.ARTICLE:
            raise Refused(ONLY_ARTICLES)
        body = {"msg_id": str(envelope.external_id), "article_idx": 0}
        said = Api.of(envelope).ask("/cgi-bin/message/mass/delete", body)
        if said.is_done or said.means is Means.GONE:
            return Receipt(Outcome.ACCEPTED, reason=CARD_STAYS)
        raise fault(said)

    def test(self, way: Way) -> str:
        said = Api.through(way).ask("/cgi-bin/message/mass/speed/get", {})
        return "" if said.is_done else said.words

    def warm_up(self, way: Way) -> None:
        Api.through(way).token()

    def prepare(self, envelope: Envelope) -> None:
        oa_drafts.upload(Api.of(envelope), _piece(envelope.outgoing))

    def figures(self, envelope: Envelope) -> tuple[Figure, ...]:
        return oa_figures.of_article(Api.of(envelope), envelope)


def progress_of(status: str) -> Progress:
    """What one word of the carrier says, asked for or told by itself."""
    word = status.strip().upper()
    standing, reason = STANDINGS.get(word, (Standing.UNKNOWN, ""))
    error = _ERROR.fullmatch(word)
    if error:
        why = WHY.get(error[1], WHY["21000"])
        return Progress(Standing.REFUSED, reason=Sentence(REVIEWED, {"why": why}))
    return Progress(standing, reason=reason)


def told(content: Mapping[str, Any]) -> tuple[dict[str, str], Progress]:
    """Of the event that ends a mass send: its number, how it ended, how many it reached."""
    progress = progress_of(str(content.get("Status") or ""))
    facts: dict[str, Any] = {
        name.lower(): int(str(content[name]))
        for name in ("TotalCount", "FilterCount", "SentCount", "ErrorCount")
        if re.fullmatch(r"[0-9]{1,15}", str(content.get(name) or ""))
    }
    url = _url_of(content.get("ArticleUrlResult"))
    reason = progress.reason
    if progress.standing is Standing.LIVE:
        reason = _shortfall(facts.get("sentcount", 0), facts.get("errorcount", 0))
    facts |= {"article_url": url} if url else {}
    return (
        {"msg_id": str(content.get("MsgID") or content.get("MsgId") or "")},
        Progress(progress.standing, url=url, reason=reason, facts=facts),
    )


def _shortfall(sent: int, failed: int) -> str:
    """In words how many got it, when not everybody it was for did."""
    numbers = {"sent": sent, "total": sent + failed, "failed": failed}
    return Sentence(PARTLY, numbers) if failed else ""


def _url_of(result: Any) -> str:
    listed = result.get("ResultList") if isinstance(result, dict) else None
    items = listed.get("item") if isinstance(listed, dict) else None
    first = items[0] if isinstance(items, list) and items else items
    return str(first.get("ArticleUrl") or "") if isinstance(first, dict) else ""


def _piece(outgoing: Outgoing) -> Piece:
    return oa_pieces.mass_sent(outgoing, words_limit=WORDS)


def _filter(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Whom it is for; None when a tag is wanted and none is named."""
    if settings.get("audience", "all") != "tag":
        return {"is_to_all": True}
    tag = str(settings.get("tag_id", ""))
    return {"is_to_all": False, "tag_id": int(tag)} if tag.isascii() and tag.isdigit() else None


def _said(
    api: Api, envelope: Envelope, piece: Piece, *, anew: bool = False
) -> tuple[Envelope, Said]:
    """What the carrier answers to the message under its key."""
    to = _filter(envelope.settings)
    if to is None:
        raise Refused(NO_TAG)
    envelope, content = _content(api, envelope, piece, anew=anew)
    body = {"filter": to, **content, "clientmsgid": envelope.key[:KEY_BYTES]}
    return envelope, api.say("/cgi-bin/message/mass/sendall", body)


def _content(
    api: Api, envelope: Envelope, piece: Piece, *, anew: bool
) -> tuple[Envelope, dict[str, Any]]:
    """What is sent; an article goes as the draft that holds it."""
    if piece.form is Form.ARTICLE:
        envelope, draft = oa_drafts.made(api, envelope, piece)
        content = {"msgtype": "mpnews", "mpnews": {"media_id": draft}, "send_ignore_reprint": 0}
        return envelope, content
    if piece.form is Form.PICTURES:
        ids = [oa_drafts.material(api, picture, anew=anew) for picture in piece.pictures]
        images = {"media_ids": ids, "recommend": piece.text, **oa_drafts.comments(api.way.settings)}
        return envelope, {"msgtype": "image", "images": images}
    return envelope, {"msgtype": "text", "text": {"content": piece.text}}


def _taken(envelope: Envelope, said: Said) -> Receipt:
    message = str(said.content.get("msg_id") or "")
    if not message:
        return Receipt(Outcome.UNCERTAIN, reason=said.words)
    facts = {"msg_id": message}
    data = str(said.content.get("msg_data_id") or "")
    try:
        steps.note(envelope, **facts, **({"msg_data_id": data} if data else {}))
    except SQLAlchemyError:
        log.warning("message_not_noted", publication=envelope.publication_id, exc_info=True)
    return Receipt(Outcome.ACCEPTED, external_id=message)


def _draft_gone(envelope: Envelope, said: Said) -> Receipt:
    """Without its content nothing was sent now; whether an earlier try was, the same key will tell."""
    if envelope.asked_since is not None:
        return Receipt(Outcome.UNCERTAIN, reason=said.words, after=MINUTE)
    steps.note(envelope, draft="", draft_of="")
    raise TryAgain(said.words)
