"""Whom a WeCom task is for: what was typed becomes what is asked, and never a wider range in silence."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from cms.core.errors import Problem, Refused
from cms.core.i18n import N_
from cms.core.sentences import Sentence
from schedules.channels import wecom

_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
MOST_TAGS = 100
LISTS = ("invalid_sender_list", "invalid_external_contact_list")

NOT_A_NUMBER = N_(
    "Departments are given by their numbers at WeCom, and this is none: %(words)s. Write 3, not a "
    "name."
)
NOTHING_NAMED = N_("This names nobody. Empty it, or give names with commas between them.")
TOO_MANY_TAGS = N_("WeCom takes at most %(limit)s tags.")
NO_TAGS_FOR_GROUPS = N_(
    "Tags do not narrow customer groups: the post would go to all of them. Empty the tags, or send "
    "to customers."
)
NOT_TAKEN = N_(
    "WeCom did not take all of the account's range. Employees: %(employees)s; departments: "
    "%(departments)s; tags: %(tags)s."
)


def departments_problem(text: str) -> Problem | None:
    """A name among the numbers would be left out, and the rest, or everybody, would post."""
    strange = [one for one in wecom.listed(text) if not _NUMBER.fullmatch(one)]
    if strange:
        return Problem("not_a_number", NOT_A_NUMBER, {"words": ", ".join(strange)[:100]})
    return names_problem(text)


def names_problem(text: str) -> Problem | None:
    """Something is written, so somebody is meant."""
    is_vain = bool(text.strip()) and not wecom.listed(text)
    return Problem("nothing_named", NOTHING_NAMED) if is_vain else None


def tags_problem(text: str) -> Problem | None:
    if len(wecom.listed(text)) > MOST_TAGS:
        return Problem("too_many_tags", TOO_MANY_TAGS, {"limit": MOST_TAGS})
    return names_problem(text)


CHECKS: Mapping[str, Callable[[str], Problem | None]] = {
    "senders": names_problem,
    "departments": departments_problem,
    "tags": tags_problem,
}


def problems(settings: Mapping[str, Any]) -> tuple[Problem, ...]:
    """All that was typed and would be left out of what is asked."""
    found: list[Problem | None] = []
    for name, problem in CHECKS.items():
        given = settings.get(name) or ""
        found.append(problem(given if isinstance(given, str) else "\n".join(map(str, given))))
    if settings.get("chat_type") == "group" and wecom.listed(settings.get("tags")):
        found.append(Problem("no_tags_for_groups", NO_TAGS_FOR_GROUPS))
    return tuple(one for one in found if one)


def check(settings: Mapping[str, Any]) -> None:
    """Raise Refused, and pause the account, for the first of them."""
    for found in problems(settings):
        raise Refused(Sentence(found.message, found.params), pauses_account=True)


def visible(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Whose Moments, and whose eyes; saying nothing means everybody. Raises Refused as `check` does."""
    check(settings)
    found: dict[str, Any] = {}
    senders = wecom.listed(settings.get("senders"))
    departments = [int(one) for one in wecom.listed(settings.get("departments"))]
    tags = wecom.listed(settings.get("tags"))
    if senders or departments:
        found["sender_list"] = {"user_list": senders, "department_list": departments}
    if tags:
        found["external_contact_list"] = {"tag_list": tags}
    return found


def left_out(result: Mapping[str, Any]) -> dict[str, list[str]]:
    """The employees, departments and tags that WeCom says it did not take, those that there are."""
    found: dict[str, list[str]] = {}
    for lists in LISTS:
        told = result.get(lists)
        for name, values in told.items() if isinstance(told, dict) else ():
            if values := wecom.listed(values if isinstance(values, list) else []):
                found[name] = values
    return found


def told(left: Mapping[str, list[str]]) -> str:
    """In words what WeCom did not take; "" when it took everything."""
    if not any(left.values()):
        return ""
    kinds = {"employees": "user_list", "departments": "department_list", "tags": "tag_list"}
    return Sentence(
        NOT_TAKEN,
        {word: ", ".join(left.get(name) or ["–"])[:200] for word, name in kinds.items()},
    )
