"""`flask assets`: bringing a folder of Markdown files into the library."""

from pathlib import Path

import click
from flask.cli import AppGroup

from cms.accounts import users
from cms.accounts.models import User
from cms.core.errors import SeedbedError
from cms.core.text import clean_line
from content_library.importers import (
    FileResult,
    Folder,
    Options,
    Outcome,
    Report,
    import_folder,
    picture_of,
)
from content_library.models import AssetStatus

group = AppGroup("assets", help="The library's assets.")

MOST_LINES = 200


@group.command("import")
@click.argument("path", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--dry-run", is_flag=True, help="Show what would happen and write nothing.")
@click.option("--as", "login", help="The user the assets will belong to.")
@click.option("--status", type=click.Choice(["draft", "ready"]), default="draft", show_default=True)
@click.option("--name", default="", help="Name of this collection; default: the folder's name.")
@click.option("--create-tags", is_flag=True, help="Create tags that are not known, in group topic.")
def import_command(  # noqa: PLR0917 - click gives one argument per option
    path: Path, dry_run: bool, login: str | None, status: str, name: str, create_tags: bool
) -> None:
    """Import the Markdown files below PATH; files imported before are updated, not doubled."""
    options = Options(
        status=AssetStatus(status), create_tags=create_tags, is_dry_run=dry_run, by=_user(login)
    )
    try:
        source = Folder(path, name)
        with click.progressbar(length=1, label=source.name, item_show_func=_shown) as bar:

            def advance(done: int, total: int, result: FileResult) -> None:
                bar.length = total
                bar.update(1, result)

            report = import_folder(source, options, progress=advance)
    except SeedbedError as error:
        raise click.ClickException(str(error.problem)) from error
    _print(report)
    if report.count(Outcome.FAILED):
        raise SystemExit(1)


def _user(login: str | None) -> User | None:
    if login is None:
        return None
    user = users.by_login(login)
    if user is None:
        raise click.ClickException(f"There is no user {login}.")
    return user


def _shown(result: FileResult | None) -> str | None:
    return clean_line(str(result.path))[-40:] if result else None


def _print(report: Report) -> None:
    verb = "would be " if report.is_dry_run else ""
    for result in report.with_problems[:MOST_LINES]:
        click.echo(clean_line(f"{result.path}: {verb}{result.outcome}"))
        for problem in result.problems:
            picture = picture_of(problem)
            told = clean_line(f"{problem.code}: {picture and picture + ': '}{problem}")
            click.echo(f"    {told}")
    if len(report.with_problems) > MOST_LINES:
        click.echo(f"… and {len(report.with_problems) - MOST_LINES} more files with remarks")
    if report.unknown_tags:
        words = ", ".join(f"{word} ({count})" for word, count in report.unknown_tags.most_common())
        click.echo(clean_line(f"Tags nobody knows (--create-tags makes them): {words}"))
    if report.created_tags:
        click.echo(clean_line(f"Tags created: {', '.join(report.created_tags)}"))
    counts = ", ".join(
        f"{count} {verb}{outcome}" for outcome, count in report.counts.items() if count
    )
    click.echo(f"{len(report.results)} files: {counts or 'nothing to import'}")
