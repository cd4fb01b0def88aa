"""The demo WeCom refuses what the real one would: wrong sorts of uploads, long links, many tags."""

from dataclasses import replace
from typing import Any

import pytest

from cms.core.errors import Refused
from schedules import addressing
from schedules.channels import CHANNELS, wecom, wecom_mass, wecom_moments
from schedules.content import outgoing
from tests import factories as make
from tests.content_library.pictures import stored
from tests.schedules.channels.corporation import Corporation

LINK = {"title": "t", "url": "https://x.example/l", "desc": "d", "picurl": "https://x.example/p"}
LONGEST = {"title": 128, "desc": 512, "picurl": 2048, "url": 2048}


def office(corporation: Corporation) -> wecom.Corporation:
    account = corporation.account("wecom_mass")
    return wecom.Corporation.of_way(addressing.way_of(account))


def mass(link: dict[str, Any], **more: Any) -> dict[str, Any]:
    attachments = [{"msgtype": "link", "link": link}]
    return {"chat_type": "single", "sender": "lina", "attachments": attachments, **more}


@pytest.mark.parametrize("name", list(LONGEST))
def test_a_link_has_its_limits(corporation: Corporation, name: str) -> None:
    at = office(corporation)
    longest = LINK | {name: LINK[name].ljust(LONGEST[name], "x")}
    at.ask(wecom_mass.CREATE, mass(longest))
    with pytest.raises(Refused):
        at.ask(wecom_mass.CREATE, mass(longest | {name: longest[name] + "x"}))


def test_a_hundred_tags_and_no_more(corporation: Corporation) -> None:
    at = office(corporation)
    tags = ["tag-vip", *(f"tag-{number}" for number in range(99))]

    def narrowed(tags: list[str]) -> dict[str, Any]:
        return mass(LINK, tag_filter={"group_list": [{"tag_list": tags}]})

    at.ask(wecom_mass.CREATE, narrowed(tags))
    with pytest.raises(Refused):
        at.ask(wecom_mass.CREATE, narrowed([*tags, "one more"]))
    seen_by = {"external_contact_list": {"tag_list": [*tags, "one more"]}}
    with pytest.raises(Refused):
        at.ask(wecom_moments.CREATE, {"visible_range": seen_by, "text": {"content": "x"}})


@pytest.mark.parametrize(
    ("use", "query"),
    [
        (wecom.MEDIA, {"type": "file"}),
        (wecom.MEDIA, {}),
        (wecom.MOMENT, {"media_type": "file", "attachment_type": "1"}),
        (wecom.MOMENT, {"attachment_type": "1"}),
        (wecom.MOMENT, {"media_type": "image"}),
    ],
)
def test_an_upload_says_what_it_is(
    corporation: Corporation, use: wecom.Use, query: dict[str, str]
) -> None:
    account = corporation.account("wecom_mass")
    (picture,) = outgoing(make.post(account=account, media_ids=[stored().id])).pictures
    at, limits = office(corporation), CHANNELS.get("wecom_mass").limits
    with pytest.raises(Refused):
        at.uploaded(picture, replace(use, query=query), limits)
    assert at.uploaded(picture, use, limits)
