"""Orders of assets by what readers did, for the library's lists and search."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, select

from cms.core.db import session
from cms.core.i18n import N_
from content_library.models import Asset
from content_library.rankings import RankedValue, Ranking
from feedback.models import AssetScore
from feedback.rates import Rate


class _ByScore(Ranking):
    """Joins an asset's totals; assets never published stay in and come last."""

    def join(self, rows: Select[Any]) -> Select[Any]:
        return rows.outerjoin(AssetScore, AssetScore.asset_id == Asset.id)

    def values(self, asset_ids: Collection[int]) -> dict[int, RankedValue]:
        found = session.scalars(select(AssetScore).where(AssetScore.asset_id.in_(asset_ids)))
        return {score.asset_id: self._value(score) for score in found if score.publications}

    def _value(self, score: AssetScore) -> RankedValue:
        raise NotImplementedError


class ClickRate(_ByScore):
    """By the lower end of the interval: a lucky few readers do not lead the list."""

    slug = "click_rate"
    label = N_("Click rate")

    def order_by(self) -> list[Any]:
        return [
            AssetScore.click_rate_low.desc().nulls_last(),
            AssetScore.exposures.desc().nulls_last(),
        ]

    def _value(self, score: AssetScore) -> RankedValue:
        return _rate(score.clicks, score)


class Collects(_ByScore):
    slug = "collects"
    label = N_("Collects")

    def order_by(self) -> list[Any]:
        return [AssetScore.collects.desc().nulls_last(), AssetScore.exposures.asc().nulls_last()]

    def _value(self, score: AssetScore) -> RankedValue:
        return _count(score.collects, score)


class Clicks(_ByScore):
    slug = "clicks"
    label = N_("Clicks")

    def order_by(self) -> list[Any]:
        return [AssetScore.clicks.desc().nulls_last(), AssetScore.exposures.asc().nulls_last()]

    def _value(self, score: AssetScore) -> RankedValue:
        return _count(score.clicks, score)


class Comments(_ByScore):
    slug = "comments"
    label = N_("Comments")

    def order_by(self) -> list[Any]:
        return [AssetScore.comments.desc().nulls_last(), AssetScore.exposures.asc().nulls_last()]

    def _value(self, score: AssetScore) -> RankedValue:
        return _count(score.comments, score)


def _rate(hits: int, score: AssetScore) -> RankedValue:
    rate = Rate(hits, score.exposures)
    return RankedValue(rate.value or 0.0, rate.low, rate.high, score.exposures, "rate")


def _count(hits: int, score: AssetScore) -> RankedValue:
    return RankedValue(hits, None, None, score.exposures, "count")


RANKED: tuple[Ranking, ...] = (ClickRate(), Collects(), Clicks(), Comments())
