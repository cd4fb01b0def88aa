"""`flask stop`: the emergency stop for those who have a terminal at hand and no browser."""

import click
from flask.cli import AppGroup

from cms.core.config import current
from cms.core.db import transaction
from cms.core.errors import Invalid, NotFound
from cms.core.text import clean_line
from schedules import accounts, stops
from schedules.channels import CHANNELS
from schedules.models import Stop
from schedules.states import StopScope
from schedules.stops import StopFields

group = AppGroup("stop", help="Stop sending at once, or lift a stop.")
_reason = click.option("--reason", required=True, help="Everybody reads it above every page.")


@group.command("all")
@_reason
def stop_all(reason: str) -> None:
    """Let nothing leave any more."""
    _raise(StopFields(StopScope.ALL, reason))


@group.command("channel")
@click.argument("slug")
@_reason
def stop_channel(slug: str, reason: str) -> None:
    """Let nothing leave through any account of the channel SLUG."""
    if slug not in CHANNELS:
        names = ", ".join(one.slug for one in CHANNELS)
        raise click.ClickException(f"there is no channel {slug!r}; there are: {names}")
    _raise(StopFields(StopScope.CHANNEL, reason, channel=slug))


@group.command("account")
@click.argument("slug")
@_reason
def stop_account(slug: str, reason: str) -> None:
    """Let nothing leave through the channel account SLUG."""
    account = accounts.by_slug(slug)
    if account is None:
        raise click.ClickException(f"there is no channel account {slug!r}")
    _raise(StopFields(StopScope.ACCOUNT, reason, account_id=account.id))


@group.command("list")
def list_stops() -> None:
    """What is stopped now."""
    for stop in stops.in_force():
        click.echo(_told(stop))


@group.command("lift")
@click.argument("number", type=int, required=False)
def lift_stop(number: int | None) -> None:
    """Lift the stop NUMBER, or every stop there is."""
    try:
        found = stops.in_force() if number is None else [stops.get(number)]
    except NotFound:
        raise click.ClickException(f"there is no stop {number}; see: flask stop list") from None
    for stop in found:
        with transaction():
            stops.lift(stop, by=None)
        click.echo(f"lifted: {_told(stop)}")
    if not found:
        click.echo("nothing is stopped")


def _raise(fields: StopFields) -> None:
    try:
        with transaction():
            made = stops.raise_stop(fields, by=None)
    except Invalid as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"stopped: {_told(made)}")
    if wire := stops.on_the_wire(made):
        click.echo(f"{wire} posts were on their way already; no stop reaches them")


def _told(stop: Stop) -> str:
    what = stop.channel or (stop.account.slug if stop.account else "everything")
    at = stop.at.astimezone(current().zone)
    return f"{stop.id}  {what}  since {at:%Y-%m-%d %H:%M}: {clean_line(stop.reason)}"
