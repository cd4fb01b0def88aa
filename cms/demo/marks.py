"""Finds the mark that says that this installation is a demo."""

from sqlalchemy import select

from cms.core.db import session
from cms.demo.models import DemoWorld


def mark() -> DemoWorld | None:
    """The mark of this installation, if it is a demo."""
    return session.scalar(select(DemoWorld).limit(1))
