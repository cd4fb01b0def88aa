"""Hand-overs: a pack for the holder of a persona, and what the holder says became of it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from audience.events import PersonaPassedOn
from cms.accounts import audit
from cms.accounts.models import Role, User
from cms.core import events
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.errors import NotFound, conflict, forbidden, invalid
from cms.core.i18n import N_
from cms.core.text import check_length, clean_text, is_blank
from content_library.models import Media
from schedules import publications
from schedules.events import PostPublished
from schedules.models import ChannelAccount, HandOver, Post, Publication
from schedules.states import HandOverState, PublicationState

_OPEN = (HandOverState.WAITING, HandOverState.EXPIRED)
PATIENCE = timedelta(hours=2)
NOTE_CHARACTERS = 500
NOT_CONFIRMED = N_("Nobody has said yet whether this was posted. Ask, then confirm or drop it.")
DECLINED = N_("The holder declined to post this.")


def get(hand_over_id: int) -> HandOver:
    """The hand-over of that number; raises NotFound."""
    found = session.get(HandOver, hand_over_id)
    if found is None:
        raise NotFound("hand-over")
    return found


def get_for(hand_over_id: int, user: User) -> HandOver:
    """The same, but only what the user may answer for: another's pack looks like none at all."""
    found = get(hand_over_id)
    if not may_answer(found, user):
        raise NotFound("hand-over")
    return found


def may_answer(hand_over: HandOver, user: User) -> bool:
    """The holder answers for their own pack, operators and administrators for anybody's."""
    return hand_over.assignee_id == user.id or user.role in (Role.OPERATOR, Role.ADMINISTRATOR)


def waiting(*, holder: User | None = None) -> Select[Any]:
    """Packs nobody has answered for yet, expired ones included, the most urgent first."""
    found = (
        select(HandOver)
        .join(HandOver.publication)
        .where(
            HandOver.state.in_(_OPEN),
            Publication.state == PublicationState.HANDED_OVER,
        )
        .order_by(HandOver.expires_at, HandOver.id)
        .options(
            joinedload(HandOver.assignee),
            joinedload(HandOver.pool),
            joinedload(HandOver.publication).joinedload(Publication.post).joinedload(Post.version),
            joinedload(HandOver.publication)
            .joinedload(Publication.account)
            .joinedload(ChannelAccount.persona),
            joinedload(HandOver.publication).selectinload(Publication.links),
        )
    )
    return found.where(HandOver.assignee_id == holder.id) if holder else found


def give(publication: Publication) -> HandOver:
    """Put the pack before the holder of the account's persona. A second call changes nothing."""
    known = _pack(publication)
    audit.record("hand_over.given", known, by=None, publication=publication.id)
    return known


def confirm_without_pack(
    publication: Publication, *, by: User, note: str = "", proof: Media | None = None
) -> HandOver:
    """A person saw it live although its carrier has not said so; the whole pool has it.

    A pack that somebody holds is confirmed by this as well.
    """
    if publication.state is not PublicationState.HANDED_OVER:
        raise conflict("changed_meanwhile", N_("Somebody else was quicker. Look again."))
    known = next((one for one in publication.hand_overs if one.state in _OPEN), None)
    return confirm(known or _pack(publication), by=by, note=note, proof=proof)


def _pack(publication: Publication) -> HandOver:
    known = session.scalar(
        select(HandOver).where(
            HandOver.publication_id == publication.id, HandOver.pool_id == publication.pool_id
        )
    )
    persona = publication.account.persona
    moment = now()
    if known is None:
        known = HandOver(publication=publication, pool_id=publication.pool_id)
        session.add(known)
    known.state = HandOverState.WAITING
    known.assignee_id = persona.holder_id if persona else None
    known.given_at = moment
    known.expires_at = max(publication.late_after, moment + PATIENCE)
    known.note, known.proof_media_id = "", None
    known.decided_by_id, known.decided_at = None, None
    session.flush()  # the audit entry needs the id
    return known


def pass_on(event: PersonaPassedOn) -> None:
    """What its persona's last holder has not answered for is the new holder's; nobody's without one."""
    found = session.scalars(
        select(HandOver)
        .join(HandOver.publication)
        .join(Publication.account)
        .where(HandOver.state.in_(_OPEN), Publication.state == PublicationState.HANDED_OVER)
        .where(ChannelAccount.persona_id == event.persona_id)
        .order_by(HandOver.id)
        .with_for_update(of=HandOver)
    )
    by = session.get(User, event.by_id) if event.by_id else None
    for one in found.all():
        before, one.assignee_id = one.assignee_id, event.holder_id
        audit.record(
            "hand_over.passed_on", one, by=by, holder_before=before, holder_after=event.holder_id
        )


def confirm(
    hand_over: HandOver, *, by: User, note: str = "", proof: Media | None = None
) -> HandOver:
    """It is live: a note or a screenshot says so. Confirming twice changes nothing."""
    _answerable_by(hand_over, by)
    if hand_over.state is HandOverState.CONFIRMED:
        return hand_over
    check_proof(note, proof)
    _answer(hand_over, HandOverState.CONFIRMED, by=by, note=note)
    hand_over.proof_media_id = proof.id if proof else None
    publication = hand_over.publication
    publications.move(publication, PublicationState.PUBLISHED, by=by, published_at=now())
    events.emit(PostPublished(publication.id))
    return hand_over


def check_proof(note: str, proof: Media | None) -> None:
    """Raise Invalid when neither words nor a picture say that it is live."""
    if is_blank(note) and proof is None:
        raise invalid(
            "note", "proof_missing", N_("Add a screenshot, or a note that says where it is.")
        )


def decline(hand_over: HandOver, *, by: User, reason: str) -> HandOver:
    """It will not be posted by this holder; the publication waits for somebody's decision."""
    _answerable_by(hand_over, by)
    if hand_over.state is HandOverState.DECLINED:
        return hand_over
    if is_blank(reason):
        raise invalid("reason", "content_empty", N_("Say why, so that somebody can help."))
    _answer(hand_over, HandOverState.DECLINED, by=by, note=reason)
    publications.move(hand_over.publication, PublicationState.FAILED, by=by, reason=DECLINED)
    return hand_over


def expire_overdue() -> int:
    """Mark packs whose time is over; they stay answerable, since the post may well be live."""
    overdue = select(HandOver.id).where(
        HandOver.state == HandOverState.WAITING, HandOver.expires_at < now()
    )
    return sum(_expire(hand_over_id) for hand_over_id in session.scalars(overdue.limit(200)).all())


def _expire(hand_over_id: int) -> bool:
    with transaction():
        hand_over = session.get(HandOver, hand_over_id, with_for_update=True)
        if hand_over is None or hand_over.state is not HandOverState.WAITING:
            return False
        hand_over.state = HandOverState.EXPIRED
        hand_over.publication.reason = NOT_CONFIRMED
        audit.record("hand_over.expired", hand_over, by=None)
        return True


def _answerable_by(hand_over: HandOver, by: User) -> None:
    if not may_answer(hand_over, by):
        raise forbidden("not_your_pack", N_("This pack was handed to somebody else."))


def _answer(hand_over: HandOver, answer: HandOverState, *, by: User, note: str) -> None:
    if hand_over.state not in _OPEN:
        raise conflict("changed_meanwhile", N_("Somebody else was quicker. Look again."))
    note = clean_text(note).strip()
    check_length("note", note, NOTE_CHARACTERS)
    moment: datetime = now()
    hand_over.state, hand_over.note = answer, note
    hand_over.decided_by_id, hand_over.decided_at = by.id, moment
    said = {"note": note} if note else {}
    audit.record(f"hand_over.{answer.value}", hand_over, by=by, **said)
