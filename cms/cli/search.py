"""`flask search`: the index of the library's search."""

import click
from flask.cli import AppGroup
from sqlalchemy import func, select

from cms.core.db import session
from content_library import jobs
from content_library.models import Asset
from content_library.search import IndexBusy, projection

group = AppGroup("search", help="The search index.")


@group.command("rebuild")
def rebuild_command() -> None:
    """Make the index anew beside the old one, which answers until the swap."""
    total = session.scalar(select(func.count()).select_from(Asset)) or 0
    try:
        with click.progressbar(length=max(1, total), label="assets") as bar:
            written = jobs.rebuild(progress=lambda count: bar.update(count - bar.pos))
    except IndexBusy as error:
        raise click.ClickException("Another rebuild is running.") from error
    click.echo(f"{written} assets indexed")


@group.command("status")
def status_command() -> None:
    """Say whether the index is ready, and how many assets it holds."""
    status = projection.index().status()
    click.echo(f"{status.state}: {status.documents} documents, generation {status.generation}")
