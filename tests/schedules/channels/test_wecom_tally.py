"""Whom employees have reached: one of them who cannot be asked costs the others nothing."""

import pytest

from schedules import addressing
from schedules.channels import wecom, wecom_tally, wecom_tasks
from schedules.channels.answers import EmployeeAnswer
from schedules.models import Publication
from schedules.states import HandOverState
from schedules.states import PublicationState as State
from tests.schedules.channels.corporation import Corporation, asked, sent

RESULT, SEEN_BY = "/get_groupmsg_send_result", "/get_moment_send_result"
NOT_READY, NOT_THEIRS = "errcode:41063", "errcode:41061"


def pressed(corporation: Corporation, channel: str) -> Publication:
    publication = sent(corporation.account(channel))
    corporation.advance(10)
    if channel == "wecom_moments":
        asked(publication, later=60)
    corporation.control("confirm")
    return publication


@pytest.mark.parametrize("word", [NOT_READY, NOT_THEIRS])
@pytest.mark.parametrize(("channel", "path"), [("wecom_mass", RESULT), ("wecom_moments", SEEN_BY)])
def test_one_who_can_never_be_asked_ends_after_the_deadline(
    corporation: Corporation, channel: str, path: str, word: str
) -> None:
    publication = pressed(corporation, channel)
    corporation.script(path, word, "ok")
    asked(publication)
    facts = publication.carrier_facts
    assert publication.state is State.PUBLISHED
    assert (len(facts["counted"]), facts["lagging"]) == (1, [])
    assert publication.poll_at is not None
    corporation.script(path, word)
    asked(publication, later=86_400)
    assert len(publication.carrier_facts["counted"]) == 1
    assert publication.poll_at is not None
    corporation.script(path, word)
    asked(publication, later=4 * 86_400)
    assert len(publication.carrier_facts["counted"]) == 2
    assert publication.poll_at is None


def asking(publication: Publication) -> tuple[wecom.Corporation, list[wecom_tally.Question]]:
    """One question for each employee, all of whom have pressed."""
    tasks = publication.carrier_facts["tasks"]
    questions = [
        wecom_tasks.question(tasks[who], EmployeeAnswer(who, HandOverState.CONFIRMED))
        for who in tasks
    ]
    return wecom.Corporation.of_way(addressing.way_of(publication.account)), questions


def test_who_lags_is_asked_again_though_another_is_never_ready(corporation: Corporation) -> None:
    corporation.control("results_late", seconds=3600)
    publication = pressed(corporation, "wecom_mass")
    office, questions = asking(publication)
    corporation.script(RESULT, NOT_READY, "ok")
    first = wecom_tally.tally(office, questions, {})
    assert (first.is_round, first.is_whole) == (True, False)
    assert {who for who, _row in first.rows} == {"wangwei"}
    corporation.advance(4000)
    corporation.script(RESULT, NOT_READY, "ok")
    second = wecom_tally.tally(office, questions, first.facts)
    assert second.facts["counted"] == ["wangwei"]


def test_those_never_ready_do_not_use_up_every_round(corporation: Corporation) -> None:
    publication = pressed(corporation, "wecom_mass")
    office, questions = asking(publication)
    corporation.script(RESULT, NOT_READY, "ok")
    first = wecom_tally.tally(office, questions, {}, calls=1)
    assert (first.rows, first.is_round) == ([], False)
    second = wecom_tally.tally(office, questions, first.facts, calls=1)
    assert (second.facts["counted"], second.is_round) == (["wangwei"], True)
