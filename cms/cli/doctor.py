"""`flask doctor`: says what is wrong with an installation and what to do, before users find out."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import click
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from cms.core import health
from cms.core.config import ROOT, Settings, current
from cms.core.db import db, session
from cms.core.sentences import worded
from schedules import credentials

LEAST_FREE = 512 * 1024 * 1024


@dataclass(frozen=True)
class Diagnosis:
    """One thing looked at; `remedy` is empty when it is well."""

    subject: str
    found: str
    remedy: str = ""


@click.command()
def doctor() -> None:
    """Look at settings, data directory, schema, catalogue and health; exit 1 when something is wrong."""
    diagnoses = list(examine(current()))
    for one in diagnoses:
        mark = click.style("✗", fg="red") if one.remedy else click.style("✓", fg="green")
        click.echo(f"{mark} {one.subject}: {one.found}")
        if one.remedy:
            click.echo(f"    → {one.remedy}")
    if any(one.remedy for one in diagnoses):
        raise SystemExit(1)


def examine(settings: Settings) -> Iterator[Diagnosis]:
    """Everything the doctor looks at, from the ground up."""
    yield _home(settings)
    yield _secret(settings)
    yield _space(settings)
    yield _words()
    yield from _database()
    yield from _credentials()
    for slug, finding in health.examine().items():
        found = worded(finding.message, finding.params, str)
        well = finding.level is not health.Level.FAULT
        yield Diagnosis(slug, found, "" if well else "Start everything with: make run")


def _home(settings: Settings) -> Diagnosis:
    mode = settings.home.stat().st_mode & 0o077
    if not os.access(settings.home, os.W_OK):
        return Diagnosis(
            "data directory", "cannot be written", "Give it to the user that runs Seedbed: chown"
        )
    if mode & 0o007:
        return Diagnosis("data directory", "open to every user", f"Run: chmod 700 {settings.home}")
    return Diagnosis("data directory", str(settings.home))


def _secret(settings: Settings) -> Diagnosis:
    path = settings.home / "secret.key"
    if path.exists() and path.stat().st_mode & 0o077:
        return Diagnosis("secret key", "readable by others", f"Run: chmod 600 {path}")
    return Diagnosis("secret key", "closed to others")


def _space(settings: Settings) -> Diagnosis:
    free = shutil.disk_usage(settings.home).free
    told = f"{free / 1024**3:.1f} GiB free"
    if free < LEAST_FREE:
        return Diagnosis("disk", told, "Free some space: uploads and publishing will soon stop.")
    return Diagnosis("disk", told)


def _words() -> Diagnosis:
    compiled = ROOT / "cms/translations/zh_Hans_CN/LC_MESSAGES/messages.mo"
    if not compiled.exists():
        return Diagnosis("Chinese catalogue", "not compiled", "Run: make setup")
    return Diagnosis("Chinese catalogue", "compiled")


def _credentials() -> Iterator[Diagnosis]:
    """Each account whose secrets no known key opens: its posts are held until they are entered again."""
    try:
        closed = credentials.unopenable()
    except SQLAlchemyError:
        session.rollback()
        return  # the schema is told to be wrong already
    remedy = "Give back its key in SEEDBED_CREDENTIAL_KEYS, or reconnect it in the settings."
    for account in closed:
        yield Diagnosis("secrets", f"those of {account.name} cannot be opened", remedy)
    if not closed:
        yield Diagnosis("secrets", "all can be opened")


def _database() -> Iterator[Diagnosis]:
    try:
        present = MigrationContext.configure(session.connection()).get_current_revision()
    except SQLAlchemyError as error:
        yield Diagnosis("schema", str(error), "Check DATABASE_URL and that the server runs.")
        return
    scripts = ScriptDirectory(current_app.extensions["migrate"].directory)
    newest = scripts.get_current_head()
    stale = "" if present == newest else "Run: flask db upgrade"
    yield Diagnosis("schema", f"revision {present}, newest {newest}", stale)
    if db.engine.dialect.name == "sqlite":
        verdict = session.execute(text("PRAGMA quick_check(1)")).scalar()
        remedy = "" if verdict == "ok" else "Restore the database from a backup."
        yield Diagnosis("database file", str(verdict), remedy)
