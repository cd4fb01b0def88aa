"""What tests of channels begin with: a corporation at WeCom, an Official Account."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from cms.core import config
from tests.demo_carriers import Start
from tests.schedules.channels.corporation import Corporation, running
from tests.schedules.channels.oa_desk import Desk


@pytest.fixture
def corporation(app: Flask, start_carriers: Start) -> Corporation:
    return running(start_carriers)


@pytest.fixture
def desk(start_carriers: Start) -> Desk:
    return Desk(start_carriers)


@pytest.fixture
def in_public(app: Flask) -> Iterator[None]:
    """An installation that carriers could fetch pictures from."""
    settings = app.config["SEEDBED"]
    config.use(replace(settings, base_url="https://seedbed.example.com"))
    yield
    config.use(settings)
