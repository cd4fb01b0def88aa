"""The channel `slack`: one Slack channel, by an incoming webhook or by an app's token."""

import json
import re
from typing import Any

from cms.core.errors import Problem, Refused
from cms.core.i18n import N_
from cms.core.text import count
from schedules.channels import chat, pasted, public_pictures, verdicts
from schedules.channels.answers import Card
from schedules.channels.base import Channel, Field, Limits, Receipt, Rendered
from schedules.channels.calling import Line, Reply
from schedules.channels.verdicts import harmless, of_the_account, of_the_post, wait
from schedules.envelopes import Envelope, Outgoing, Way
from schedules.states import Outcome

HOOKS = "https://hooks.slack.com"
API = "https://slack.com"
HOOK_PATH = "/services/"
MOST_ALT = 500  # of 2000: all blocks together may hold about 13,000 characters
_PUNCTUATION = ".,;:!?'\")]}"  # at its end it belongs to the sentence, not to the address

NOT_AN_ADDRESS = N_("This is no Slack webhook address. Copy it again from the app's settings.")
NO_CONVERSATION = N_("Enter the channel that the Slack app writes to.")
NOT_WITH_WEBHOOK = N_("A Slack webhook cannot change or take back a post; an app's token can.")
LINK_BELOW = N_("The link stands below the text, under the title.")
FORMATTING = N_("Slack draws words between * _ ~ or ` as bold, italic, struck or code.")
UNREADABLE = N_("Slack could not read the message, or could not fetch one of its pictures.")
TOO_LONG = N_("The message is too long for Slack.")
NOT_ALLOWED = N_("Slack does not let the app write to this channel.")
NO_CHANNEL = N_("The Slack channel is gone or archived.")
NO_HOOK = N_("Slack does not know the webhook. It may have been removed.")
NO_APP = N_("Slack refuses the app's token. Install the app again and enter the new one.")
GONE = N_("The message is no longer in Slack.")
TOO_OLD = N_("Slack does not let the app change or delete this message.")

CODES = {
    "invalid_payload": of_the_post(UNREADABLE),
    "invalid_blocks": of_the_post(UNREADABLE),
    "invalid_blocks_format": of_the_post(UNREADABLE),
    "no_text": of_the_post(UNREADABLE),
    "too_many_attachments": of_the_post(UNREADABLE),
    "msg_too_long": of_the_post(TOO_LONG),
    "msg_blocks_too_long": of_the_post(TOO_LONG),
    "message_not_found": of_the_post(GONE),
    "cant_update_message": of_the_post(TOO_OLD),
    "cant_delete_message": of_the_post(TOO_OLD),
    "edit_window_closed": of_the_post(TOO_OLD),
    "action_prohibited": of_the_account(NOT_ALLOWED),
    "posting_to_general_channel_denied": of_the_account(NOT_ALLOWED),
    "restricted_action": of_the_account(NOT_ALLOWED),
    "not_in_channel": of_the_account(NOT_ALLOWED),
    "missing_scope": of_the_account(NOT_ALLOWED),
    "channel_not_found": of_the_account(NO_CHANNEL),
    "channel_is_archived": of_the_account(NO_CHANNEL),
    "is_archived": of_the_account(NO_CHANNEL),
    "no_service": of_the_account(NO_HOOK),
    "no_active_hooks": of_the_account(NO_HOOK),
    "invalid_token": of_the_account(NO_HOOK),
    "no_team": of_the_account(NO_HOOK),
    "team_disabled": of_the_account(NO_HOOK),
    "not_authed": of_the_account(NO_APP),
    "invalid_auth": of_the_account(NO_APP),
    "account_inactive": of_the_account(NO_APP),
    "token_revoked": of_the_account(NO_APP),
    "token_expired": of_the_account(NO_APP),
    "ratelimited": wait(),
    "rate_limited": wait(),
}
# Slack says that something broke on its side, not that nothing was posted.
NO_PROMISE = (
    "rollup_error",
    "internal_error",
    "fatal_error",
    "request_timeout",
    "service_unavailable",
)
# Answers to an empty message: they come only from a webhook that exists.
EMPTY_REFUSED = ("no_text", "invalid_payload", "missing_text_or_fallback_or_attachments")

_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
_ADDRESS = re.compile(r"https?://[!-;=?-~]+", re.IGNORECASE)  # no < or >
_FORMATTED = re.compile(r"(?<!\w)([*_~`])(?=\S)[^\n]*?\S\1(?!\w)")


class Slack(Channel):
    """One message of blocks: the text, the pictures Slack can fetch, the link with its title."""

    slug = "slack"
    name = N_("Slack channel")
    speaks_by_calls = True
    limits = Limits(text=3000, pictures=10, per_minute=60, per_second=1)
    appends_link = False  # it has a block of its own
    gives = chat.GIVES
    needs = N_("Make a Slack app; give it an incoming webhook, or a token that may write messages.")
    fields = (
        Field(
            "webhook",
            N_("Webhook address"),
            N_("Either this, or a token and a channel."),
            is_secret=True,
            is_required=False,
        ),
        Field(
            "token",
            N_("App token"),
            N_("Begins with xoxb. With it, posts can be changed and taken back."),
            is_secret=True,
            is_required=False,
        ),
        Field(
            "conversation",
            N_("Channel"),
            N_("The channel's id, for instance C0123456789. Only with a token."),
            is_required=False,
        ),
        pasted.site_field(HOOKS),
    )
    can_amend = True
    can_withdraw = True

    def render(self, outgoing: Outgoing) -> Rendered:
        """Slack counts the text as it is written for it: marks escaped, addresses made links."""
        pictures = outgoing.pictures if public_pictures.addresses(outgoing) else ()
        changes = public_pictures.change(outgoing, self.name)
        if outgoing.link:
            changes += (Problem("link_own_block", LINK_BELOW),)
        if _FORMATTED.search(outgoing.body):
            changes += (Problem("formatting", FORMATTING),)
        return Rendered(
            text=outgoing.body,
            used=count(_linked(outgoing.body)),
            limit=self.limits.text,
            unit=self.limits.unit,
            pictures=pictures,
            card=Card(outgoing.title, outgoing.link) if outgoing.link else None,
            changes=changes,
            problems=chat.nothing_left(outgoing, pictures),
        )

    def deliver(self, envelope: Envelope) -> Receipt:
        desk = _Desk(envelope.way, envelope)
        if desk.token:
            return desk.receipt(
                desk.call("chat.postMessage", desk.named(_message(envelope.outgoing)))
            )
        return _hook_receipt(desk.line.post(desk.path, _message(envelope.outgoing)))

    def amend(self, envelope: Envelope) -> Receipt:
        desk, ts = _posted(envelope)
        message = {"channel": ts[0], "ts": ts[1], **_message(envelope.outgoing)}
        return desk.receipt(desk.call("chat.update", message))

    def withdraw(self, envelope: Envelope) -> Receipt:
        desk, ts = _posted(envelope)
        reply = desk.call("chat.delete", {"channel": ts[0], "ts": ts[1]})
        if reply.json().get("error") == "message_not_found":
            return Receipt(Outcome.ACCEPTED)
        return desk.receipt(reply)

    def test(self, way: Way) -> str:
        """With a token Slack says who it is; a webhook that exists refuses an empty message as such."""
        desk = _Desk(way)
        if desk.token:
            reply = harmless(lambda: desk.call("auth.test", {}))
            return "" if reply.json().get("ok") is True else desk.receipt(reply).reason
        reply = harmless(lambda: desk.line.post(desk.path, {}))
        is_known = reply.status == 400 and reply.text.strip() in EMPTY_REFUSED
        return "" if is_known else _hook_receipt(reply).reason


class _Desk:
    """One account at Slack: by webhook or by token, whichever it was given."""

    def __init__(self, way: Way, envelope: Envelope | None = None) -> None:
        self.token = way.secrets.get("token", "").strip()
        self.conversation = str(way.settings.get("conversation") or "").strip()
        given = way.secrets.get("webhook", "")
        key = pasted.key_in(given, rf"(?:{HOOK_PATH})?(?P<key>\w+/\w+/\w+)/?")
        if self.token and not self.conversation:
            raise Refused(NO_CONVERSATION, pauses_account=True)
        if not self.token and not key:
            raise Refused(NOT_AN_ADDRESS, pauses_account=True)
        base = pasted.site(way.settings, HOOKS)
        base = API if self.token and base == HOOKS else base
        hush = tuple(way.secrets.values())
        self.line = Line.of(envelope, base) if envelope else Line(base, hush=hush)
        self.line.hush.append(key)
        self.path = HOOK_PATH + key

    def named(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"channel": self.conversation, **message}

    def call(self, method: str, body: dict[str, Any]) -> Reply:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Authorization": f"Bearer {self.token}",
        }
        content = json.dumps(body, ensure_ascii=False).encode()
        return self.line.call("POST", f"/api/{method}", headers=headers, body=content)

    def receipt(self, reply: Reply) -> Receipt:
        said = reply.json()
        if said.get("ok") is True and reply.status == 200:
            return Receipt(Outcome.ACCEPTED, _reference(said))
        return _refusal(reply, str(said.get("error", "")))


def _posted(envelope: Envelope) -> tuple[_Desk, tuple[str, str]]:
    """Who can change the message, and where it stands."""
    desk = _Desk(envelope.way, envelope)
    conversation, _, ts = envelope.external_id.partition(":")
    if not desk.token or not ts:
        raise Refused(NOT_WITH_WEBHOOK)
    return desk, (conversation, ts)


def _reference(said: dict[str, Any]) -> str:
    return f"{said['channel']}:{said['ts']}" if said.get("channel") and said.get("ts") else ""


def _hook_receipt(reply: Reply) -> Receipt:
    """A webhook answers in plain words; there is no name for what it posted."""
    word = reply.text.strip()
    if reply.status == 200:
        is_ok = word == "ok"
        return Receipt(Outcome.ACCEPTED) if is_ok else verdicts.by_status(reply)
    return _refusal(reply, word)


def _refusal(reply: Reply, word: str) -> Receipt:
    if reply.status == 429 or reply.status >= 500:
        return verdicts.by_status(reply)
    if word in NO_PROMISE:
        return Receipt(Outcome.UNCERTAIN, reason=verdicts.BROKE)
    if word in CODES or (word and reply.status == 200 and reply.json()):
        return verdicts.by_code(word, CODES)
    return verdicts.by_status(reply)


def _message(outgoing: Outgoing) -> dict[str, Any]:
    """`text` is what notifications show; the blocks are what readers see."""
    blocks: list[dict[str, Any]] = []
    if outgoing.body:
        blocks.append(_section(_linked(outgoing.body)))
    alt = (outgoing.title or outgoing.body or outgoing.link)[:MOST_ALT]
    blocks += [
        {"type": "image", "image_url": address, "alt_text": alt}
        for address in public_pictures.addresses(outgoing)
    ]
    if outgoing.link:
        title = _escaped(outgoing.title or outgoing.link).replace("|", "¦")
        blocks.append(_section(f"<{outgoing.link}|{title}>"))
    words = _escaped(outgoing.body or outgoing.title or outgoing.link)
    return {"text": words, "blocks": blocks}


def _section(text: str) -> dict[str, Any]:
    # `verbatim` keeps Slack from making names and channels of plain words, and links of addresses:
    # those are written as links.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _linked(text: str) -> str:
    """The text with its marks escaped, and every address in it as a link to tap."""
    made, end = "", 0
    for found in _ADDRESS.finditer(text):
        address = found[0].rstrip(_PUNCTUATION)
        if address.endswith("/") and address.count("/") == 2:
            continue  # nothing follows https://
        start, stop = found.start(), found.start() + len(address)
        target = _escaped(address).replace("|", "%7C")
        made, end = f"{made}{_escaped(text[end:start])}<{target}>", stop
    return made + _escaped(text[end:])


def _escaped(text: str) -> str:
    """Without the marks that make links and mentions (<!everyone>, <@U…>) of text."""
    for mark, entity in _ENTITIES:
        text = text.replace(mark, entity)
    return text
