"""The emergency stop and the dry run at a terminal."""

from datetime import timedelta

import pytest

from cms.core.clock import now
from schedules import stops
from schedules.states import StopScope
from tests import factories as make
from tests.schedules.ready import approved, submitted


@pytest.fixture
def flask(app):
    runner = app.test_cli_runner()
    return lambda *words: runner.invoke(args=list(words))


def test_stopping_and_lifting(flask):
    account = make.account(slug="mei")
    assert flask("stop", "account", "mei", "--reason", "wrong price").exit_code == 0
    assert flask("stop", "channel", "email", "--reason", "list was wrong").exit_code == 0
    answer = flask("stop", "all", "--reason", "fire \x1b[2J")
    assert "everything" in answer.output
    assert "\x1b" not in answer.output
    assert [(one.scope, one.account_id) for one in stops.in_force()] == [
        (StopScope.ACCOUNT, account.id),
        (StopScope.CHANNEL, None),
        (StopScope.ALL, None),
    ]
    first = stops.in_force()[0]
    assert "wrong price" in flask("stop", "list").output
    assert flask("stop", "lift", str(first.id)).exit_code == 0
    assert len(stops.in_force()) == 2
    assert flask("stop", "lift").exit_code == 0
    assert stops.in_force() == []
    assert "nothing is stopped" in flask("stop", "lift").output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("all",), "--reason"),
        (("all", "--reason", " "), "Say why"),
        (("channel", "pigeon", "--reason", "x"), "there are: reader"),
        (("account", "nobody", "--reason", "x"), "no channel account"),
        (("lift", "99"), "no stop 99"),
    ],
)
def test_what_makes_no_sense_stops_nothing(flask, words, told):
    answer = flask("stop", *words)
    assert answer.exit_code != 0
    assert told in answer.output
    assert stops.in_force() == []


def test_the_dry_run_prints_every_post_with_its_reason(flask):
    at = now() + timedelta(minutes=30)
    approved(publish_at=at, asset=make.asset(title="Goes \x1b[2J"))
    submitted(publish_at=at, asset=make.asset(title="Waits"))
    answer = flask("dry-run")
    assert "2 posts until" in answer.output
    assert "1 goes out, 0 late, 1 stays" in answer.output
    assert "It waits for approval." in answer.output
    assert "\x1b" not in answer.output
    assert "Goes" not in flask("dry-run", "--verdict", "stays").output
