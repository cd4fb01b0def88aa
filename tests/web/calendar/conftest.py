"""A week to plan in, its planner signed in, and one slot of its pattern where a test needs one."""

from datetime import time

import pytest
from flask.testing import FlaskClient

from cms.core.db import transaction
from schedules import slots
from tests import factories as make
from tests.schedules.planning import World
from tests.signing_in import sign_in


@pytest.fixture
def world(client: FlaskClient) -> World:
    world = World()
    sign_in(client, world.planner)
    return world


@pytest.fixture
def one_slot(world: World) -> None:
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
