"""The commands: one group per area."""

from flask import Flask

from cms.cli import clock, up, users, worker


def connect(app: Flask) -> None:
    """Give the app its commands."""
    for command in (up.up, clock.clock, worker.worker, users.group):
        app.cli.add_command(command)
