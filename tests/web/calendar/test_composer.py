"""The composer without scripts and by its JSON door: exact previews, counters in the carrier's unit."""

import json

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from audience.models import PoolKind
from cms.accounts.models import Role
from cms.core.db import session, transaction
from cms.core.text import Unit
from cms.web import previews
from content_library import media
from content_library.models import VersionMedia
from schedules import content, posts, slots, subscribers
from schedules.channels import CHANNELS
from schedules.models import ChannelAccount, Post
from tests import factories as make
from tests.content_library.pictures import png
from tests.schedules.planning import World
from tests.signing_in import sign_in

JSON = {"X-Requested-With": "fetch"}


def page_of(client: FlaskClient, post: Post, query: str = "") -> BeautifulSoup:
    answer = client.get(f"/calendar/posts/{post.id}{query}")
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def through(world: World, channel: str, **settings: str) -> ChannelAccount:
    return make.account(world.pool, channel=channel, settings=settings)


def ask(client: FlaskClient, post: Post, **fields: object) -> dict:
    answer = client.post(
        f"/calendar/posts/{post.id}/preview.json",
        data={"text": post.text, "revision": post.revision} | fields,
        headers=JSON,
    )
    assert answer.status_code == 200, answer.text
    return answer.json


def illustrated(**fields: object):
    """An article with a cover."""
    asset = make.asset(**fields)
    with transaction():
        kept = media.store(png(), "cover.png", by=None)
        version = asset.versions[0].id
        session.add(VersionMedia(version_id=version, media_id=kept.id, role="cover", alt="A tree"))
    return asset


class TestFrames:
    def test_every_channel_has_one(self) -> None:
        assert {one.slug for one in CHANNELS} == set(previews.FRAMES)

    @pytest.mark.parametrize(
        ("channel", "settings", "selector"),
        [
            ("reader", {}, ".article-preview"),
            ("manual", {}, ".chat"),
            ("sandbox", {}, ".chat"),
            ("webhook", {}, ".payload"),
            ("wecom_robot", {}, ".chat .chat__badge"),
            ("wecom_mass", {}, ".chat"),
            ("wecom_moments", {}, ".moments"),
            ("oa_publish", {}, ".official .official__card"),
            ("oa_mass", {}, ".official"),
            ("email", {}, ".letter"),
            ("feishu", {}, ".tool[data-carrier=feishu]"),
            ("dingtalk", {}, ".tool[data-carrier=dingtalk]"),
            ("slack", {}, ".tool[data-carrier=slack]"),
            ("telegram", {}, ".tool[data-carrier=telegram]"),
        ],
    )
    def test_each_carrier_is_drawn_in_its_own(
        self,
        client: FlaskClient,
        world: World,
        channel: str,
        settings: dict[str, str],
        selector: str,
    ) -> None:
        own = through(world, "reader")
        post = world.plan(asset=illustrated(html="<p>The whole article.</p>"), account=own)
        other = through(world, channel, **settings)
        pane = page_of(client, post, f"?on={other.id}").select_one("#pane")
        assert pane.select_one(selector) is not None
        words = post.text.split("\n")[0]
        assert words in pane.select_one(".preview").text

    def test_the_words_are_those_that_would_be_sent(
        self, client: FlaskClient, world: World
    ) -> None:
        """The same function draws and delivers: the text in the bubble is the text in the call."""
        for channel in ("wecom_robot", "telegram", "dingtalk", "wecom_mass"):
            post = world.plan(account=through(world, channel), on=world.day, at=_free(world))
            sent = CHANNELS.get(channel).render(content.outgoing(post)).text
            page = page_of(client, post)
            assert page.select_one("#pane .preview__text").text == sent
            assert page.select_one("#pane .preview__link").text == content.outgoing(post).link

    def test_a_letter_shows_its_subject_words_and_the_way_off_the_list(
        self, client: FlaskClient, world: World
    ) -> None:
        way = through(world, "email", sender_name="The school")
        with transaction():
            subscribers.add(way, "ann@example.com", by=None)
        post = world.plan(asset=illustrated(title="Three steps", summary="Read this."), account=way)
        letter = page_of(client, post).select_one("#pane .letter")
        assert letter.select_one(".letter__head dd").text == "The school"
        assert letter.select_one(".letter__head .strong").text == "Three steps"
        body = letter.select_one(".letter__body")
        assert body.select_one(".letter__title").text == "Three steps"
        for words in ("Read this.", "Read on", "Unsubscribe", "The school"):
            assert words in body.text
        assert body.select_one("img")["src"].startswith("/media/")
        assert not body.select("a, style, [style]")

    def test_a_message_is_laid_out_and_complete(self, client: FlaskClient, world: World) -> None:
        post = world.plan(account=through(world, "webhook"), text="春天 <b>")
        shown = json.loads(page_of(client, post).select_one("#pane .payload").text)
        sent = CHANNELS.get("webhook").render(content.outgoing(post)).payload
        assert shown == json.loads(sent)

    def test_moments_of_a_pool_are_drawn_as_moments(
        self, client: FlaskClient, world: World
    ) -> None:
        pool = make.pool(kind=PoolKind.MOMENTS)
        post = world.plan(pool=pool, account=make.account(pool, channel="manual"))
        assert page_of(client, post).select_one("#pane .moments") is not None

    def test_markdown_of_a_robot_is_laid_out_and_runs_nothing(
        self, client: FlaskClient, world: World
    ) -> None:
        way = through(world, "wecom_robot", style="markdown")
        post = world.plan(account=way, text="**bold** <script>alert(1)</script>")
        pane = page_of(client, post).select_one("#pane .chat__said")
        assert pane.select_one("strong").text == "bold"
        assert pane.select_one("script") is None


def _free(world: World):
    world.hour = getattr(world, "hour", 6) + 2
    return slots.time(world.hour)


class TestCounter:
    @pytest.mark.parametrize(
        ("channel", "unit", "used", "words"),
        [
            ("manual", Unit.CHARACTERS, 2, "characters"),
            ("wecom_robot", Unit.BYTES, 8, "bytes"),
            ("telegram", Unit.UTF16, 4, "an emoji counts two"),
        ],
    )
    def test_it_counts_in_the_carriers_own_unit(
        self,
        client: FlaskClient,
        world: World,
        channel: str,
        unit: Unit,
        used: int,
        words: str,
    ) -> None:
        settings = {"style": "text"} if channel == "wecom_robot" else {}
        post = world.plan(account=through(world, channel, **settings), text="😀😀")
        link = len(f"\n{content.outgoing(post).link}")
        counter = ask(client, post)["counter"]
        assert (counter["unit"], counter["used"]) == (unit.value, used + link)
        assert counter["extra"] == link  # what the page adds to its own count between two answers
        assert words in counter["words"]
        assert page_of(client, post).select_one(".field__count").text == counter["words"]

    def test_it_warns_from_nine_tenths_on(self) -> None:
        tones = [previews.Meter(used, 1000, Unit.BYTES).tone for used in (899, 900, 1000, 1001)]
        assert tones == ["fine", "near", "near", "over"]

    def test_what_is_too_long_says_so_before_it_is_saved(
        self, client: FlaskClient, world: World
    ) -> None:
        post = world.plan(account=through(world, "wecom_robot", style="text"))
        said = ask(client, post, text="长" * 700)
        assert said["counter"]["tone"] == "over"
        assert any("Too long for" in one for one in said["problems"])
        assert 'data-tone="over"' in said["html"]
        session.expire_all()
        assert "长" not in post.text


class TestChanges:
    def test_the_appended_link_is_told(self, client: FlaskClient, world: World) -> None:
        for channel in ("manual", "wecom_robot", "telegram"):
            post = world.plan(account=through(world, channel), at=_free(world))
            notes = page_of(client, post).select_one(".preview-notes").text
            assert "The link is added as the last line." in notes

    def test_what_a_carrier_leaves_out_is_told(self, client: FlaskClient, world: World) -> None:
        post = world.plan(account=through(world, "wecom_robot", style="text"), asset=illustrated())
        with transaction():
            picture = post.version.media_links[0].media_id
            posts.edit(
                post,
                text=post.text,
                media_ids=[picture],
                expected_revision=post.revision,
                by=None,
            )
        notes = page_of(client, post).select_one(".preview-notes__list").text
        assert "a robot's text takes none" in notes

    def test_a_carrier_that_changes_nothing_lists_nothing(
        self, client: FlaskClient, world: World
    ) -> None:
        post = world.plan()
        assert page_of(client, post).select_one(".preview-notes__list") is None


class TestElsewhere:
    def test_every_account_is_offered_with_its_own_counter(
        self, client: FlaskClient, world: World
    ) -> None:
        own, near = through(world, "manual"), through(world, "telegram")
        far = make.account(make.pool(), channel="oa_publish")
        post = world.plan(account=own)
        rows = {row["data-on"]: row.text for row in page_of(client, post).select(".elsewhere__one")}
        assert next(iter(rows)) == str(own.id)
        assert {str(own.id), str(near.id), str(far.id)} <= set(rows)
        assert "its own" in rows[str(own.id)]
        assert "reaches this pool" in rows[str(near.id)]
        assert "reaches this pool" not in rows[str(far.id)]
        assert "/ 4,096 characters (an emoji counts two)" in rows[str(near.id)]
        assert "1 problem" in rows[str(far.id)]  # an article without a cover

    def test_looking_elsewhere_changes_nothing(self, client: FlaskClient, world: World) -> None:
        post = world.plan(account=through(world, "manual"))
        other = through(world, "slack")
        page = page_of(client, post, f"?on={other.id}")
        assert page.select_one(".pane")["data-on"] == str(other.id)
        assert page.select_one(".elsewhere__one[aria-current]")["data-on"] == str(other.id)
        assert page.select_one(".tool[data-carrier=slack]") is not None
        session.expire_all()
        assert (post.account.channel, post.revision) == ("manual", 1)

    @pytest.mark.parametrize("on", ["", "nonsense", "999999", "-1", "9" * 30])
    def test_an_account_that_is_not_there_means_its_own(
        self, client: FlaskClient, world: World, on: str
    ) -> None:
        post = world.plan(account=through(world, "manual"))
        pane = page_of(client, post, f"?on={on}").select_one(".pane")
        assert pane["data-on"] == str(post.account_id)

    def test_retired_accounts_are_not_offered(self, client: FlaskClient, world: World) -> None:
        gone = through(world, "slack")
        with transaction():
            gone.retired_at = gone.created_at
        post = world.plan()
        assert page_of(client, post).select_one(f'[data-on="{gone.id}"]') is None


class TestWithoutScripts:
    def test_typed_words_are_drawn_and_not_saved(self, client: FlaskClient, world: World) -> None:
        post = world.plan(account=through(world, "manual"))
        before = post.text
        data = {"text": "Quite other words", "revision": post.revision, "do": "preview"}
        answer = client.post(f"/calendar/posts/{post.id}", data=data)
        page = BeautifulSoup(answer.text, "html.parser")
        assert answer.status_code == 200
        assert page.select_one("#pane .preview__text").text.startswith("Quite other words\n")
        assert page.select_one("textarea[name=text]").text.strip() == "Quite other words"
        session.expire_all()
        assert post.text == before

    def test_the_place_where_a_post_is_planned_draws_it_too(
        self, client: FlaskClient, world: World
    ) -> None:
        robot = through(world, "wecom_robot", style="text")
        asset = make.asset(title="Three steps")
        slot = slots.Place(world.day, slots.time(9), world.pool.id, robot.id).name
        page = client.get(f"/calendar/posts/new?asset={asset.id}&slot={slot}").text
        pane = BeautifulSoup(page, "html.parser").select_one(".pane")
        assert pane["data-on"] == str(robot.id)
        assert "Three steps" in pane.select_one(".bubble").text
        assert pane.select_one(".preview__link").text.startswith("http://localhost/l/")
        data = {"asset": asset.id, "slot": slot, "text": "My words", "do": "preview"}
        again = BeautifulSoup(client.post("/calendar/posts", data=data).text, "html.parser")
        assert again.select_one(".pane .bubble").text.startswith("My words\n")
        assert session.query(Post).count() == 0

    def test_without_a_place_it_says_what_to_choose(
        self, client: FlaskClient, world: World
    ) -> None:
        asset = make.asset()
        page = client.get(f"/calendar/posts/new?asset={asset.id}").text
        pane = BeautifulSoup(page, "html.parser").select_one(".pane")
        assert pane["data-on"] == str(world.account.id)  # the pool that browsers show first
        with transaction():
            world.pool.is_active = world.other_pool.is_active = False
        page = client.get(f"/calendar/posts/new?asset={asset.id}").text
        assert "Choose a slot, or a pool and a time" in page


class TestJsonDoor:
    def test_a_plan_is_drawn_while_it_is_written(self, client: FlaskClient, world: World) -> None:
        robot = through(world, "wecom_robot", style="text")
        asset = make.asset()
        slot = slots.Place(world.day, slots.time(9), world.pool.id, robot.id).name
        data = {"asset": asset.id, "slot": slot, "text": "长" * 700}
        said = client.post("/calendar/posts/preview.json", data=data, headers=JSON).json
        assert said["counter"]["tone"] == "over"
        assert said["on"] == robot.id
        empty = client.post("/calendar/posts/preview.json", data={"asset": asset.id}, headers=JSON)
        assert "Choose a slot" in empty.json["html"]

    def test_words_nobody_can_see_are_a_problem(self, client: FlaskClient, world: World) -> None:
        post = world.plan(account=through(world, "manual"))
        said = ask(client, post, text=" \u200b ")
        assert said["problems"] == ["There is nothing to read here. Write something."]

    def test_endless_words_are_refused_at_once(self, client: FlaskClient, world: World) -> None:
        post = world.plan()
        answer = client.post(
            f"/calendar/posts/{post.id}/preview.json", data={"text": "a" * 50_001}, headers=JSON
        )
        assert (answer.status_code, answer.json["error"]) == (422, "content_too_long")

    def test_fields_not_offered_are_refused(self, client: FlaskClient, world: World) -> None:
        post = world.plan()
        data = {"text": "x", "account": "3"}
        answer = client.post(f"/calendar/posts/{post.id}/preview.json", data=data, headers=JSON)
        assert (answer.status_code, answer.json["error"]) == (422, "unknown_field")

    def test_only_who_writes_may_ask(self, client: FlaskClient, world: World) -> None:
        post = world.plan()
        sign_in(client, make.user(Role.ANALYST))
        for path in (f"{post.id}/preview.json", "preview.json"):
            assert client.post(f"/calendar/posts/{path}", headers=JSON).status_code == 403

    def test_it_needs_the_forms_own_proof(
        self, app: Flask, client: FlaskClient, world: World
    ) -> None:
        post = world.plan()
        app.config["WTF_CSRF_ENABLED"] = True
        try:
            answer = client.post(f"/calendar/posts/{post.id}/preview.json", headers=JSON)
        finally:
            app.config["WTF_CSRF_ENABLED"] = False
        assert (answer.status_code, answer.json["error"]) == (400, "form_expired")

    def test_nothing_typed_runs(self, client: FlaskClient, world: World) -> None:
        post = world.plan(account=through(world, "manual"))
        said = ask(client, post, text="<script>alert(1)</script>{{7*7}}")
        assert "<script>" not in said["html"]
        assert "{{7*7}}" in said["html"]


class TestCost:
    def test_many_accounts_ask_as_much_as_few(
        self, client: FlaskClient, world: World, count_queries
    ) -> None:
        post = world.plan(account=through(world, "manual"))
        for channel in ("email", "webhook", "slack"):
            through(world, channel)
        page_of(client, post)
        with count_queries() as few:
            page_of(client, post)
        for channel in ("manual", "slack", "telegram", "oa_publish", "dingtalk", "feishu"):
            through(world, channel)
        with count_queries() as many:
            page_of(client, post)
        assert len(many) == len(few)
        assert len(many) < 60
