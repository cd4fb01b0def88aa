"""Demo carriers for the tests of what they call."""

from tests.schedules.channels.conftest import start_carriers

__all__ = ["start_carriers"]
