"""Short names for addresses and imports, made from the name people gave."""

import re
import secrets
from collections.abc import Callable

LONGEST_STEM = 40


def free_slug(name: str, otherwise: str, is_taken: Callable[[str], object]) -> str:
    """A slug made from the name's Latin letters and digits, or from `otherwise` when it has none.

    `is_taken` says whether a slug is in use; one that is gets a random tail.
    """
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:LONGEST_STEM] or otherwise
    return f"{stem}-{secrets.token_hex(4)}" if is_taken(stem) else stem
