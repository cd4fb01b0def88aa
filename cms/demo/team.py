"""Who works in the demo world and whom they speak to: users, stages, personas, pools, accounts, slots."""

from dataclasses import dataclass
from datetime import time
from typing import Any

from sqlalchemy import select

from audience import personas, pools, stages
from audience.models import PoolKind, StageGroup
from audience.personas import PersonaFields
from audience.pools import PoolFields
from audience.stages import StageFields
from cms.accounts import users
from cms.accounts.models import Role, User
from cms.core.config import current
from cms.core.db import session
from cms.demo import pack
from content_library import vocabulary
from content_library.vocabulary import TagFields
from schedules import accounts, calendars, slots
from schedules.accounts import AccountFields
from schedules.calendars import CalendarFields
from schedules.models import Calendar

# login, name, role. Who holds a persona is somebody else than who usually approves.
MEMBERS = (
    ("planner", "周予安", Role.PLANNER),
    ("operator", "许明朗", Role.OPERATOR),
    ("analyst", "顾听澜", Role.ANALYST),
    ("administrator", "沈砚", Role.ADMINISTRATOR),
    ("mengke", "孟可", Role.PLANNER),
    ("fang", "方晓棠", Role.OPERATOR),
)
ROLE_LOGINS = tuple(login for login, _name, role in MEMBERS if login == role.value)
HOLDERS = {"cen-lan": "mengke", "xiao-he": "fang", "lu-wendi": "mengke", "he-zhixia": "planner"}
PERSONA_ROLES = {
    "consultant": ("Course consultant", "课程顾问"),
    "service": ("Community service", "社群服务"),
    "lecturer": ("Lecturer", "主讲老师"),
    "career-coach": ("Career coach", "就业老师"),
}
# What carriers do that the pack's plain sandbox does not: one never answers, one always refuses.
SANDBOXES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("sandbox", "沙盒", {"class": "K", "script": "ok"}),
    ("sandbox-silent", "沙盒：从不应答", {"class": "N", "script": "uncertain"}),
    ("sandbox-strict", "沙盒：一概拒收", {"class": "K", "script": "reject"}),
)
SANDBOX_POOLS = ("group-active", "group-paying")
HUES = {slug: number for number, slug in enumerate(pack.THEMES, start=1)}


@dataclass(frozen=True)
class Rhythm:
    """One account's slots: the wanted theme of each weekday, Monday first; "" is no slot."""

    account: str
    at: time
    themes: tuple[str, str, str, str, str, str, str]


_D, _P, _T, _W, _A, _O, _0 = (
    "dry-goods",
    "prospects",
    "trust",
    "desire",
    "activity",
    "promotion",
    "",
)
MORNING, NOON, EVENING, SUPPER, LATE = time(8), time(12, 30), time(20, 30), time(18), time(22)
RHYTHMS = (
    Rhythm("reader-new", MORNING, (_D, _D, _P, _D, _D, _D, _P)),
    Rhythm("reader-new", NOON, (_T, _P, _D, _T, _A, _D, _T)),
    Rhythm("reader-new", EVENING, (_D, _T, _D, _A, _P, _A, _D)),
    Rhythm("reader-active", MORNING, (_D, _D, _D, _D, _D, _D, _D)),
    Rhythm("reader-active", NOON, (_P, _T, _D, _P, _T, _A, _D)),
    Rhythm("reader-active", EVENING, (_T, _D, _W, _O, _D, _T, _A)),
    Rhythm("moments-cen-lan", MORNING, (_D, _P, _D, _D, _T, _D, _D)),
    Rhythm("moments-cen-lan", SUPPER, (_T, _D, _A, _D, _O, _W, _T)),
    Rhythm("moments-cen-lan", EVENING, (_W, _D, _T, _D, _D, _P, _D)),
    Rhythm("reader-silent", NOON, (_D, _P, _D, _T, _D, _P, _T)),
    Rhythm("reader-silent", EVENING, (_T, _D, _O, _D, _W, _A, _D)),
    Rhythm("moments-lu-wendi", NOON, (_D, _D, _T, _D, _P, _D, _D)),
    Rhythm("moments-lu-wendi", LATE, (_P, _D, _D, _O, _T, _D, _W)),
    Rhythm("reader-dormant", EVENING, (_P, _D, _W, _P, _D, _O, _T)),
    Rhythm("reader-paying", MORNING, (_D, _D, _D, _D, _D, _D, _D)),
    Rhythm("reader-paying", LATE, (_D, _0, _W, _0, _D, _T, _0)),
    Rhythm("moments-xiao-he", NOON, (_0, _A, _0, _0, _A, _0, _A)),
)


def people() -> None:
    """The members of the team, marked as invented."""
    for login, name, role in MEMBERS:
        users.add(login, name, role, by=None).is_demo = True
    session.flush()  # the next steps look them up


def member(login: str) -> User:
    """The member of that login."""
    return session.scalars(select(User).where(User.login == login)).one()


def readers(by: User) -> None:
    """Stages with their tags, personas with their holders, and the pools."""
    raw = pack.read("audience.yaml")
    for row in raw["stages"]:
        fields = {key: value for key, value in row.items() if key not in ("slug", "group")}
        group = StageGroup(row["group"])
        stages.save_stage(row["slug"], StageFields(**fields, group=group), by=by, is_new=True)
    for row in raw["personas"]:
        role_en, role_zh = PERSONA_ROLES[row["role"]]
        holder = member(HOLDERS[row["slug"]])
        told = PersonaFields(
            row["name"], role_en, role_zh, row["bio_en"], row["bio_zh"], holder_id=holder.id
        )
        personas.add(told, by=by, slug=row["slug"])
    for row in raw["pools"]:
        stage = stages.find(row["stage"])
        pool = PoolFields(row["name"], PoolKind(row["kind"]), stage.id, row["size"])
        pools.add(pool, by=by, slug=row["slug"])


def words(by: User) -> None:
    """The tags in their groups; those of stages exist already, mirrored from the stages."""
    for row in pack.read("tags.yaml")["groups"]:
        group = vocabulary.ensure_group(
            row["slug"],
            name_en=row["name_en"],
            name_zh=row["name_zh"],
            position=row["position"],
        )
        if row["slug"] == vocabulary.STAGE_GROUP:
            continue
        for tag in row["tags"]:
            fields = TagFields(tag["name_en"], tag["name_zh"], hue=HUES.get(tag["slug"]))
            vocabulary.create(group, fields, by=by, slug=tag["slug"])


def ways_out(by: User) -> None:
    """The channel accounts of the pack, and three sandboxes of different temper."""
    for row in pack.read("audience.yaml")["channel_accounts"]:
        if row["channel"] == "sandbox":
            continue
        pool = pools.by_slug(row["pool"])
        persona = personas.by_slug(row["persona"]) if row.get("persona") else None
        fields = AccountFields(
            row["name"],
            row["channel"],
            persona_id=persona.id if persona else None,
            pool_ids=[pool.id] if pool else [],
        )
        accounts.add(fields, by=by, slug=row["slug"])
    reached = [found.id for slug in SANDBOX_POOLS if (found := pools.by_slug(slug))]
    for slug, name, settings in SANDBOXES:
        account = accounts.add(AccountFields(name, "sandbox", pool_ids=reached), by=by, slug=slug)
        account.settings = dict(settings)


def rhythm(by: User) -> Calendar:
    """The calendar and its weekly slots."""
    fields = CalendarFields("禾灯学堂", current().timezone)
    calendar = calendars.add(fields, by=by, slug="main")
    themes = {slug: vocabulary.find(slug) for slug in HUES}
    for row in RHYTHMS:
        account = accounts.by_slug(row.account)
        for weekday, theme in enumerate(row.themes):
            if account and theme:
                slots.add(
                    calendar,
                    account,
                    weekday=weekday,
                    wall_time=row.at,
                    wanted_theme=themes[theme],
                    by=by,
                )
    return calendar
