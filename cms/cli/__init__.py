"""The commands: one group per area."""

from flask import Flask

from cms.cli import (
    accounts,
    assets,
    carriers,
    channels,
    clock,
    demo,
    doctor,
    dry_run,
    search,
    stop,
    up,
    users,
    worker,
)


def connect(app: Flask) -> None:
    """Give the app its commands."""
    for command in (
        up.up,
        doctor.doctor,
        clock.clock,
        carriers.carriers,
        worker.worker,
        dry_run.show_dry_run,
        stop.group,
        users.group,
        accounts.group,
        channels.group,
        assets.group,
        search.group,
        demo.group,
    ):
        app.cli.add_command(command)
    demo.connect()
