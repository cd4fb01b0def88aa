"""Which two calls are the same one: a repeat is dropped, another event of that second is not."""

import pytest

from schedules.callbacks import inbox

EVENT = {"FromUserName": "sys", "CreateTime": "1771120000", "Event": "customer_acquisition"}
DELETED = {**EVENT, "ChangeType": "delete_link"}


def test_a_repeat_is_the_same_call() -> None:
    call = {**DELETED, "LinkId": "cawcde1"}
    assert inbox.key_of(call) == inbox.key_of(dict(reversed(call.items())))


@pytest.mark.parametrize("name", ["LinkId", "ExternalUserID", "ChatId", "Id", "UserID"])
def test_two_objects_in_one_second_are_two_calls(name: str) -> None:
    one, other = ({**DELETED, name: number} for number in ("cawcde1", "cawcde2"))
    assert inbox.key_of(one) != inbox.key_of(other)
