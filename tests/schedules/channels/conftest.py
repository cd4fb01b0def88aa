"""What tests of channels begin with: a corporation at WeCom."""

import pytest
from flask import Flask

from tests.demo_carriers import Start
from tests.schedules.channels.corporation import Corporation, running


@pytest.fixture
def corporation(app: Flask, start_carriers: Start) -> Corporation:
    return running(start_carriers)
