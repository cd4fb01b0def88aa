"""What carriers count by themselves: a series of its own, never summed with our clicks."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cms.core.db import Model
from schedules.models import Publication


class CarrierFigure(Model):
    """One number a carrier gave for a publication and a day; cumulative, as carriers count."""

    __tablename__ = "carrier_figures"
    __table_args__ = (UniqueConstraint("publication_id", "metric", "on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id", ondelete="CASCADE"))
    metric: Mapped[str] = mapped_column(String(40))
    on: Mapped[date]  # the day up to which it counts, in the carrier's zone
    value: Mapped[int]
    fetched_at: Mapped[datetime]

    publication: Mapped[Publication] = relationship()
