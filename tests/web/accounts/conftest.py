"""A channel that asks for something of every kind, and an account of it made through its form."""

from collections.abc import Iterator

import pytest

from schedules.models import ChannelAccount
from tests import factories
from tests.schedules.carriers_given import Curious, curious
from tests.web.accounts.forms import NEW, own, saved


@pytest.fixture
def channel() -> Iterator[type[Curious]]:
    with curious() as member:
        yield member


@pytest.fixture
def ours(client, admin, channel) -> ChannelAccount:
    """An account of the curious channel, made through its form."""
    answer = client.post(f"{NEW}/curious", data=own(factories.pool()))
    assert answer.status_code == 302
    return saved()
