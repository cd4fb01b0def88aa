"""What tests of channels begin with: a corporation at WeCom, an Official Account."""

import pytest
from flask import Flask

from tests.demo_carriers import Start
from tests.schedules.channels.corporation import Corporation, running
from tests.schedules.channels.oa_desk import Desk


@pytest.fixture
def corporation(app: Flask, start_carriers: Start) -> Corporation:
    return running(start_carriers)


@pytest.fixture
def desk(start_carriers: Start) -> Desk:
    return Desk(start_carriers)
