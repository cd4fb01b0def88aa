"""A small world with a known truth: one tag that more than doubles responses, one asset that lacks it by mistake."""

from datetime import timedelta
from random import Random

from audience.models import StageGroup
from cms.core.clock import now
from cms.core.db import session, transaction
from content_library.models import Asset, AssetTag, Tag, TagSource
from feedback import events, scores
from feedback.models import Rollup
from schedules.models import Post, Publication
from schedules.states import PublicationState
from tests import factories as make


class World:
    """24 assets, six tags of which `strong` lifts responses 2.6 times; `mistagged` deserves it and lacks it."""

    def __init__(self, seed: int = 3) -> None:
        self.chance = Random(seed)
        self.tags: list[Tag] = [make.tag("theme", slug=f"theme-{n}") for n in range(6)]
        self.strong = self.tags[0]
        self.pools = [
            make.pool(size=800, stage_id=make.stage(group=group).id) for group in StageGroup
        ]
        self.account = make.account(*self.pools)
        self.calendar = make.calendar()
        self.assets: list[Asset] = []
        self.truth: dict[int, set[int]] = {}
        for n in range(24):
            true = {0} if n % 3 == 0 else set()
            true.add(1 + n % 5)
            asset = make.asset()
            recorded = true - {0} if n == 0 else true
            with transaction():
                for tag in sorted(recorded):
                    session.add(
                        AssetTag(
                            asset_id=asset.id,
                            tag_id=self.tags[tag].id,
                            source=TagSource.RULE,
                            confidence=1.0,
                            decided_at=now(),
                        )
                    )
            self.assets.append(asset)
            self.truth[asset.id] = true
        self.mistagged = self.assets[0]
        self.publish()

    def publish(self) -> None:
        """Each asset to each pool three times over the last weeks, with responses drawn from truth."""
        with transaction():
            rows = [
                self._post(asset, pool, n)
                for n in range(3)
                for asset in self.assets
                for pool in self.pools
            ]
            session.add_all(rows)
            session.flush()
            session.add_all(rollup for post in rows for rollup in self._responses(post))
            session.flush()
            scores.refresh([asset.id for asset in self.assets])

    def _post(self, asset: Asset, pool, n: int) -> Post:
        at = (now() - timedelta(days=16 + 3 * n)).replace(hour=[0, 4, 12][n], minute=0)
        post = Post(
            calendar_id=self.calendar.id,
            pool_id=pool.id,
            account_id=self.account.id,
            asset_id=asset.id,
            version_id=asset.versions[0].id,
            publish_at=at,
            wall_date=at.date(),
            wall_time=(at + timedelta(hours=8)).time().replace(microsecond=0),
            zone="Asia/Shanghai",
            created_at=at,
            updated_at=at,
        )
        post.publication = Publication(
            account_id=self.account.id,
            pool_id=pool.id,
            state=PublicationState.PUBLISHED,
            due_at=at,
            late_after=at,
            idempotency_key=f"k{asset.id}-{pool.id}-{n}",
            public_id=f"p{asset.id}-{pool.id}-{n}",
            reach=800,
            published_at=at,
            updated_at=at,
        )
        return post

    def _responses(self, post: Post) -> list[Rollup]:
        stage = 1.0 - 0.25 * self.pools.index(post.pool)
        lift = 2.6 if 0 in self.truth[post.asset_id] else 1.0
        made = []
        for kind, base in (
            ("click", 0.06 * lift),
            ("collect", 0.02 * lift),
            ("comment", 0.006 * lift),
        ):
            number = sum(self.chance.random() < base * stage for _ in range(800))
            made.append(
                Rollup(
                    publication_id=post.publication.id,
                    day=events.day_of(post.publish_at),
                    kind=kind,
                    raw=number,
                    counted=number,
                    confirmed=number // 2,
                    people=number,
                )
            )
        return made
