"""`flask channels`: what each carrier can do, for the terminal and for the documentation."""

from collections.abc import Iterable, Iterator

import click
from flask.cli import AppGroup

from cms.core.config import ROOT
from schedules import matrix
from schedules.matrix import Row

DOCUMENT = ROOT / "docs" / "channels.md"
INTRODUCTION = """\
# Channels

What each carrier can do, read off the code by `flask channels matrix --write`; a test says when this page is behind. The same
stands in the program under Settings → Channels.

*When nobody knows whether a post arrived* is the question that decides what may be done: class **K**, sending twice is harmless;
class **Q**, the carrier can be asked; class **N**, a person looks. `–` means that it cannot be had from the carrier; our own tracked
link and reader page count clicks, likes, collections, comments, shares and conversions on every carrier that shows a link.
Where a class or a confirmation depends on the account's settings, the default is shown.
"""

group = AppGroup("channels", help="What the carriers can do.")


@group.command("matrix")
@click.option("--write", is_flag=True, help="Write docs/channels.md instead of printing.")
def matrix_command(write: bool) -> None:
    """What each carrier takes, confirms, gives back and allows, as Markdown."""
    if not write:
        click.echo(document(), nl=False)
        return
    DOCUMENT.write_text(document(), "utf-8")
    click.echo(f"written: {DOCUMENT}")


def document() -> str:
    """The whole page."""
    rows = list(matrix.rows())
    parts = [
        INTRODUCTION,
        "## What they take, and how sure it is\n",
        _table(_TAKES, (_takes(row) for row in rows)),
        "## What can be known afterwards\n",
        _table(["carrier", *matrix.METRICS.values()], (_gives(row) for row in rows)),
        "## What an account is asked for\n",
        *(_account(row) for row in rows),
    ]
    return "\n".join(parts)


_TAKES = (
    "carrier",
    "text",
    "pictures",
    "also",
    "nobody knows",
    "who confirms",
    "pace",
    "once live",
)


def _takes(row: Row) -> list[str]:
    return [
        f"**{row.name}**<br>`{row.slug}`",
        str(row.text),
        str(row.pictures),
        ", ".join(row.also) or "–",
        f"**{row.repeat_class}** {row.repeat}",
        row.confirms,
        str(row.pace) if row.pace else "–",
        row.changes,
    ]


def _gives(row: Row) -> list[str]:
    return [f"**{row.name}**", *(row.gives.get(what, "–") for what in matrix.METRICS)]


def _account(row: Row) -> str:
    lines = [f"### {row.name}\n"]
    if row.needs:
        lines.append(f"{row.needs}\n")
    for field in row.fields:
        marks = [field.kind] if field.kind != "text" else []
        marks += ["secret"] if field.is_secret else []
        marks += [] if field.is_required else ["optional"]
        told = f" ({', '.join(marks)})" if marks else ""
        hint = f": {field.hint}" if field.hint else ""
        lines.append(f"- **{field.label}**{told}{hint}")
    if not row.fields:
        lines.append("Nothing.")
    return "\n".join(lines) + "\n"


def _table(heads: Iterable[str], rows: Iterable[list[str]]) -> str:
    return "\n".join(_lines([list(heads), *rows])) + "\n"


def _lines(rows: list[list[str]]) -> Iterator[str]:
    for number, row in enumerate(rows):
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
        if number == 0:
            yield f"|{'---|' * len(row)}"
