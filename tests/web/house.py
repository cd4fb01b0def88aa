"""A house with one of everything in it, so that a test can walk every route with ids that exist."""

from datetime import time
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from audience.models import Pool
from cms.accounts import tokens
from cms.accounts.models import Role
from cms.core.clock import now
from cms.core.db import session, transaction
from content_library import media, tags
from content_library.models import Asset, VersionMedia
from feedback import comments, model_runs
from feedback.models import Suggestion
from feedback.visitors import Visitor
from schedules import blackouts, slots, stops, subscribers, utm
from schedules.blackouts import BlackoutFields, Edge
from schedules.models import HandOver, Post, Publication, SlotTemplate
from schedules.states import StopScope
from schedules.stops import StopFields
from schedules.utm import UtmFields
from tests import factories as make
from tests.content_library.pictures import png
from tests.feedback import live
from tests.schedules.planning import World
from tests.schedules.ready import given
from tests.signing_in import sign_in


class House:
    """Signed in is an administrator, who may open every door."""

    def __init__(self, client: FlaskClient) -> None:
        self.admin = make.user(Role.ADMINISTRATOR)
        self.client = sign_in(client, self.admin)
        self.world = World()
        self.asset: Asset = make.asset()
        self.post: Post = self.world.plan(asset=self.asset)
        self.live: Publication = live.publication()
        self.pack: HandOver = given(self.world.planner)
        self.pool: Pool = self.world.pool
        self.list = self._list()
        self.places = self._places() | self._library() | self._feedback() | self._controls()

    def _places(self) -> dict[str, Any]:
        with transaction():
            made = slots.add(
                self.world.calendar, self.world.account, weekday=0, wall_time=time(9), by=None
            )
        with transaction():
            token = tokens.issue(tokens.Purpose.SIGN_IN, self.world.planner)
        template = session.get(SlotTemplate, made.id)
        return {
            "post_id": self.post.id,
            "publication_id": self.live.id,
            "hand_over_id": self.pack.id,
            "template_id": template.id if template else 0,
            "account_id": self.world.account.id,
            "channel": "oa_mass",  # asks for something of every kind
            "pool_id": self.pool.id,
            "stage_id": self.pool.stage_id,
            "persona_id": make.persona().id,
            "user_id": make.user().id,
            "monday": self.world.monday.isoformat(),
            "token": token,
            "feed_token": self.pool.feed_token,
            "public_id": self.live.public_id,
            "code": self.live.links[0].code,
            "link_id": self.live.links[0].id,
            "picture": "svg",
        }

    def _controls(self) -> dict[str, Any]:
        """A stop of an account that nobody uses: nothing in the house waits for it."""
        starts, ends = (Edge(self.world.day, time(hour)) for hour in (2, 4))
        drill = StopFields(StopScope.ACCOUNT, "drill", account_id=make.account().id)
        with transaction():
            stop = stops.raise_stop(drill, by=self.admin)
            dark = blackouts.add(BlackoutFields(starts, ends, "fair"), by=self.admin)
            tags = utm.save(UtmFields(source="{channel}"), by=self.admin)
        return {"stop_id": stop.id, "blackout_id": dark.id, "rule_id": tags.id}

    def _library(self) -> dict[str, Any]:
        tag = make.tag()
        with transaction():
            change = tags.apply(self.asset, tag, by=self.admin)
            picture = media.store(png(), "cover.png", by=None)
            version = self.live.post.version_id
            session.add(VersionMedia(version_id=version, media_id=picture.id, role="cover", alt=""))
        assert change is not None
        return {
            "asset_id": self.asset.id,
            "number": 1,
            "tag_id": tag.id,
            "change_id": change.id,
            "sha256": picture.sha256,
            "sha": picture.sha256,
            "rendition": "card",
            "kind": "article",
        }

    def _feedback(self) -> dict[str, Any]:
        who, tag = Visitor("a" * 32, "cookie", "b" * 32), make.tag()
        with transaction():
            run = model_runs.request(by=None)
            said = comments.write(self.live, comments.Draft("Eve", "Well said", "once"), who)
            one = Suggestion(
                asset_id=self.asset.id,
                tag_id=tag.id,
                action="add",
                probability=0.9,
                run_id=run.id,
                created_at=now(),
            )
            session.add(one)
        return {"run_id": run.id, "comment_id": said.id, "suggestion_id": one.id}

    def _list(self) -> dict[str, Any]:
        account = make.account(channel="email")
        with transaction():
            subscribers.add(account, "ann@example.com", by=None)
        [one] = session.scalars(subscribers.of_account(account))
        return {"account_id": account.id, "subscriber_id": one.id}

    def path(self, rule: Rule, **other: Any) -> str:
        """The rule's path with every place filled by a row that exists."""
        known = self.places | (self.list if "subscriber" in rule.endpoint else {})
        values = {name: known[name] for name in rule.arguments} | other
        built = rule.build(values)
        assert built is not None
        return built[1]


def rules(app: Flask, method: str) -> list[Rule]:
    """Every route that answers to the method, but for the developers' style guide and for what
    carriers call, which is no form."""
    others = ("static", "styleguide", "callbacks")
    return [
        rule
        for rule in app.url_map.iter_rules()
        if method in (rule.methods or ()) and not rule.endpoint.startswith(others)
    ]
