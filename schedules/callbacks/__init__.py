"""Calls that carriers make to us: sealed letters, taken in before they are answered, handled later."""
