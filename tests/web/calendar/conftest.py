"""A week to plan in, with one slot of the pattern, and its planner signed in."""

from datetime import time

import pytest

from cms.core.db import transaction
from schedules import slots
from tests import factories as make
from tests.schedules.planning import World
from tests.signing_in import sign_in


@pytest.fixture
def world(client) -> World:
    world = World()
    theme = make.tag(slug="trust", name_en="Trust", hue=2)
    with transaction():
        slots.add(
            world.calendar,
            world.account,
            weekday=world.day.weekday(),
            wall_time=time(20, 30),
            wanted_theme=theme,
            by=None,
        )
    sign_in(client, world.planner)
    return world
