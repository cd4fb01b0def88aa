"""What a piece of HTML holds: headings, pictures, links, words; read, never changed."""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

_SILENT = frozenset({"script", "style", "template", "textarea", "title", "iframe", "noscript"})
_BLOCK_NAMES = (
    "address article aside blockquote br dd details div dl dt figcaption figure h1 h2 h3 h4 h5 h6 "
    "hr li ol p pre section summary table tbody td tfoot th thead tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


@dataclass(frozen=True)
class Heading:
    """A heading and the id that a link can jump to."""

    level: int
    text: str
    anchor: str


@dataclass
class Outline:
    """Everything found in one reading, in order."""

    headings: list[Heading] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    tags: Counter[str] = field(default_factory=Counter)
    attributes: Counter[tuple[str, str]] = field(default_factory=Counter)
    paragraphs: list[str] = field(default_factory=list)
    plain_text: str = ""


def read(html: str) -> Outline:
    """Read the HTML once and tell what it holds."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.finish()
    return reader.outline


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.outline = Outline()
        self._blocks: list[str] = []
        self._block: list[str] = []
        self._silent = 0
        self._heading: tuple[str, str] | None = None
        self._paragraph_depth = 0
        self._footnotes = False
        self._is_footnote_mark = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.outline.tags[tag] += 1
        self.outline.attributes.update((tag, name) for name in values)
        self._note_addresses(tag, values)
        if tag in _BLOCKS:
            self._end_block()
        if tag in _SILENT:
            self._silent += 1
        if tag in _HEADINGS:
            self._heading = (tag, values.get("id", ""))
        if tag == "p":
            self._paragraph_depth += 1
        if tag == "a":
            self._is_footnote_mark = values.get("class", "").startswith("footnote-")
        if tag == "div" and values.get("class") == "footnote":
            self._footnotes = True  # always last, so it needs no end

    def handle_endtag(self, tag: str) -> None:
        if self._heading and tag == self._heading[0]:
            text = " ".join("".join(self._block).split())
            self.outline.headings.append(Heading(_HEADINGS[tag], text, self._heading[1]))
            self._heading = None
        if tag in _BLOCKS:
            self._end_block()
        if tag == "a":
            self._is_footnote_mark = False
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        if tag == "p":
            self._paragraph_depth = max(0, self._paragraph_depth - 1)

    def handle_data(self, data: str) -> None:
        if not self._silent and not self._is_footnote_mark:
            self._block.append(data)

    def finish(self) -> None:
        self._end_block()
        self.outline.plain_text = "\n".join(self._blocks)

    def _note_addresses(self, tag: str, values: dict[str, str]) -> None:
        if tag == "img" and values.get("src"):
            self.outline.images.append(values["src"])
        if tag == "a" and values.get("href") and not values["href"].startswith("#"):
            self.outline.links.append(values["href"])

    def _end_block(self) -> None:
        text = " ".join("".join(self._block).split())
        self._block.clear()
        if not text:
            return
        self._blocks.append(text)
        if self._paragraph_depth and not self._footnotes:
            self.outline.paragraphs.append(text)
