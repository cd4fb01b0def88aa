"""The channel `manual`: a person posts the pack by hand, where no carrier offers a way in."""

from cms.core.i18n import N_
from schedules.channels.answers import BY_OWN_LINK
from schedules.channels.base import CANNOT_TEST, Channel, Confirmation, Limits, Receipt, Repeat
from schedules.envelopes import Envelope
from schedules.states import Outcome


class Manual(Channel):
    """Nothing leaves the house here: the ledger hands the pack over when it records this receipt."""

    slug = "manual"
    name = N_("By hand (Moments)")
    limits = Limits(text=2000, pictures=9)
    repeat = Repeat.KEYED
    confirmation = Confirmation.PERSON
    gives = BY_OWN_LINK
    untested = CANNOT_TEST

    def deliver(self, envelope: Envelope) -> Receipt:
        return Receipt(Outcome.ACCEPTED)
