"""What happened to a publication in trouble and what to do about it, in words; and the right buttons."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cms.core.i18n import N_
from schedules import (
    decisions,
    handover,
    late,
    progress,
    publishing,
    receipts,
    reconciling,
    reminders,
    wishes,
)
from schedules.inbox import Gathered, Trouble
from schedules.models import Publication


class Action(StrEnum):
    """What a person may do with a publication in trouble."""

    RETRY = "retry"
    LIVE = "live"
    AGAIN = "again"  # send again what may have arrived
    ABSENT = "absent"  # whoever was asked has not posted it: it is not there
    MOVE = "move"
    DROP = "drop"
    REMIND = "remind"  # whoever was asked and has not posted it
    TAKE_BACK = "take_back"  # what its carrier has


@dataclass(frozen=True)
class Advice:
    """`happened` with `params` says what went wrong, `to_do` what helps; both for translation."""

    happened: str
    to_do: str
    params: Mapping[str, Any]


ACTIONS: Mapping[Trouble, tuple[Action, ...]] = {
    Trouble.UNCERTAIN: (Action.LIVE, Action.AGAIN, Action.DROP),
    Trouble.FAILED: (Action.RETRY, Action.MOVE, Action.DROP, Action.LIVE),
    Trouble.HELD: (Action.RETRY, Action.MOVE, Action.DROP),
    Trouble.MISSED: (Action.RETRY, Action.MOVE, Action.DROP),
    Trouble.EXPIRED: (),  # by who has it, below
    Trouble.EXPIRING: (),  # likewise
    Trouble.WISH: (),
}

_HAPPENED = {
    Trouble.UNCERTAIN: N_("Nobody knows whether it arrived."),
    Trouble.EXPIRED: N_("Nobody has confirmed in time that it was posted."),
    Trouble.FAILED: receipts.REFUSED,
    Trouble.HELD: N_("It was held back just before it would have left."),
    Trouble.MISSED: N_("It could not go out in time."),
    Trouble.EXPIRING: N_("The time to confirm that it was posted is nearly over."),
    Trouble.WISH: N_("A change to a post that is live does not get through."),
}

# These say what to do as well, which stands here in a sentence of its own.
_SAID_SHORTER = {
    receipts.NOBODY_KNOWS: _HAPPENED[Trouble.UNCERTAIN],
    late.TOO_LATE: _HAPPENED[Trouble.MISSED],
    handover.NOT_CONFIRMED: _HAPPENED[Trouble.EXPIRED],
    receipts.REFUSED_LATER: N_("The carrier refused a later try; an earlier one may have arrived."),
    receipts.PARTLY_OUT: N_("Some have got it, and the rest could not be reached."),
    receipts.KEY_FORGOTTEN: N_(
        "An earlier try may have arrived, and is too long ago to be repeated safely."
    ),
    progress.NOBODY_CONFIRMED: _HAPPENED[Trouble.EXPIRED],
    progress.CARRIER_SILENT: N_("The carrier has not said in time whether it is live."),
}

_TO_DO = {
    Trouble.UNCERTAIN: N_(
        "Look at the carrier. If it is there, paste its link; if not, send it again, or drop it."
    ),
    Trouble.EXPIRED: N_(
        "Ask whoever was to post it. If it is live, confirm it with proof; if not, drop it."
    ),
    Trouble.FAILED: N_(
        "Read the carrier's answer in the log of the post, mend what it names, then try again, move it or drop it."
    ),
    Trouble.HELD: N_("Mend what is named here, then try again, move it or drop it."),
    Trouble.MISSED: N_(
        "If it still makes sense, publish it now; else move it to another time, or drop it."
    ),
    Trouble.EXPIRING: N_("Remind whoever was to post it."),
    Trouble.WISH: N_(
        "Open the post: its log says what the carrier answered. Do it there by hand, then let it be."
    ),
}

_REVISE = N_("Open the post, look at what changed, and have it approved again. Or move or drop it.")

_TO_DO_IN_HAND = N_(
    "Look at the carrier: some people have it in hand. Send again goes on with the rest; or say that "
    "it is live, then take it back."
)
_TO_DO_FIXED = N_(
    "Mend what is named here, then try again or drop it. It may be out already, so it cannot be moved."
)

_TO_DO_ABOUT = {
    receipts.CREDENTIALS: N_(
        "Renew the account's credentials in the settings, test it and resume it. Then try again."
    ),
    publishing.CHANGED: _REVISE,
    publishing.NOT_APPROVED: _REVISE,
    publishing.BROKEN: N_("Show the log to whoever looks after this installation, then try again."),
    reconciling.CRASHED: N_(
        "Trying again is safe for this carrier: it is asked first, or knows the post by its key. If workers die again, tell whoever looks after this installation."
    ),
    receipts.PARTLY_OUT: N_(
        "Read in the log why the rest was not reached. Send again goes on with the rest: nobody gets "
        "it twice."
    ),
    receipts.NOT_REACHED: N_(
        "Look whether the carrier works elsewhere. When it does, try again, move it or drop it."
    ),
    progress.NOBODY_CONFIRMED: N_(
        "Remind them, or ask them. If it is live, confirm it with proof; if not, take it back, so that nobody posts "
        "it later."
    ),
    progress.CARRIER_SILENT: N_(
        "Look at the carrier. If it is live, say so with proof; if not, say that it is not there."
    ),
    handover.DECLINED: N_(
        "Read the reason in the log of the post. Move it to another time, or drop it."
    ),
}


def actions_of(groups: Sequence[Gathered]) -> Mapping[int, tuple[Action, ...]]:
    """What may be done with each at one press, and would be heard."""
    movable = decisions.movable([one for group in groups for one in group.rows])
    return {
        one.id: _actions(group.cause.trouble, one, movable)
        for group in groups
        for one in group.rows
    }


def _actions(
    trouble: Trouble, publication: Publication, movable: Collection[int]
) -> tuple[Action, ...]:
    """What people were to post is confirmed with proof instead."""
    if trouble is Trouble.EXPIRING:
        return (Action.REMIND,) if reminders.problem(publication) is None else ()
    if trouble is not Trouble.EXPIRED:
        heard = {
            Action.MOVE: publication.id in movable,
            Action.DROP: decisions.can_drop(publication),
        }
        return tuple(one for one in ACTIONS[trouble] if heard.get(one, True))
    if publication.hand_overs and decisions.can_drop(publication):
        return (Action.DROP,)  # its holder declines it, so that they say why
    found = [Action.ABSENT] if decisions.can_be_absent(publication) else []
    found += [Action.REMIND] if reminders.problem(publication) is None else []
    found += [Action.TAKE_BACK] if wishes.can_be_taken_back(publication) else []
    return tuple(found)


def of(trouble: Trouble, publication: Publication, *, can_move: bool | None = None) -> Advice:
    """What to say about a publication's trouble; its own reason counts more than the usual one.

    Whoever knows already whether it can be moved spares a question.
    """
    if trouble in (Trouble.EXPIRING, Trouble.WISH) or not publication.reason:
        return Advice(_HAPPENED[trouble], _usual(trouble, publication, can_move), {})
    parts = publication.reason_parts or {"message": publication.reason, "params": {}}
    to_do = _TO_DO_ABOUT.get(parts["message"]) or _usual(trouble, publication, can_move)
    happened = _SAID_SHORTER.get(parts["message"], parts["message"])
    return Advice(happened, to_do, parts["params"])


def _usual(trouble: Trouble, publication: Publication, can_move: bool | None) -> str:
    """It names no button that would not be heard."""
    if trouble is Trouble.UNCERTAIN and not decisions.can_drop(publication):
        return _TO_DO_IN_HAND
    if trouble is Trouble.HELD:
        may = decisions.can_move(publication) if can_move is None else can_move
        return _TO_DO[trouble] if may else _TO_DO_FIXED
    return _TO_DO[trouble]
