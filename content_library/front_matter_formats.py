"""Front matter in YAML, TOML and JSON: found at the head of a file and read within narrow limits."""

import json
import re
import tomllib
from typing import Any, NoReturn

import yaml

from cms.core.i18n import N_
from cms.core.limits import most

_YAML_FENCE = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_TOML_FENCE = re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE)
_LOOKS_LIKE_YAML = re.compile(r"[\w\u4e00-\u9fff][\w \u4e00-\u9fff-]*:(?:\s|$)")
_LOOKS_LIKE_JSON = re.compile(r"\{\s*[\"}]")
_TOML_LINE = re.compile(r"line (\d+)")
_NOTHING = frozenset({"~", "null", "Null", "NULL"})


class BadFrontMatter(Exception):
    """What is wrong, as a message to translate, and on which line of the file."""

    def __init__(
        self, message: str, line: int, code: str = "bad_front_matter", **params: str
    ) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.code = code
        self.params = params


_TOO_DEEP = N_("Line %(line)s: lists and maps lie too deep inside each other: “%(excerpt)s”.")
_TOO_LONG = N_("The front matter has more than %(limit)s bytes; it begins “%(excerpt)s”.")
_TOO_MANY_ALIASES = N_("Line %(line)s: more than %(limit)s YAML aliases: “%(excerpt)s”.")
_NO_END = N_("Line %(line)s: the front matter that begins here never ends: “%(excerpt)s”.")
_NOT_VALID = N_("Line %(line)s is not valid %(format)s: “%(excerpt)s” (%(detail)s).")


def split(text: str) -> tuple[dict[str, Any], str]:
    """The front matter's values and the text below it; no values when the file has none."""
    start = len(text) - len(text.lstrip())
    head, rest = text[:start], text[start:]
    skipped = head.count("\n")
    try:
        if rest.startswith("---"):
            return _fenced(text, rest, skipped, is_toml=False)
        if rest.startswith("+++"):
            return _fenced(text, rest, skipped, is_toml=True)
        if _LOOKS_LIKE_JSON.match(rest):
            return _json(rest, skipped)
    except RecursionError:
        raise BadFrontMatter(_TOO_DEEP, skipped + 1) from None
    return {}, text


def _fenced(text: str, rest: str, skipped: int, *, is_toml: bool) -> tuple[dict[str, Any], str]:
    first, _, inner = rest.partition("\n")
    if first.rstrip() not in {"---", "+++"}:
        return {}, text
    end = (_TOML_FENCE if is_toml else _YAML_FENCE).search(inner)
    if end is None:
        if is_toml or _LOOKS_LIKE_YAML.match(inner.lstrip()):
            raise BadFrontMatter(_NO_END, skipped + 1)
        return {}, text  # a rule drawn across the page
    source = inner[: end.start()]
    _check_size(source, skipped + 1)
    read = _toml if is_toml else _yaml
    values = read(source, skipped + 1)
    if values is None:
        return {}, text  # words between two rules
    return values, inner[end.end() :].removeprefix("\n")


def _check_size(source: str, line: int) -> None:
    if len(source.encode()) > most("front_matter_bytes"):
        raise BadFrontMatter(
            f"more than {most('front_matter_bytes'):,} bytes of front matter", line
        )


def _yaml(source: str, before: int) -> dict[str, Any] | None:
    """Every scalar stays the text it is, so that `no`, `12:30` and `1e3` are titles like any other."""
    try:
        _check_shape(source, before)
        # The base loader knows texts, lists and maps, nothing else: not even a tag can ask for more.
        values = yaml.load(source, Loader=yaml.BaseLoader)  # noqa: S506
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        detail = getattr(error, "problem", None) or type(error).__name__
        line = before + (mark.line + 1 if mark else 1)
        raise BadFrontMatter(_NOT_VALID, line, format="YAML", detail=str(detail)) from None
    if values in ("", None):
        return {}
    return _without_nothing(values) if isinstance(values, dict) else None


def _check_shape(source: str, before: int) -> None:
    """Count aliases and levels while nothing is built yet: a few lines can mean a billion values."""
    aliases = depth = 0
    for event in yaml.parse(source, Loader=yaml.BaseLoader):
        line = before + (event.start_mark.line + 1 if event.start_mark else 1)
        if isinstance(event, yaml.AliasEvent):
            aliases += 1
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if aliases > most("front_matter_aliases"):
            limit = str(most("front_matter_aliases"))
            raise BadFrontMatter(_TOO_MANY_ALIASES, line, limit=limit)
        if depth > most("front_matter_depth"):
            raise BadFrontMatter(_TOO_DEEP, line)


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _without_nothing(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_nothing(inner) for inner in value]
    return "" if value in _NOTHING else value


def _toml(source: str, before: int) -> dict[str, Any]:
    try:
        return tomllib.loads(source)
    except ValueError as error:  # its own kind, and a number of ten thousand digits
        named = _TOML_LINE.search(str(error))
        line = before + (int(named[1]) if named else source.rstrip().count("\n") + 1)
        detail = str(error).split(" (at ")[0].lower()
        raise BadFrontMatter(_NOT_VALID, line, format="TOML", detail=detail) from None


def _json(rest: str, skipped: int) -> tuple[dict[str, Any], str]:
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    try:
        values, end = decoder.raw_decode(rest)
    except json.JSONDecodeError as error:
        line = skipped + error.lineno
        detail = error.msg.lower()
        raise BadFrontMatter(_NOT_VALID, line, format="JSON", detail=detail) from None
    except ValueError as error:
        detail = str(error).lower()
        raise BadFrontMatter(_NOT_VALID, skipped + 1, format="JSON", detail=detail) from None
    _check_size(rest[:end], skipped + 1)
    return values, rest[end:].removeprefix("\n")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
