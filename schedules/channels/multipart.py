"""Files as forms send them: one body of several parts, the same bytes every time."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """One file in a form."""

    name: str  # the form's field
    filename: str  # ASCII, without quotes
    mime: str
    content: bytes


def multipart(fields: Mapping[str, str], *files: File) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a form with these fields and files."""
    parts = [_part(f'name="{name}"', "", value.encode()) for name, value in fields.items()]
    for file in files:
        place = f'name="{file.name}"; filename="{file.filename}"'
        parts.append(_part(place, f"Content-Type: {file.mime}\r\n", file.content))
    # Taken from the content, the mark between the parts cannot stand inside it.
    mark = hashlib.sha256(b"".join(parts)).hexdigest()[:32]
    body = b"".join(f"--{mark}\r\n".encode() + part for part in parts) + f"--{mark}--\r\n".encode()
    return {"Content-Type": f"multipart/form-data; boundary={mark}"}, body


def _part(place: str, kind: str, content: bytes) -> bytes:
    return f"Content-Disposition: form-data; {place}\r\n{kind}\r\n".encode() + content + b"\r\n"
