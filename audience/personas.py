"""Personas: the believable people the company speaks through, and who holds each now."""

from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from audience.events import PersonaPassedOn
from audience.models import Persona
from cms.accounts import audit
from cms.accounts.models import Role, User
from cms.accounts.permissions import Permission, may
from cms.core.db import session
from cms.core.errors import NotFound, invalid
from cms.core.events import emit
from cms.core.i18n import N_
from cms.core.slugs import free_slug
from cms.core.text import clean_line, is_blank


@dataclass(frozen=True)
class PersonaFields:
    """What a person says about a persona, in both languages."""

    name: str
    role_en: str = ""
    role_zh: str = ""
    bio_en: str = ""
    bio_zh: str = ""
    holder_id: int | None = None
    is_active: bool = True


def get(persona_id: int) -> Persona:
    """The persona of that id; raises NotFound."""
    persona = session.get(Persona, persona_id)
    if persona is None:
        raise NotFound("persona")
    return persona


def by_slug(slug: str) -> Persona | None:
    """The persona of that slug."""
    return session.scalar(select(Persona).where(Persona.slug == slug))


def in_order() -> Select[Persona]:
    """All personas by name, for the caller to page."""
    return (
        select(Persona)
        .options(joinedload(Persona.holder))
        .order_by(Persona.is_active.desc(), Persona.name, Persona.id)
    )


def add(fields: PersonaFields, *, by: User | None, slug: str | None = None) -> Persona:
    """Add a persona. Raises Invalid."""
    _check(fields)
    _check_holder(fields.holder_id)
    persona = Persona(slug=slug or free_slug(fields.name, "persona", by_slug))
    _fill(persona, fields)
    session.add(persona)
    session.flush()  # the audit trail needs the id
    audit.record("persona.added", persona, by=by, name=persona.name)
    return persona


def change(persona: Persona, fields: PersonaFields, *, by: User | None) -> None:
    """Change what is said about the persona. Raises Invalid.

    A new holder takes over all its accounts, and what still waits to be posted through them.
    """
    _check(fields)
    before = persona.holder_id
    if fields.holder_id != before:
        _check_holder(fields.holder_id)
    _fill(persona, fields)
    audit.record(
        "persona.changed", persona, by=by, holder_before=before, holder_after=fields.holder_id
    )
    if fields.holder_id != before:
        emit(PersonaPassedOn(persona.id, fields.holder_id, by.id if by else None))


def may_hold() -> Select[User]:
    """Whom a persona may be given to, by name: who is here and answers for packs."""
    able = [role for role in Role if may(role, Permission.HAND_OVER_CONFIRM)]
    return (
        select(User)
        .where(User.is_active.is_(True), User.role.in_(able))
        .order_by(User.name, User.id)
    )


def _fill(persona: Persona, fields: PersonaFields) -> None:
    persona.name = clean_line(fields.name)
    persona.role_en, persona.role_zh = clean_line(fields.role_en), clean_line(fields.role_zh)
    persona.bio_en, persona.bio_zh = fields.bio_en.strip(), fields.bio_zh.strip()
    persona.holder_id, persona.is_active = fields.holder_id, fields.is_active


def _check(fields: PersonaFields) -> None:
    if is_blank(fields.name) or len(fields.name) > 80:
        raise invalid("name", "bad_name", N_("Give a name of 1 to 80 characters."))
    if any(len(text) > 120 for text in (fields.role_en, fields.role_zh)):
        raise invalid("role_en", "content_too_long", N_("A role has at most 120 characters."))
    if any(len(text) > 600 for text in (fields.bio_en, fields.bio_zh)):
        raise invalid("bio_en", "content_too_long", N_("A biography has at most 600 characters."))


def _check_holder(holder_id: int | None) -> None:
    """Asked of a new one only: who holds it already keeps it until somebody else is named."""
    if holder_id is None:
        return
    if session.scalar(may_hold().where(User.id == holder_id)) is None:
        raise invalid("holder_id", "bad_holder", N_("Choose one of the people offered."))
