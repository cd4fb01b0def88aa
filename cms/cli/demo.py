"""`flask demo`: load the made-up school, say what is here, begin anew, compare truth and findings."""

import logging
import math
import time
from collections.abc import Iterator

import click
from flask.cli import AppGroup, with_appcontext

from cms.accounts import tokens, users
from cms.cli import carriers, up_banner
from cms.cli.users import link_to
from cms.core import demo_carriers, logs
from cms.core.config import current
from cms.core.db import transaction
from cms.core.errors import SeedbedError
from cms.demo import comparing, marks, pack, team, wiping, world
from schedules import link_checks


@click.group("demo", cls=AppGroup, invoke_without_command=True)
@click.option("--reset", is_flag=True, help="Empty a demo installation first, then load it anew.")
@click.pass_context
@with_appcontext
def group(context: click.Context, reset: bool) -> None:
    """The demo world: load it into an empty installation, or begin anew, demo carriers included."""
    if context.invoked_subcommand is None:
        _load(reset=reset)


@group.command("status")
def status() -> None:
    """Whether this is a demo installation, and of which day."""
    found = marks.mark()
    if found is None:
        click.echo("empty" if world.is_empty() else "not a demo")
    elif found.finished_at is None:
        click.echo(f"demo of {found.today}, not loaded to its end; flask demo --reset begins anew")
    else:
        click.echo(f"demo of {found.today}, seed {found.seed}")


@group.command("truth")
def show_truth() -> None:
    """The planted effects beside what the newest model run found."""
    click.echo(f"{'outcome':<9}{'tag':<16}{'planted':>8}{'found':>8}   90 % interval")
    for one in comparing.effects():
        mark = " *" if one.is_significant else ""
        click.echo(
            f"{one.outcome:<9}{one.tag:<16}{_ratio(one.planted):>8}{one.lift:>8.2f}"
            f"   {one.low:.2f} … {one.high:.2f}{mark}"
        )
    click.echo("\ntags that readers know of and the library does not:")
    for hidden in comparing.hidden():
        found = (
            f"{hidden.state}, {hidden.probability:.2f}" if hidden.probability else "not found yet"
        )
        click.echo(f"  {hidden.tag:<16}{found:<18}{hidden.asset}")
    false = comparing.false_suggestions()
    click.echo(f"suggested without being true: {len(false)}")


def _ratio(planted: float) -> str:
    """The planted effect as a lift, comparable with the model's up to the mean of all tags."""
    return f"{math.exp(planted):.2f}"


def _load(*, reset: bool) -> None:
    logs.configure(process="demo", level=logging.WARNING)
    started = time.monotonic()
    try:
        if reset:
            click.echo(f"emptied {wiping.wipe()} tables")
        for line in world.load():
            click.echo(f"{time.monotonic() - started:6.1f} s  {line}")
    except SeedbedError as error:
        raise click.ClickException(str(error)) from None


def before_start() -> Iterator[str]:
    """Fill an empty installation with the demo world; finish, by beginning anew, one torn in two."""
    if not current().is_demo_wanted:
        return
    found = marks.mark()
    if found is not None and found.finished_at is None:
        yield "the demo world was not loaded to its end; beginning anew"
        wiping.wipe()
    elif not world.is_empty():
        carriers.prepare()
        return
    yield "nothing here yet: loading the demo world, about a minute; the pages tell how far it is"
    yield from world.load()


def after_start() -> Iterator[str]:
    """One-time links: for each demo role, or for whoever becomes the first administrator."""
    if users.count() == 0:
        with transaction():
            token = tokens.issue(tokens.Purpose.SET_UP)
        yield f"first administrator  {link_to(token)}"
        return
    if marks.mark() is None:
        return
    yield "Sign in to the demo as (each link works once, flask users link LOGIN makes another):"
    for login in team.ROLE_LOGINS:
        user = users.by_login(login)
        if user is not None and user.is_active:
            with transaction():
                token = tokens.issue(tokens.Purpose.SIGN_IN, user)
            yield f"  {login:<14} {link_to(token)}"
    if where := demo_carriers.address():
        yield f"Demo carriers, where you can see what arrives: {where}/"


def connect() -> None:
    """Have `flask up` load the demo world and greet with its links; spare the hosts it makes up."""
    link_checks.spare(pack.addresses)
    for hooks, hook in (
        (up_banner.BEFORE_START, before_start),
        (up_banner.AFTER_START, after_start),
    ):
        if hook not in hooks:
            hooks.append(hook)
