"""Where the tests of the calendar's pages find the week they plan in, and its slots."""

from datetime import time

from schedules import slots


def board_of(world):
    return f"/calendar/weeks/{world.monday.isoformat()}"


def place_of(world, at=time(20, 30)):
    return slots.Place(world.day, at, world.pool.id, world.account.id).name
