"""`flask dry-run`: the next twenty-four hours as a table, for terminals."""

from datetime import datetime

import click

from cms.core.config import current
from cms.core.text import clean_line
from schedules import dry_run
from schedules.dry_run import Line, Verdict

WORDS = {Verdict.GOES: "goes out", Verdict.LATE: "late", Verdict.STAYS: "stays"}
COLOURS = {Verdict.GOES: "green", Verdict.LATE: "yellow", Verdict.STAYS: "red"}


@click.command("dry-run")
@click.option("--verdict", type=click.Choice([one.value for one in Verdict]), help="Only those.")
def show_dry_run(verdict: str | None) -> None:
    """Print what will go out in the next 24 hours, what will not, and why; changes nothing."""
    found = dry_run.forecast()
    for line in found.of(Verdict(verdict) if verdict else None):
        _print(line)
    counts = ", ".join(f"{count} {WORDS[one]}" for one, count in found.counts.items())
    click.echo(f"{len(found.lines)} posts until {_at(found.until, full=True)}: {counts}")
    if found.left_out:
        click.echo(f"{found.left_out} more are due and were not played through")


def _print(line: Line) -> None:
    one = line.publication
    leaves = f" → {_at(line.at)}" if line.verdict is Verdict.LATE else ""
    mark = click.style(f"{WORDS[line.verdict]:<9}", fg=COLOURS[line.verdict])
    where = f"{clean_line(one.pool.name)} · {clean_line(one.account.name)}"
    title = clean_line(one.post.version.title)
    click.echo(f"{_at(one.due_at, full=True)}{leaves}  {mark} {title}  ({where})")
    for problem in dict.fromkeys(str(problem) for problem in line.reasons):
        click.echo(f"    {clean_line(problem)}")


def _at(moment: datetime | None, *, full: bool = False) -> str:
    if moment is None:
        return ""
    local = moment.astimezone(current().zone)
    return f"{local:%Y-%m-%d %H:%M}" if full else f"{local:%H:%M}"
