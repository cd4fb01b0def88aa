"""Dates as people write them in front matter and file names, made into moments."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EARLIEST, _LATEST = 1970, 2200
_PATTERN = re.compile(
    r"(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?"
    r"(?:[Tt\s]\s*(?P<hour>\d{1,2})[:：](?P<minute>\d{2})(?:[:：](?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d{2}:?\d{2}|[A-Z][A-Za-z_]+/[A-Za-z_/]+)?)?"
)


def date_from(value: str | date, zone: tzinfo) -> datetime | None:
    """The moment meant, aware; None when it is none. Without a zone of its own it lies in `zone`."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=zone)
    elif isinstance(value, date):
        moment = datetime.combine(value, time(), zone)
    else:
        found = _from_text(value.strip(), zone)
        if found is None:
            return None
        moment = found
    return moment if _EARLIEST <= moment.year <= _LATEST else None


def _from_text(text: str, zone: tzinfo) -> datetime | None:
    match = _PATTERN.fullmatch(text)
    if not match:
        return None
    numbers = [
        int(match[part] or 0) for part in ("year", "month", "day", "hour", "minute", "second")
    ]
    try:
        return datetime(*numbers, tzinfo=_zone(match["zone"]) or zone)  # type: ignore[arg-type, misc]
    except (ValueError, ZoneInfoNotFoundError):
        return None


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    if text[0] in "+-":
        size = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
        return timezone(-size if text[0] == "-" else size)
    return ZoneInfo(text)
