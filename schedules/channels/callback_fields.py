"""What an account whose carrier calls back is asked for, the same for all such carriers."""

from cms.core.errors import Problem
from cms.core.i18n import N_
from schedules.callbacks.cipher import is_key
from schedules.channels.answers import Field

TOKEN = "callback_secret"  # noqa: S105 - the name of a setting
KEY = "callback_key"
NO_KEY = N_("An EncodingAESKey has 43 letters and digits. Copy it again from the carrier's page.")


def _problem(text: str) -> Problem | None:
    """With another key every call of the carrier would be refused, long after it was typed."""
    return None if is_key(text) else Problem("bad_key", NO_KEY)


CALLBACK_FIELDS: tuple[Field, ...] = (
    Field(
        TOKEN,
        N_("Token for callbacks"),
        N_("The word you typed at the carrier beside our callback address."),
        is_secret=True,
        is_required=False,
    ),
    Field(
        KEY,
        "EncodingAESKey",
        N_("43 letters and digits from the same page. With it, only encrypted calls are taken."),
        is_secret=True,
        is_required=False,
        check=_problem,
    ),
)
