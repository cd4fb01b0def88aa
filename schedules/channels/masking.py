"""What of a call may be written down: its beginning, without whatever opens a door."""

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "•••"
LONGEST_TOLD = 400  # characters
LOOKED_AT = 4 * LONGEST_TOLD  # bytes
SHORTEST = 4  # what is shorter stands in any text by chance
_NAMES = r"[\w-]*(?:token|secret|passwo?r?d|signature)|sign|api_?key|(?:session|private|aes)_?key"
_AT_FIRST = rf"(?P<name>(?:^|(?<=[?&\s]))(?:{_NAMES})|(?<=[?&])key)=[^&\s]+"
_IN_QUERY = re.compile(_AT_FIRST, re.IGNORECASE)
_QUOTED = r"""(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|'(?:[^'\\]|\\.)*(?:'|\\?$))"""
_IN_JSON = re.compile(
    rf"""(?P<name>["'](?:{_NAMES})["']\s*:\s*){_QUOTED}""", re.IGNORECASE | re.DOTALL
)
_IN_XML = re.compile(
    rf"(?P<name><(?:{_NAMES})>)(?:<!\[CDATA\[.*?(?:\]\]>|$)|[^<]*)", re.IGNORECASE | re.DOTALL
)


def masked(content: bytes, hush: Iterable[str]) -> str:
    """The beginning of what went over the wire. `hush` are secrets, masked however they are written."""
    if b"\0" in content:  # a file: nobody can read it, and no JSON column takes it
        return f"({len(content):,} bytes)"
    text = content[:LOOKED_AT].decode("utf-8", "replace")
    is_cut = len(content) > LOOKED_AT
    for form in sorted(set(_forms(hush)), key=len, reverse=True):
        text = text.replace(form, MASK)
        text = _without_beginning(text, form) if is_cut else text
    text = _IN_QUERY.sub(rf"\g<name>={MASK}", text)
    text = _IN_JSON.sub(rf'\g<name>"{MASK}"', text)
    text = _IN_XML.sub(rf"\g<name>{MASK}", text)
    return text[:LONGEST_TOLD] + ("…" if len(text) > LONGEST_TOLD else "")


def _forms(hush: Iterable[str]) -> Iterator[str]:
    """A secret as it stands in a header, an address, and JSON of either sort."""
    for secret in hush:
        if len(secret) >= SHORTEST:
            plain, ascii_only = json.dumps(secret, ensure_ascii=False), json.dumps(secret)
            in_json = (plain[1:-1], ascii_only[1:-1])
            yield from (secret, quote(secret, safe=""), quote(secret), quote_plus(secret), *in_json)
            yield from (one.replace("/", r"\/") for one in in_json)


def _without_beginning(text: str, form: str) -> str:
    """A secret of which only the first part was looked at is a secret still."""
    for length in range(min(len(form), len(text)), SHORTEST - 1, -1):
        if text.endswith(form[:length]):
            return text[:-length] + MASK
    return text
