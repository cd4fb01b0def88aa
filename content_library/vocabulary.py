"""The words assets are tagged with: groups, tags, their two names, aliases, renaming and merging."""

import re
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from cms.accounts import audit
from cms.accounts.models import User
from cms.core.db import session
from cms.core.errors import Invalid, NotFound, Problem, invalid
from cms.core.i18n import N_
from cms.core.text import clean_line
from content_library.models import AssetTag, Tag, TagAlias, TagGroup
from content_library.search import outbox
from content_library.search.folding import fold

STAGE_GROUP = "stage"
LONGEST_NAME = 80
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class TagFields:
    """What a person says about a tag. Aliases are further spellings under which it is found."""

    name_en: str
    name_zh: str
    aliases: tuple[str, ...] = ()
    hue: int | None = None


def groups() -> list[TagGroup]:
    """Every group with its tags and their aliases, in order."""
    return list(
        session.scalars(
            select(TagGroup)
            .order_by(TagGroup.position, TagGroup.id)
            .options(selectinload(TagGroup.tags).selectinload(Tag.aliases))
        )
    )


def get(tag_id: int) -> Tag:
    """The tag of that id; raises NotFound."""
    tag = session.get(Tag, tag_id)
    if tag is None:
        raise NotFound("tag")
    return tag


def find(slug: str) -> Tag:
    """The tag of that slug; raises NotFound."""
    tag = session.scalar(select(Tag).where(Tag.slug == slug))
    if tag is None:
        raise NotFound("tag")
    return tag


def match(word: str) -> Tag | None:
    """The tag somebody means by a slug, a name in either language, or an alias."""
    return matches([word]).get(word)


def matches(words: list[str]) -> dict[str, Tag]:
    """The tags meant by the words, in two queries; words that mean nothing are left out."""
    spelled: dict[str, Tag] = {}
    for tag in session.scalars(
        select(Tag).where(Tag.is_active).options(selectinload(Tag.aliases)).order_by(Tag.id)
    ):
        for name in (tag.slug, tag.name_en, tag.name_zh, *(alias.name for alias in tag.aliases)):
            spelled.setdefault(folded(name), tag)
    return {word: spelled[folded(word)] for word in words if folded(word) in spelled}


def folded(name: str) -> str:
    """One spelling for all: width, case, spaces, and hyphens of a slug."""
    return " ".join(fold(name.replace("-", " ").replace("_", " "))[0].split())


def usage() -> dict[int, int]:
    """How many assets carry each tag."""
    rows = session.execute(select(AssetTag.tag_id, func.count()).group_by(AssetTag.tag_id))
    return {tag_id: count for tag_id, count in rows}


def ensure_group(slug: str, *, name_en: str, name_zh: str, position: int = 0) -> TagGroup:
    """The group of that slug, made if it is missing."""
    group = session.scalar(select(TagGroup).where(TagGroup.slug == slug))
    if group is None:
        group = TagGroup(slug=slug, name_en=name_en, name_zh=name_zh, position=position)
        session.add(group)
        session.flush()  # tags need the group's id
    return group


def create(group: TagGroup, fields: TagFields, *, by: User | None, slug: str = "") -> Tag:
    """A new tag at the end of its group; raises Invalid when a name or slug is taken."""
    _judge(fields, own=None)
    slug = slug or slug_for(fields.name_en)
    if not _SLUG.fullmatch(slug) or len(slug) > 60:
        raise invalid("slug", "bad_slug", N_("Use small letters, digits and single hyphens."))
    if session.scalar(select(Tag.id).where(Tag.slug == slug)):
        raise invalid("slug", "name_taken", N_("Another tag is called that."))
    last = session.scalar(select(func.max(Tag.position)).where(Tag.group_id == group.id))
    tag = Tag(
        group_id=group.id,
        slug=slug,
        name_en=clean_line(fields.name_en),
        name_zh=clean_line(fields.name_zh),
        hue=fields.hue,
        position=(last or 0) + 1,
    )
    session.add(tag)
    session.flush()  # aliases and the audit trail need the tag's id
    _set_aliases(tag, fields.aliases)
    audit.record("tag.created", tag, by=by, slug=slug)
    return tag


def rename(tag: Tag, fields: TagFields, *, by: User | None) -> None:
    """New names and aliases; the slug stays, since addresses and imports use it."""
    _judge(fields, own=tag)
    before = {"name_en": tag.name_en, "name_zh": tag.name_zh}
    tag.name_en, tag.name_zh = clean_line(fields.name_en), clean_line(fields.name_zh)
    tag.hue = fields.hue
    _set_aliases(tag, fields.aliases)
    mark_carriers(tag)
    audit.record("tag.renamed", tag, by=by, before=before)


def merge(tag: Tag, *, into: Tag, by: User | None) -> int:
    """Give every asset of `tag` the other tag, whose aliases gain its names; how many assets.

    The merged tag is kept, inactive, because the history of changes speaks of it.
    """
    _check_merge(tag, into)
    carried = set(session.scalars(select(AssetTag.asset_id).where(AssetTag.tag_id == into.id)))
    links = list(session.scalars(select(AssetTag).where(AssetTag.tag_id == tag.id)))
    for link in links:
        if link.asset_id not in carried:
            session.add(_moved(link, into))
        session.delete(link)
    names = [alias.name for alias in tag.aliases] + [tag.name_en, tag.name_zh, tag.slug]
    tag.aliases.clear()
    tag.is_active = False
    session.flush()  # an alias may exist once only, so the old ones go first
    _set_aliases(into, [alias.name for alias in into.aliases] + names)
    outbox.mark(link.asset_id for link in links)
    audit.record("tag.merged", tag, by=by, into=into.slug, assets=len(links))
    return len(links)


def slug_for(name: str) -> str:
    """A slug out of a name; empty when the name holds no Latin letter or digit."""
    return "-".join(re.findall(r"[a-z0-9]+", fold(name)[0]))[:60].strip("-")


def _check_merge(tag: Tag, into: Tag) -> None:
    if tag.id == into.id:
        raise invalid("into", "same_tag", N_("Choose another tag to merge into."))
    if tag.group_id != into.group_id:
        raise invalid("into", "other_group", N_("Only tags of one group can be merged."))
    if tag.group.slug == STAGE_GROUP:
        raise invalid("into", "stage_tag", N_("Tags of stages follow the stages; merge nothing."))


def _moved(link: AssetTag, into: Tag) -> AssetTag:
    return AssetTag(
        asset_id=link.asset_id,
        tag_id=into.id,
        source=link.source,
        confidence=link.confidence,
        evidence=link.evidence,
        decided_by_id=link.decided_by_id,
        decided_at=link.decided_at,
    )


def _judge(fields: TagFields, *, own: Tag | None) -> None:
    names = [("name_en", fields.name_en), ("name_zh", fields.name_zh)]
    names += [("aliases", alias) for alias in fields.aliases]
    faults: dict[str, Problem] = {}
    for key, name in names:
        if problem := _name_problem(clean_line(name), own):
            faults.setdefault(key, problem)
    if faults:
        raise Invalid(faults)


def _name_problem(name: str, own: Tag | None) -> Problem | None:
    if not name:
        return Problem("content_empty", N_("Give the tag a name."))
    if len(name) > LONGEST_NAME:
        return Problem("content_too_long", N_("At most 80 characters."))
    if _is_taken(name, own):
        return Problem("name_taken", N_("Another tag is called that."))
    return None


def _is_taken(name: str, own: Tag | None) -> bool:
    meant = match(name)
    return meant is not None and (own is None or meant.id != own.id)


def _set_aliases(tag: Tag, names: list[str] | tuple[str, ...]) -> None:
    """The given spellings, folded; the tag's own names need no alias."""
    own = {folded(tag.slug), folded(tag.name_en), folded(tag.name_zh), ""}
    wanted = dict.fromkeys(name for name in map(folded, names) if name not in own)
    kept = {alias.name: alias for alias in tag.aliases}
    for name, alias in kept.items():
        if name not in wanted:
            tag.aliases.remove(alias)
    for name in wanted:
        if name not in kept:
            tag.aliases.append(TagAlias(name=name))


def mark_carriers(tag: Tag) -> None:
    """Have every asset with the tag indexed again, as it is found by the tag's names."""
    outbox.mark(session.scalars(select(AssetTag.asset_id).where(AssetTag.tag_id == tag.id)).all())


def by_slugs(slugs: list[str]) -> list[Tag]:
    """The tags of those slugs; unknown ones are left out."""
    return list(session.scalars(select(Tag).where(Tag.slug.in_(slugs)))) if slugs else []
