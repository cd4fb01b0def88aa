"""`flask accounts`: the keys that seal the secrets of channel accounts, and moving to a new one."""

import click
from flask.cli import AppGroup

from cms.core import sealing
from schedules import credentials

group = AppGroup("accounts", help="The keys that seal the secrets of channel accounts.")


@group.command("new-key")
def new_key() -> None:
    """Print a fresh key, to be put first into SEEDBED_CREDENTIAL_KEYS."""
    click.echo(sealing.new_key())


@group.command("reseal")
def reseal() -> None:
    """Bring every stored secret under the first key; exit 1 when some could not be opened."""
    done = credentials.reseal()
    click.echo(f"{done.moved} moved to the newest key")
    if done.tokens_dropped:
        click.echo(f"{done.tokens_dropped} tokens dropped; they are fetched anew by themselves")
    for name in done.unopenable:
        click.echo(f"cannot be opened: {name}")
    if done.unopenable:
        click.echo("Give back the key they were sealed with, or enter their secrets again.")
        raise SystemExit(1)
