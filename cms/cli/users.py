"""`flask users`: list them, add one, make sign-in and set-up links."""

import click
from flask import current_app
from flask.cli import AppGroup

from cms.accounts import tokens, users
from cms.accounts.models import Role, User
from cms.core.db import session, transaction

group = AppGroup("users", help="The team: list, add, sign-in links.")


@group.command("list")
def list_users() -> None:
    """Everybody, with role and state."""
    for user in session.scalars(users.everyone()):
        click.echo(f"{user.login}\t{user.role}\t{'active' if user.is_active else 'disabled'}")


@group.command("add")
@click.argument("login")
@click.argument("name")
@click.argument("role", type=click.Choice([role.value for role in Role]))
def add_user(login: str, name: str, role: str) -> None:
    """Add a user and print their one-time sign-in link."""
    with transaction():
        user = users.add(login, name, Role(role), by=None)
        token = tokens.issue(tokens.Purpose.SIGN_IN, user)
    click.echo(link_to(token))


@group.command("link")
@click.argument("login")
def make_link(login: str) -> None:
    """Print a one-time sign-in link for a user."""
    with transaction():
        token = tokens.issue(tokens.Purpose.SIGN_IN, _find(login))
    click.echo(link_to(token))


@group.command("setup-link")
def make_setup_link() -> None:
    """Print the link with which the first administrator makes their account."""
    with transaction():
        token = tokens.issue(tokens.Purpose.SET_UP)
    click.echo(link_to(token))


def link_to(token: str) -> str:
    """The address that spends a one-time token."""
    return f"{current_app.config['SEEDBED'].base_url}/enter/{token}"


def _find(login: str) -> User:
    user = users.by_login(login)
    if user is None:
        raise click.ClickException(f"nobody has the login {login!r}; see: flask users list")
    return user
