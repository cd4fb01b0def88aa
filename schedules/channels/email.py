"""The channel `email`: a post as a letter to everybody on the account's list, each at most once."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

from cms.core import mail
from cms.core.config import current
from cms.core.db import give_back
from cms.core.errors import Problem, Refused, TryAgain
from cms.core.faults import fault
from cms.core.i18n import N_
from schedules import letters, mailings, obstacles, renditions, steps, subscribers
from schedules.asking_once import once
from schedules.channels.answers import BY_OWN_LINK
from schedules.channels.base import (
    Channel,
    Field,
    Gives,
    How,
    Limits,
    Receipt,
    Rendered,
    Repeat,
    Takes,
)
from schedules.envelopes import Envelope, Outgoing, Picture, Way
from schedules.letters import Draft
from schedules.mailings import Addressee, Done, Tally
from schedules.states import DeliveryState, Outcome

MARGIN = 5.0  # seconds kept for writing down what became of the last one
SHORTLY = timedelta(seconds=10)  # after a server had enough of one connection
LATER = timedelta(minutes=5)  # after it put addresses off
MOST_ROUNDS = 3  # how often those are tried again whom the server put off
REFUSALS_IN_A_ROW = 3  # so many letters refused as a whole: it is the letter, or us
PUT_OFFS_IN_A_ROW = 3  # so many put off as a whole: it is the server
NO_SERVER = N_("No mail server is set for this installation: SEEDBED_SMTP_URL.")
UNREACHED = N_("The mail server could not be reached.")
NOT_LET_IN = N_("The mail server does not let us in. Check name and password in SEEDBED_SMTP_URL.")
REFUSED = N_("The mail server refused the letter.")
SILENT = N_("The mail server took a letter and did not say whether it keeps it.")
NOBODY = N_("Nobody is on the list of this account yet. Add subscribers first.")
NOBODY_TOOK_IT = N_("The mail server refused every address on the list.")
GOES_ON = N_("Part of the letters are out; the rest follows.")
PUT_OFF = N_("The mail server put some addresses off; they are tried again.")
ALSO = N_("Below it, links to %(count)s posts the pool got this week.")
COVER = N_("The cover goes along as its picture.")

_S = DeliveryState


class Email(Channel):
    """Class K without any key at the carrier: the ledger's own rows know who has been written to."""

    slug = "email"
    name = N_("E-mail")
    limits = Limits(
        text=20_000, pictures=4, picture_bytes=500_000, picture_formats=("jpeg", "png"), longest_edge=1200
    )  # fmt: skip
    repeat = Repeat.KEYED
    appends_link = False  # a button of its own
    takes = frozenset({Takes.TEXT, Takes.PICTURES, Takes.ARTICLE, Takes.LINK})
    gives: ClassVar[Mapping[Gives, How]] = {**BY_OWN_LINK, Gives.DELIVERY: How.CALLBACK}
    fields = (
        Field("sender_name", N_("Name of the sender"), N_("What readers see before the address.")),
        Field(
            "reply_to",
            N_("Where answers go"),
            N_("An e-mail address; empty: to the sender of the installation."),
            is_required=False,
        ),
        Field(
            "about",
            N_("Last line"),
            N_(
                "Who you are and why they get this letter; many countries ask for a postal address."
            ),
            is_required=False,
        ),
    )
    needs = N_(
        "A mail server in SEEDBED_SMTP_URL, and SPF, DKIM and DMARC records for the sender's domain."
    )

    def render(self, outgoing: Outgoing) -> Rendered:
        also = letters.earlier(outgoing)
        pictures = _pictures(outgoing)
        draft = _draft(outgoing, also, outgoing.settings)
        changes = renditions.changes(pictures, self.limits)
        if pictures and not outgoing.pictures:
            changes += (Problem("cover_added", COVER),)
        if also:
            changes += (Problem("also_listed", ALSO, {"count": len(also)}),)
        slug = outgoing.account_slug
        is_empty = not once(("listed", slug), lambda: subscribers.is_listed(slug))
        return replace(
            super().render(replace(outgoing, text=outgoing.body)),
            pictures=pictures,
            title=draft.subject,
            html=draft.html,
            changes=changes,
            problems=(Problem("list_empty", NOBODY),) if is_empty else (),
        )

    def deliver(self, envelope: Envelope) -> Receipt:
        if not mail.is_configured():
            raise Refused(NO_SERVER, pauses_account=True)
        envelope = mailings.begin(envelope)
        tally = mailings.tally(envelope.publication_id)
        give_back()
        if tally.waiting:
            ended = _Round(envelope, self.limits).run()
            if ended is not None:
                return ended
            tally = mailings.tally(envelope.publication_id)
        return _summed(envelope, tally)

    def test(self, way: Way) -> str:
        """Greets the mail server and hangs up: no letter is sent."""
        if not mail.is_configured():
            return NO_SERVER
        with _said(), mail.connected():
            return ""


@dataclass
class _Round:
    """One claim's share of a round through the list. It begins where the last claim came to, so that
    whoever a server puts off, or hangs up on, keeps nobody else from their turn."""

    envelope: Envelope
    limits: Limits
    at: int = 0  # the newest row that had its turn
    sent: int = 0
    refusals: int = 0
    put_offs: int = 0

    def run(self) -> Receipt | None:
        """Write to as many as fit. None: nobody waits any more. Raises TryAgain or Refused."""
        self.at = int(self.envelope.facts.get(mailings.AT, 0))
        draft, inline = self._letter()
        try:
            with _said(), mail.connected() as line:
                is_through = self._through(line, draft, inline)
        except mailings.Halted:
            return self._left(obstacles.STOPPED)
        except TryAgain as error:
            return self._broken_off(str(error))
        except Refused as error:
            return self._turned_down(error)
        except mail.Unanswered:
            self._note(**{mailings.AT: self.at})
            return Receipt(Outcome.UNCERTAIN, reason=SILENT, detail=self._told())
        if not is_through:
            return self._left(GOES_ON)
        return self._again_later()

    def _letter(self) -> tuple[Draft, tuple[mail.Inline, ...]]:
        outgoing = self.envelope.outgoing
        also = letters.chosen(self.envelope.facts.get(mailings.ALSO, ()))
        draft = _draft(outgoing, also, self.envelope.settings)
        inline = []
        for number, picture in enumerate(_pictures(outgoing), start=1):
            fitted = renditions.fitted(picture.sha256, self.limits)
            inline.append(mail.Inline(_cid(number), fitted.content, fitted.mime, fitted.filename))
        give_back()
        return draft, tuple(inline)

    def _through(self, line: mail.Line, draft: Draft, inline: tuple[mail.Inline, ...]) -> bool:
        """Whether everybody who waited had their turn; False when time is up."""
        done: Done | None = None
        try:
            while self._has_time():
                who = mailings.turn(self.envelope, done, self.at)
                done = None
                if who is None:
                    return True
                done = self._written(line, _letter_to(self.envelope, draft, inline, who), who)
                self.at = who.delivery_id
            return False
        finally:
            if done:
                mailings.settle(done)

    def _written(self, line: mail.Line, letter: mail.Letter, who: Addressee) -> Done:
        try:
            answer = line.send(letter)
        except mail.BadLetter as error:
            return Done(who.delivery_id, _S.FAILED, str(error))
        except mail.PutOff as error:
            return self._put_off(who, error)
        except mail.NotSent:
            if not self.sent:  # on a fresh line: perhaps it is this one that the server chokes on
                self.at = who.delivery_id
            mailings.settle(Done(who.delivery_id, _S.WAITING))
            raise
        except mail.Unanswered:
            mailings.settle(Done(who.delivery_id, _S.UNCERTAIN, SILENT))
            raise
        except mail.Refused as error:
            return self._refused(who, error)
        fault("letter.after_sent")
        self.put_offs = 0
        if answer.accepted:
            self.sent, self.refusals = self.sent + 1, 0
            return Done(who.delivery_id, _S.SENT)
        refusal = answer.refused[0]
        said = f"{refusal.code} {refusal.said}"
        return Done(who.delivery_id, _S.FAILED if refusal.is_final else _S.WAITING, said)

    def _put_off(self, who: Addressee, error: mail.PutOff) -> Done:
        """One letter waits for the next round; several in a row mean that the server is away."""
        self.put_offs += 1
        done = Done(who.delivery_id, _S.WAITING, f"{error.code} {error.reason}")
        if self.put_offs < PUT_OFFS_IN_A_ROW:
            return done
        mailings.settle(done)
        self.at = who.delivery_id
        raise TryAgain(PUT_OFF)

    def _refused(self, who: Addressee, error: mail.Refused) -> Done:
        """One letter may displease one server; several in a row mean that none would pass."""
        self.refusals, self.put_offs = self.refusals + 1, 0
        if self.refusals >= REFUSALS_IN_A_ROW:
            mailings.settle(Done(who.delivery_id, _S.FAILED, error.said))
            raise error
        return Done(who.delivery_id, _S.FAILED, error.said)

    def _has_time(self) -> bool:
        return time.monotonic() + self.envelope.call_seconds + MARGIN < self.envelope.deadline

    def _again_later(self) -> Receipt | None:
        """Everybody had their turn in this round. Whom the server put off gets a few more, then counts
        as failed."""
        tally = mailings.tally(self.envelope.publication_id)
        if not tally.waiting:
            return None
        rounds = int(self.envelope.facts.get(mailings.LATER, 0)) + 1
        if rounds > MOST_ROUNDS:
            mailings.give_up(self.envelope)
            return None
        self._note(**{mailings.LATER: rounds, mailings.AT: 0})
        if not tally.sent:
            return Receipt(Outcome.NOT_SENT, reason=PUT_OFF, after=LATER, is_own_wait=True)
        return self._part(PUT_OFF, LATER)

    def _broken_off(self, reason: str) -> Receipt:
        """The server is away. It is asked again where it stopped; a round that ended so counts for none."""
        if not mailings.is_anybody_after(self.envelope.publication_id, self.at):
            self.at = 0
        return self._left(reason, SHORTLY)

    def _turned_down(self, error: Refused) -> Receipt:
        """It refuses us or the letter itself. Raises Refused unless some have got it already."""
        self._note(**{mailings.OVER: True})
        told = self._told()
        if error.pauses_account or not told["letters"]["sent"]:
            raise error
        return Receipt(Outcome.REJECTED, reason=str(error), goes_on=True, detail=told)

    def _left(self, reason: str, after: timedelta | None = None) -> Receipt:
        """Interrupted. Raises TryAgain when this claim wrote to nobody."""
        self._note(**{mailings.AT: self.at})
        if not self.sent:
            raise TryAgain(reason)
        return self._part(reason, after)

    def _note(self, **facts: Any) -> None:
        self.envelope = steps.note(self.envelope, **facts)

    def _part(self, reason: str, after: timedelta | None) -> Receipt:
        return Receipt(
            Outcome.ACCEPTED, reason=reason, after=after, goes_on=True, detail=self._told()
        )

    def _told(self) -> dict[str, Any]:
        return {"letters": mailings.tally(self.envelope.publication_id).told()}


def _letter_to(
    envelope: Envelope, draft: Draft, inline: tuple[mail.Inline, ...], who: Addressee
) -> mail.Letter:
    text, html = letters.signed(draft, who.token)
    headers = {
        "List-Id": letters.list_id(envelope.outgoing.account_slug),
        "List-Unsubscribe": f"<{letters.unsubscribe_url(who.token)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    reply_to = mail.clean_address(str(envelope.settings.get("reply_to", "")))
    if reply_to:
        headers["Reply-To"] = reply_to
    return mail.Letter(
        to=(who.address,),
        subject=draft.subject,
        text=text,
        html=html,
        id=f"{envelope.key}.{who.subscriber_id}",
        headers=headers,
        sender_name=str(envelope.settings.get("sender_name", "")),
        inline=inline,
    )


def _draft(outgoing: Outgoing, also: list[letters.Also], settings: Mapping[str, Any]) -> Draft:
    names = [_cid(number) for number, _ in enumerate(_pictures(outgoing), start=1)]
    return letters.written(
        outgoing,
        also,
        name=str(settings.get("sender_name", "")),
        about=str(settings.get("about", "")),
        pictures=names,
    )


def _pictures(outgoing: Outgoing) -> tuple[Picture, ...]:
    """The post's own pictures; without any, the cover of what it is about."""
    if outgoing.pictures or outgoing.cover is None:
        return outgoing.pictures
    return (outgoing.cover,)


def _cid(number: int) -> str:
    return f"picture-{number}"


def _summed(envelope: Envelope, tally: Tally) -> Receipt:
    """Everybody had their turn."""
    told = {"letters": tally.told()}
    if not tally.sent and not tally.uncertain:
        steps.note(envelope, **{mailings.OVER: True}, **tally.told())
        raise Refused(NOBODY_TOOK_IT if tally.failed else NOBODY)
    steps.note(envelope, **tally.told())
    if not tally.sent:
        return Receipt(Outcome.UNCERTAIN, reason=SILENT, detail=told)
    place = f"/settings/accounts/{envelope.account_id}/letters/{envelope.publication_id}"
    return Receipt(Outcome.ACCEPTED, envelope.key, f"{current().base_url}{place}", detail=told)


@contextmanager
def _said() -> Iterator[None]:
    """What the mail server's refusals mean to the ledger."""
    try:
        yield
    except mail.NotSent as error:
        raise TryAgain(UNREACHED) from error
    except mail.Refused as error:
        raise Refused(
            NOT_LET_IN if error.is_login else REFUSED, pauses_account=error.is_login
        ) from error
