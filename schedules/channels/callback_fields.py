"""What an account whose carrier calls back is asked for, the same for all such carriers."""

from cms.core.i18n import N_
from schedules.channels.answers import Field

TOKEN = "callback_secret"  # noqa: S105 - the name of a setting
KEY = "callback_key"

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
    ),
)
