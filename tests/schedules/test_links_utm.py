"""Campaign parameters: what is filled in, what is never overwritten, which rule applies."""

import pytest
from flask import Flask

from cms.core.db import session, transaction
from cms.core.errors import Invalid
from schedules import links, utm
from schedules.models import Publication, UtmRule
from schedules.utm import Facts, UtmFields
from tests import factories as make

FACTS = Facts(channel="slack", pool="java-1", stage="active", week="2026-w19", asset="7")
ALL = {"source": "{channel}", "medium": "chat", "campaign": "{stage}-{week}"}
TAGS = "utm_source=slack&utm_medium=chat&utm_campaign=active-2026-w19"


@pytest.mark.parametrize(
    ("url", "becomes"),
    [
        ("https://a.example/x", f"https://a.example/x?{TAGS}"),
        ("https://a.example", f"https://a.example?{TAGS}"),
        ("https://a.example/x?b=1", f"https://a.example/x?b=1&{TAGS}"),
        ("https://a.example/x?b=1&", f"https://a.example/x?b=1&{TAGS}"),
        ("https://a.example/x#top", f"https://a.example/x?{TAGS}#top"),
        ("https://a.example/x?q=%E6%98%A5+a%2Bb", f"https://a.example/x?q=%E6%98%A5+a%2Bb&{TAGS}"),
    ],
)
def test_they_are_added_and_nothing_else_changes(url: str, becomes: str) -> None:
    assert utm.tagged(url, ALL, FACTS) == becomes


def test_what_is_there_already_is_never_overwritten() -> None:
    url = "https://a.example/x?UTM_Source=poster&utm_medium="
    assert utm.tagged(url, ALL, FACTS) == f"{url}&utm_campaign=active-2026-w19"
    full = f"https://a.example/?{TAGS}"
    assert utm.tagged(full, ALL, FACTS) == full


def test_values_are_encoded() -> None:
    said = utm.tagged("https://a.example/", {"source": "春 & {pool}=#?"}, FACTS)
    assert said == "https://a.example/?utm_source=%E6%98%A5%20%26%20java-1%3D%23%3F"


def test_empty_templates_add_nothing() -> None:
    assert utm.tagged("https://a.example/", {"source": "", "medium": " "}, FACTS) == (
        "https://a.example/"
    )


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("{chanel}", "bad_place"),
        ("{}", "bad_place"),
        ("{pool", "bad_place"),
        ("pool}", "bad_place"),
        ("{{pool}}", "bad_place"),
        ("x" * 121, "content_too_long"),
    ],
)
def test_faults_stand_beside_their_field(app: Flask, template: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        utm.checked(UtmFields(medium="chat", campaign=template))
    assert {name: one.code for name, one in caught.value.fields.items()} == {"campaign": code}


def test_an_unknown_channel_is_refused(app: Flask) -> None:
    with pytest.raises(Invalid, match="Choose one of the channels"):
        utm.checked(UtmFields(channel="fax"))


class TestRules:
    @pytest.fixture
    def publication(self, app: Flask) -> Publication:
        pool = make.pool(slug="java-1", stage_id=make.stage(slug="silent").id)
        post = make.post(pool=pool, account=make.account(pool, channel="slack"))
        with transaction():
            links.make(post.publication, "https://a.example/c")
        return post.publication

    def save(self, **fields: object) -> UtmRule:
        with transaction():
            return utm.save(UtmFields(**fields), by=None)

    def address(self, publication: Publication) -> str:
        [link] = [one for one in publication.links if one.target]
        return utm.address_of(link)

    def test_without_a_rule_the_address_is_as_it_was(self, publication: Publication) -> None:
        assert self.address(publication) == "https://a.example/c"

    def test_a_channels_own_rule_comes_before_the_one_for_all_others(
        self, publication: Publication
    ) -> None:
        self.save(source="all")
        self.save(channel="telegram", source="telegram")
        assert self.address(publication) == "https://a.example/c?utm_source=all"
        self.save(channel="slack", source="own", medium="{pool}.{stage}.{asset}")
        assert self.address(publication) == (
            f"https://a.example/c?utm_source=own"
            f"&utm_medium=java-1.silent.{publication.post.asset_id}"
        )

    def test_a_rule_that_is_off_leaves_the_channel_to_the_others(
        self, publication: Publication
    ) -> None:
        self.save(source="all")
        rule = self.save(channel="slack", source="own", is_active=False)
        assert self.address(publication).endswith("utm_source=all")
        self.save(channel="slack")  # an empty rule that is on adds nothing
        assert self.address(publication) == "https://a.example/c"
        with transaction():
            utm.remove(rule, by=None)
        assert self.address(publication).endswith("utm_source=all")

    def test_a_channel_has_one_rule(self, publication: Publication) -> None:
        self.save(channel="slack", source="one")
        self.save(channel="slack", source="two")
        assert [rule.source for rule in session.query(UtmRule)] == ["two"]

    def test_it_costs_one_query(self, publication: Publication, count_queries) -> None:
        self.save(source="all")
        [link] = [one for one in publication.links if one.target]
        with count_queries() as statements:
            utm.address_of(link)
        assert len(statements) == 1
