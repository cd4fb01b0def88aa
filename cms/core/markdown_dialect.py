"""Where our Markdown differs from the library's: lists as people type them, Chinese line ends."""

import re
from dataclasses import dataclass, field

import markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor

HAN = r"[\u2e80-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"

_ITEM = re.compile(r"(?P<indent> *)(?P<marker>[-*+]|\d{1,9}\.)(?P<gap> +)(?P<rest>\S.*)$")
_RULE = re.compile(r" {0,3}([-*_])(?: *\1){2,} *$")
_TABLE_RULE = re.compile(r" {0,3}\|?(?: *:?-+:? *\|)+(?: *:?-+:? *)?$")
_STASHED = re.compile("\x02wzxhzdk:\\d+\x03$")
_CODE_INDENT = 4


class Dialect(Extension):
    """Registers the differences; to be given to the library beside its own extensions."""

    def extendMarkdown(self, md: markdown.Markdown) -> None:
        # Below 20, so that code and raw HTML are already set aside and stay as they are.
        md.preprocessors.register(_Blocks(md), "seedbed_blocks", 19)
        md.inlinePatterns.register(
            _HanLineEnd(rf"(?<={HAN})\n(?={HAN})", md), "seedbed_han_line_end", 5
        )


class _HanLineEnd(InlineProcessor):
    """A line end between two Chinese characters is no space: the words run on."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:
        return "", m.start(0), m.end(0)


class _Blocks(Preprocessor):
    """Adds the blank lines and the four spaces that the library insists on and people leave out."""

    def run(self, lines: list[str]) -> list[str]:
        layout = _Layout()
        for number, line in enumerate(lines):
            following = lines[number + 1] if number + 1 < len(lines) else ""
            layout.take(line, is_table_head="|" in line and bool(_TABLE_RULE.match(following)))
        return layout.lines


@dataclass
class _Layout:
    """The lines so far and the list items that are open, outermost first."""

    lines: list[str] = field(default_factory=list)
    open_items: list[tuple[int, int]] = field(default_factory=list)  # indents of marker and text
    is_in_paragraph: bool = False  # below a list item, apart from its first line

    @property
    def _is_after_blank(self) -> bool:
        return not self.lines or not self.lines[-1].strip()

    def take(self, line: str, *, is_table_head: bool) -> None:
        item = None if _RULE.match(line) else _ITEM.match(line)
        if not line.strip():
            self.lines.append("")
        elif item and self._is_item(item):
            self._add_item(item)
        else:
            self._add_text(line, is_table_head=is_table_head)

    def _is_item(self, item: re.Match[str]) -> bool:
        indent = len(item["indent"])
        if self.open_items:
            return indent < self.open_items[-1][1] + _CODE_INDENT
        # As everywhere else: inside a paragraph only 1. begins a list, "2024." is a year.
        starts = self._is_after_blank or item["marker"] in {"-", "*", "+", "1."}
        return indent < _CODE_INDENT and starts

    def _add_item(self, item: re.Match[str]) -> None:
        indent = len(item["indent"])
        if (not self.open_items or self.is_in_paragraph) and not self._is_after_blank:
            self.lines.append("")
        self.is_in_paragraph = False
        self._close_items(indent)
        depth = len(self.open_items)
        self.open_items.append((indent, indent + len(item["marker"]) + len(item["gap"])))
        self.lines.append(" " * _CODE_INDENT * depth + f"{item['marker']} {item['rest']}")

    def _add_text(self, line: str, *, is_table_head: bool) -> None:
        indent = len(line) - len(line.lstrip(" "))
        is_lazy = self.open_items and not self._is_after_blank
        if self.open_items and not is_lazy:
            self._close_items(indent)
        if self.open_items and indent:
            self.is_in_paragraph |= self._is_after_blank
            beyond = max(0, indent - self.open_items[-1][1])
            self.lines.append(" " * (_CODE_INDENT * len(self.open_items) + beyond) + line.lstrip())
            return
        is_block = bool(_STASHED.match(line))
        if (is_block or is_table_head) and not self._is_after_blank and not self.open_items:
            self.lines.append("")
        self.lines.append(line)
        if is_block and not indent:
            self.lines.append("")
            self.open_items.clear()

    def _close_items(self, indent: int) -> None:
        """Close the items that something at this indent no longer belongs to."""
        while self.open_items and indent < min(self.open_items[-1][1], self.open_items[-1][0] + 2):
            self.open_items.pop()
