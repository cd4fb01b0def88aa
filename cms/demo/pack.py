"""Reads the demo pack: its people, words, links and texts, as plain frozen values."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from content_library.kinds import video_hosts

HOME = Path(__file__).parent / "pack"
ARTICLES = HOME / "articles"
POSTERS = HOME / "posters"
THEMES = ("prospects", "trust", "desire", "dry-goods", "activity", "promotion")


@dataclass(frozen=True)
class Wording:
    """What an operator writes above a post; `assets` names the articles it suits, all if empty."""

    theme: str
    lang: str
    text: str
    assets: tuple[str, ...]


@dataclass(frozen=True)
class Remark:
    """What a reader may write below a post; `theme` empty: below any."""

    mood: str
    lang: str
    theme: str
    text: str


@dataclass(frozen=True)
class Front:
    """What the front matter of an article says about it."""

    name: str  # articles/zh-… .md
    title: str
    lang: str
    tags: tuple[str, ...]


def read(name: str) -> dict[str, Any]:
    """One YAML file of the pack."""
    found: dict[str, Any] = yaml.safe_load((HOME / name).read_text("utf-8"))
    return found


@cache
def fronts() -> tuple[Front, ...]:
    """The front matter of every article, by file name."""
    return tuple(_front(path) for path in sorted(ARTICLES.glob("*.md")))


@cache
def wordings() -> tuple[Wording, ...]:
    """Everything operators write above posts."""
    rows = read("wordings.yaml")["wordings"]
    return tuple(
        Wording(row["theme"], row["lang"], row["text"], tuple(row.get("assets", ())))
        for row in rows
    )


@cache
def remarks() -> tuple[Remark, ...]:
    """Everything readers write below posts."""
    rows = read("comments.yaml")["comments"]
    return tuple(
        Remark(row["mood"], row["lang"], row.get("theme", ""), row["text"]) for row in rows
    )


@cache
def addresses() -> frozenset[str]:
    """Where the videos of the pack would lie; nothing is there, their ids are made up."""
    rows = read("videos.yaml")["videos"]
    return frozenset(video_hosts.recognise(row["url"]).canonical_url for row in rows)


@cache
def names() -> tuple[str, ...]:
    """What readers call themselves."""
    return tuple(read("comments.yaml")["names"])


def _front(path: Path) -> Front:
    head = yaml.safe_load(path.read_text("utf-8").split("---\n", 2)[1])
    return Front(f"articles/{path.name}", head["title"], head["lang"], tuple(head["tags"]))
