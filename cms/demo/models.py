"""The mark of a demo installation: that everything here was made up, from which seed, and whether to its end."""

from datetime import date, datetime

from sqlalchemy.orm import Mapped, mapped_column

from cms.core.db import Model


class DemoWorld(Model):
    """One row, written before anything else of the world, so that a torn load is known for what it is."""

    __tablename__ = "demo_worlds"

    id: Mapped[int] = mapped_column(primary_key=True)
    seed: Mapped[int]
    today: Mapped[date]  # the day it was made for, in the workspace's zone
    began_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
