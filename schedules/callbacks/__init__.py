"""Calls that carriers make to us: sealed letters, taken in before they are answered, handled later."""

from schedules.callbacks.doors import address

__all__ = ["address"]
