"""A channel that asks for something of every kind, for tests of what accounts are given."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

from schedules.channels.answers import Field, Receipt
from schedules.channels.base import Channel, Limits
from schedules.envelopes import Envelope, Way
from schedules.states import Outcome
from tests.schedules.carriers_in_memory import joined


class Curious(Channel):
    """Its realm is its app; its test answers what `says` gives."""

    slug = "curious"
    name = "Curious"
    needs = "Make an app at the carrier first."
    limits = Limits(text=500, per_minute=20)
    fields = (
        Field("app", "App", "From the carrier's console."),
        Field("secret", "Secret", is_secret=True),
        Field("spare", "Spare secret", is_secret=True, is_required=False),
        Field(
            "base_url", "Address", kind="url", is_required=False, default="https://93.184.216.34"
        ),
        Field("agents", "Employees", kind="list", is_required=False),
        Field("hours", "Hours", kind="number", is_required=False, default="24"),
        Field(
            "kind", "Kind", kind="choice", default="a", choices=(("a", "First"), ("b", "Second"))
        ),
        Field("loud", "Loud", kind="flag", is_required=False, default="yes"),
    )
    says: ClassVar[Callable[[Way], str]] = staticmethod(lambda way: "")

    def deliver(self, envelope: Envelope) -> Receipt:
        return Receipt(Outcome.ACCEPTED)

    def realm(self, way: Way) -> str:
        return f"curious:{way.settings.get('app')}"

    def test(self, way: Way) -> str:
        return type(self).says(way)


@contextmanager
def curious() -> Iterator[type[Curious]]:
    """The family has one member more inside."""
    with joined(Curious()):
        try:
            yield Curious
        finally:
            Curious.says = staticmethod(lambda way: "")


GIVEN = {
    "app": "app-1",
    "secret": "hush hush",
    "kind": "b",
    "agents": "ann, bob\nzhang",
    "loud": "",
}
