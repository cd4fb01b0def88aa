"""The commands: one group per area."""

from flask import Flask


def connect(app: Flask) -> None:
    """Give the app its commands."""
