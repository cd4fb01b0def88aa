"""What a carrier's answer may hold, and what of it reaches the ledger."""

import pytest

from cms.core.http import Answer
from schedules.channels import wire
from schedules.channels.calling import Reply
from schedules.states import Outcome


def reply(body: bytes, status: int = 200) -> Reply:
    return Reply(Answer(status, {}, body, "https://carrier.example/"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (rb'{"id": "a\u0000b"}', {"id": "ab"}),
        (rb'{"id": "a\ud800b", "\u0000": ["\udfffx", 7]}', {"id": "ab", "": ["x", 7]}),
        (rb'{"id": "\ud83c\udf38 \\u0000"}', {"id": "🌸 \\u0000"}),
        (b'{"id": "\xff"}', {}),
        (b'{"id": "\xed\xa0\x80b"}', {"id": "b"}),
        ('{"id": "a\\u0000b"}'.encode("utf-16"), {"id": "ab"}),
        (b'{"id": "7", "of": NaN, "rate": 1e999}', {"id": "7", "of": None, "rate": None}),
        (b"[" * 100_000, {}),
        (b"[1]", {}),
        (b"", {}),
    ],
)
def test_nothing_of_an_answer_breaks_a_row(body: bytes, said: dict[str, object]) -> None:
    """A yes that no database takes would be asked for again and again, or sent again."""
    assert reply(body).json() == said


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(408, Outcome.UNCERTAIN), (400, Outcome.REJECTED), (502, Outcome.UNCERTAIN)],
)
def test_a_server_that_gave_up_waiting_may_have_read_it_all(status: int, outcome: Outcome) -> None:
    assert wire.receipt_from(reply(b"", status)).outcome is outcome
