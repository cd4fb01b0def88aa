"""Cuts Chinese, English and mixed text into terms, the same way for indexing, asking and marking."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from rjieba import Jieba
from whoosh.analysis import Analyzer, Token

from content_library.search.folding import fold
from content_library.search.stemming import stem

FIELD_BREAK = "\x1e"
LONGEST_TERM = 64
_BREAK_WIDTH = 100

# Words of the trade that the segmenter's own dictionary lacks. Changing this list changes what
# is indexed, so raise SCHEMA_VERSION with it.
TRADE_WORDS = """
    私域 公域 企微 企业微信 公众号 视频号 小程序 短视频 直播课 体验课 朋友圈 社群 群主 复购
    拉新 促活 涨粉 话术 裂变 转介绍 结营 开营 干货 打卡 训练营 人设 触达 沉淀 选题
"""

# Characters that the segmenter cuts into words; kana, hangul and pictures stand alone.
_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_KANA_HANGUL = "\u3041-\u30ff\uac00-\ud7af"
_PICTURES = "\u2600-\u27bf\U0001f000-\U0001faff"
_ATOM = re.compile(
    rf"(?P<han>[{_HAN}]+)"
    r"|(?P<special>(?<![a-z0-9])(?:\.net(?![a-z])|[a-z]\+\+|[a-z]\#(?![a-z0-9])))"
    r"|(?P<word>[a-z]+(?:'[a-z]+)*)"
    r"|(?P<number>\d+(?:\.\d+)*)"
    rf"|(?P<sign>[{_KANA_HANGUL}{_PICTURES}])"
    rf"|(?P<other>(?:(?![{_HAN}{_KANA_HANGUL}a-z])[^\W\d_])+)"
    rf"|(?P<gap>{FIELD_BREAK})"
)


@cache
def _segmenter() -> Jieba:
    """Made when the first Chinese text comes along: most processes never meet one."""
    segmenter = Jieba()
    for word in TRADE_WORDS.split():
        segmenter.add_word(word, 20_000, "n")
    return segmenter


class Piece(NamedTuple):
    """One term and where it stands.

    Positions count *atoms*: a Chinese character, a Latin word, a number, a picture. A phrase is
    therefore a row of atoms at neighbouring positions, whatever words the segmenter saw in it.
    """

    text: str
    start: int
    end: int
    position: int
    sort: str


def index_pieces(text: str) -> Iterator[Piece]:
    """Every term under which the text can be found.

    Chinese: the dictionary words (also those inside longer ones) and each single character.
    English: the word as written and its stem.
    """
    for piece in _pieces(text, is_query=False):
        yield piece
        if piece.sort == "word":
            plain = stem(piece.text)
            if plain != piece.text:
                yield piece._replace(text=plain)
        elif piece.text == ".net":
            yield piece._replace(text="net")


def query_pieces(text: str) -> Iterator[Piece]:
    """The fewest terms that say what was typed: Chinese words without the words inside them."""
    return _pieces(text, is_query=True)


def _pieces(text: str, *, is_query: bool) -> Iterator[Piece]:
    folded, origin = fold(text)
    position = 0
    for match in _ATOM.finditer(folded):
        sort = str(match.lastgroup)
        found, start = match.group(), match.start()
        if sort == "gap":
            position += _BREAK_WIDTH
            continue
        if sort != "han":
            end = origin[match.end() - 1] + 1
            yield Piece(_trimmed(found, sort), origin[start], end, position, sort)
            position += 1
            continue
        for word, begin, end in _han_words(found, is_query):
            first, last = origin[start + begin], origin[start + end - 1] + 1
            yield Piece(word, first, last, position + begin, sort)
        position += len(found)


def _trimmed(found: str, sort: str) -> str:
    if sort == "word" and "'" in found:
        found = found.removesuffix("'s").replace("'", "")
    return found[:LONGEST_TERM]


def _han_words(run: str, is_query: bool) -> list[tuple[str, int, int]]:
    """Words with offsets in the run.

    The segmenter's guessing of unknown words is off: a guess depends on the neighbours, so the
    same name would be cut differently in a text and in a query. Unknown words fall into single
    characters instead, which are found side by side.
    """
    if is_query:
        words: list[tuple[str, int, int]] = _segmenter().tokenize(run, "default", False)
        return words
    cuts = set(_segmenter().tokenize(run, "search", False))
    cuts.update((character, at, at + 1) for at, character in enumerate(run))
    cuts.update(_long_words(run))
    return sorted(cuts, key=_by_offset)


def _long_words(run: str) -> Iterator[tuple[str, int, int]]:
    """Every dictionary word of three or more characters, however the run is cut around it.

    Three characters side by side leave hardly any doubt (训练营 in "训练营地"). Pairs do
    ("产品和服务" holds no 和服), so there the segmenter decides.
    """
    at = 0
    for word in _segmenter().cut_all(run):
        at = run.find(word, at)
        if len(word) > 2:
            yield word, at, at + len(word)


def _by_offset(cut: tuple[str, int, int]) -> tuple[int, int]:
    return cut[1], cut[2]


class MixedAnalyzer(Analyzer):
    """Whoosh's door to the cuts above; it is pickled by this path inside every index."""

    def __call__(self, value: str, **options: Any) -> Iterator[Token]:
        """One reused token per piece, as Whoosh expects; mode "query" takes the plain cuts."""
        is_query = options.get("mode") == "query"
        token = Token(positions=True, chars=True, removestops=True, mode=options.get("mode", ""))
        token.boost = 1.0
        token.stopped = False
        for piece in query_pieces(value) if is_query else index_pieces(value):
            token.text = piece.text
            token.pos = options.get("start_pos", 0) + piece.position
            token.startchar = options.get("start_char", 0) + piece.start
            token.endchar = options.get("start_char", 0) + piece.end
            yield token
