"""Makes the board's view model ready for its templates: words, addresses, icons."""

from datetime import date
from typing import Any

from flask import render_template, url_for
from flask_babel import format_date
from flask_babel import gettext as _

from audience.models import Pool
from cms.web.calendar.blueprint import POOL_ICONS, short_day, weekday
from cms.web.forms import say
from cms.web.frame import locale_code, name_of
from cms.web.guard import can
from cms.web.numbers import row_number
from content_library import media
from schedules import landing
from schedules.board import Board, BoardRow, Card, Cell
from schedules.closings import Closing
from schedules.slots import Slot
from schedules.warnings import Caution, Fix

LANGUAGES = {"zh": "zh-CN", "en": "en"}


class Pen:
    """Draws one board for one asker; `keep` are the filters that its addresses carry along."""

    def __init__(self, board: Board, keep: dict[str, Any]) -> None:
        self.board, self.keep = board, keep
        self.monday = board.monday.isoformat()
        self.may_write = can("post:write")
        # Where one stage has several pools, a free slot says whose it is.
        self.shared = {row.stage.id for row in board.rows if len(row.pools) > 1}

    def days(self) -> list[dict[str, Any]]:
        return [
            {
                "weekday": weekday(day.on),
                "date": short_day(day.on),
                "number": day.on.day,
                "iso": day.on.isoformat(),
                "href": url_for("calendar.week", monday=self.monday, day=number, **self.keep),
                "is_today": day.is_today,
                "is_past": day.is_past,
                "count": day.count,
            }
            for number, day in enumerate(self.board.days, 1)
        ]

    def rows(self) -> list[dict[str, Any]]:
        return [self.row(row) for row in self.board.rows]

    def row(self, row: BoardRow) -> dict[str, Any]:
        return {
            "name": name_of(row.stage),
            "lang": None,
            "pools": [
                {"name": pool.name, "size": pool.size, "icon": POOL_ICONS[pool.kind]}
                for pool in row.pools
            ],
            "cells": [self.cell(cell) for cell in row.cells],
        }

    def cell(self, cell: Cell) -> dict[str, Any]:
        is_open = cell.is_open and self.may_write
        entries = [(card.at, 0, card.pool.id, self.card(card)) for card in cell.cards]
        if self.may_write:
            entries += [
                (slot.place.at, 1, slot.place.pool_id, self.slot(slot)) for slot in cell.free
            ]
        entries.sort(key=lambda entry: entry[:3])
        name = landing.cell_name(cell.stage.id, cell.on)
        return {
            "id": cell.id,
            "slot": name if is_open else None,
            "label": f"{name_of(cell.stage)}, {format_date(cell.on, 'full')}",
            "warning": say(cell.caution.problem) if cell.caution else None,
            "closings": [_closed(one) for one in cell.closings],
            "entries": [entry[3] for entry in entries],
            "add_href": url_for("calendar.new_post", day=cell.on.isoformat(), stage=cell.stage.id)
            if is_open
            else None,
        }

    def card(self, card: Card) -> dict[str, Any]:
        persona = card.account.persona
        movable = card.can_move and self.may_write
        return {
            "id": card.post_id,
            "href": url_for("calendar.post", post_id=card.post_id),
            "time": f"{card.at:%H:%M}",
            "kind": card.kind,
            "title": card.title,
            "lang": LANGUAGES.get(card.lang, card.lang),
            "hue": card.hue,
            "thumb": media.address(card.picture, "thumb") if card.picture else None,
            "channel": {
                "icon": POOL_ICONS[card.pool.kind],
                "label": f"{card.pool.name} · {card.account.name}",
            },
            "persona": persona.name if persona else card.account.name,
            "state": card.state,
            "move_url": url_for(
                "calendar.carry", post_id=card.post_id, week=self.monday, **self.keep
            )
            if movable
            else None,
            "warnings": [(say(one.problem), *self.fix(one, card)) for one in card.cautions],
        }

    def slot(self, slot: Slot) -> dict[str, Any]:
        pool = self.board.pools[slot.place.pool_id]
        theme = slot.wanted_theme
        return {
            "slot": slot.place.name,
            "time": f"{slot.place.at:%H:%M}",
            "wants": _wish(name_of(theme)) if theme else "",
            "icon": POOL_ICONS[pool.kind] if pool.stage_id in self.shared else None,
            "where": pool.name,
            "href": url_for("calendar.new_post", slot=slot.place.name),
        }

    def fix(self, caution: Caution, card: Card) -> tuple[str, str]:
        """Where the warning is mended, and what to call that."""
        match caution.fix:
            case Fix.SWAP:
                return url_for("calendar.swap", post_id=card.post_id), _("Choose another asset")
            case Fix.FINISH:
                return url_for("library.show", asset_id=card.asset_id), _("Finish the asset")
            case Fix.RENEW:
                return url_for("calendar.post", post_id=card.post_id), _("Use the new version")
            case Fix.ACCOUNT:
                return _account_page(card), _("See the account")
            case Fix.LIFT:
                return url_for("admin.show_stops"), _("See the stop")
            case Fix.LOOK:
                return url_for("calendar.post", post_id=card.post_id), _("Open the post")
            case _:
                place = url_for("calendar.post", post_id=card.post_id, _anchor="move")
                return place, _("Move the post")

    def html_of(self, cell: Cell) -> str:
        return render_template("calendar/_cell.html", cell=self.cell(cell)).strip()


def _account_page(card: Card) -> str:
    return url_for("admin.show_account", account_id=card.account.id)


def _closed(one: Closing) -> str:
    """When nothing goes out that day, and why."""
    if one.begins is None and one.ends is None:
        return _("Nothing goes out all day: %(reason)s", reason=one.reason)
    hours = {
        "begins": f"{one.begins:%H:%M}" if one.begins else "00:00",
        "ends": f"{one.ends:%H:%M}" if one.ends else "24:00",
    }
    words = _("Nothing goes out %(begins)s–%(ends)s: %(reason)s", reason=one.reason, **hours)
    return str(words)


def _wish(theme: str) -> str:
    # Chinese theme names stand as they are; an English one inside a sentence begins small.
    name = theme if locale_code() == "zh" else theme[:1].lower() + theme[1:]
    return _("%(theme)s wanted", theme=name)


def changed_cells(before: Board, after: Board) -> list[Cell]:
    """The cells that look different now, wherever a move's warnings reached."""
    known = before.cells
    return [cell for name, cell in after.cells.items() if known.get(name) != cell]


def day_number(board: Board, asked: str | None) -> int:
    """Which day a phone shows: the one asked for, else today, else the first."""
    number = row_number(asked or "")
    if number and number <= len(board.days):
        return number
    return next((n for n, day in enumerate(board.days, 1) if day.is_today), 1)


def pool_words(pool: Pool) -> str:
    """A pool in a list of choices: its stage, then its name."""
    return f"{name_of(pool.stage)} · {pool.name}"


def slot_words(slot: Slot, pool: Pool) -> str:
    """A free slot in a list of choices."""
    theme = f" · {_wish(name_of(slot.wanted_theme))}" if slot.wanted_theme else ""
    return f"{day_words(slot.place.on)} {slot.place.at:%H:%M} · {pool.name}{theme}"


def day_words(day: date) -> str:
    return f"{weekday(day)} {short_day(day)}"
