"""Every limit on input, in one table that the code obeys and the documentation prints."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Limit:
    """One limit: its name, how much, of what, and what it protects."""

    name: str
    value: int
    unit: str
    purpose: str


_TABLE = (
    Limit("upload_bytes", 20_971_520, "bytes", "one uploaded file"),
    Limit("request_bytes", 33_554_432, "bytes", "one request, files and form together"),
    Limit("form_bytes", 2_097_152, "bytes", "the words of one form, files apart"),
    Limit("image_pixels", 50_000_000, "pixels", "width × height of a picture, before decoding"),
    Limit("image_side", 16_000, "pixels", "longest side of a picture"),
    Limit("image_frames", 200, "frames", "animation kept moving; longer ones become a still"),
    Limit("image_frame_pixels", 60_000_000, "pixels", "width × height × frames kept moving"),
    Limit("image_seconds", 30, "seconds", "work on one picture, renditions included"),
    Limit("image_memory", 1_073_741_824, "bytes", "memory of the process that decodes a picture"),
    Limit("title_characters", 200, "characters", "title of an asset or a post"),
    Limit("article_bytes", 200_000, "bytes", "Markdown text of one article"),
    Limit("article_seconds", 10, "seconds", "turning one article into a page"),
    Limit("front_matter_bytes", 65_536, "bytes", "front matter of an imported file"),
    Limit("front_matter_aliases", 20, "aliases", "YAML aliases in one front matter"),
    Limit("front_matter_depth", 12, "levels", "lists and maps inside each other in front matter"),
    Limit("import_file_bytes", 2_097_152, "bytes", "one Markdown file in an import"),
    Limit("link_characters", 2_048, "characters", "one web address"),
    Limit("outgoing_seconds", 20, "seconds", "one call to another server, from name to last byte"),
    Limit("callback_bytes", 1_048_576, "bytes", "one call of a carrier"),
    Limit("outgoing_answer_bytes", 1_048_576, "bytes", "answer of another server"),
)

LIMITS: Mapping[str, Limit] = MappingProxyType({limit.name: limit for limit in _TABLE})


def most(name: str) -> int:
    """The value of the limit of that name."""
    return LIMITS[name].value
