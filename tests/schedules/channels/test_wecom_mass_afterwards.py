"""A WeCom mass message that employees have: stopped, not dropped, reminded of; its account tried."""

from datetime import timedelta

import pytest

from cms.accounts.models import Role
from cms.core import sealing
from cms.core.db import transaction
from cms.core.errors import Conflict
from schedules import addressing, carrying, decisions, wishes
from schedules.channels import CHANNELS, wecom
from schedules.channels.wecom_mass import WecomMass
from schedules.states import Outcome
from schedules.states import PublicationState as State
from tests import factories as make
from tests.schedules.channels.corporation import (
    Corporation,
    sent,
)

ADD = "/add_msg_template"


def channel() -> WecomMass:
    found = CHANNELS.get("wecom_mass")
    assert isinstance(found, WecomMass)
    return found


class TestAfterwards:
    def test_what_is_not_sent_can_be_stopped(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_mass"))
        corporation.advance(10)
        corporation.control("confirm", employee="lina")
        envelope = addressing.envelope_of(publication)
        for _ in range(2):
            receipt = channel().carry_withdrawal(envelope)
            assert receipt.outcome is Outcome.ACCEPTED
            assert receipt.reason == wecom.WHAT_WENT_STAYS
        corporation.control("confirm", employee="wangwei")
        assert [one["sender"] for one in corporation.shown("mass_sent")] == ["lina"]

    def test_a_task_that_some_have_is_not_dropped_in_silence(
        self, corporation: Corporation
    ) -> None:
        """One employee has the post, the other's try is in doubt: "cancelled" would be a lie."""
        corporation.script(ADD, "ok", "reset")
        publication = sent(corporation.account("wecom_mass"))
        operator = make.user(Role.OPERATOR)
        with transaction():
            publication.state = State.UNCERTAIN
        with pytest.raises(Conflict, match="then take it back") as refused, transaction():
            decisions.resolve_uncertain(publication, "drop", by=operator)
        assert refused.value.problem.code == "in_hand"
        with transaction():
            decisions.say_live(publication, by=operator)
            wishes.ask_withdrawal(publication, operator)
        carrying.carry(publication.id, worker="here")
        corporation.control("confirm")
        assert corporation.shown("mass_sent") == []

    def test_nobody_is_reminded_four_times_a_day(self, corporation: Corporation) -> None:
        publication = sent(corporation.account("wecom_mass"))
        corporation.advance(10)
        envelope = addressing.envelope_of(publication)
        outcomes = [channel().carry_reminder(envelope).outcome for _ in range(4)]
        assert outcomes == [Outcome.ACCEPTED] * 3 + [Outcome.REJECTED]
        corporation.control("confirm")
        assert channel().carry_reminder(envelope).outcome is Outcome.REJECTED
        assert len(corporation.shown("mass_reminder")) == 6

    def test_the_account_can_be_tested(self, corporation: Corporation) -> None:
        account = corporation.account("wecom_mass")
        assert channel().try_out(addressing.way_of(account)) == ""
        with transaction():
            account.sealed = sealing.seal({"corpsecret": "wrong-secret"})
        assert "secret is wrong" in channel().try_out(addressing.way_of(account))
        assert corporation.shown("") == []

    def test_it_is_polled_in_growing_steps(self) -> None:
        waits = list(channel().polls)
        assert waits[0] <= timedelta(minutes=1)
        assert waits == sorted(waits)
        assert waits[-1] > waits[0]
