"""The demo pack is complete, agrees with itself, and its pictures can be drawn again."""

import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from PIL import Image, ImageChops, ImageStat

from cms.demo.posters import COVER, PACK, POSTER, draw_all, has_chinese_font, specs

HAN = re.compile(r"[\u4e00-\u9fff]")
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", re.S)


def load(name: str) -> Any:
    return yaml.safe_load((PACK / name).read_text(encoding="utf-8"))


def read_article(path: Path) -> dict[str, Any]:
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return {**yaml.safe_load(front), "name": path.stem, "body": body}


ARTICLES = [read_article(path) for path in sorted((PACK / "articles").glob("*.md"))]
POSTERS, COVERS = specs()
VIDEOS = load("videos.yaml")["videos"]
ASSETS = ARTICLES + POSTERS + VIDEOS
GROUPS = load("tags.yaml")["groups"]
GROUP_OF = {tag["slug"]: group["slug"] for group in GROUPS for tag in group["tags"]}


def called(asset: dict[str, Any]) -> str:
    return str(asset.get("name") or asset["url"])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not has_chinese_font():
        pytest.skip("no Chinese font here; on Debian: apt-get install fonts-noto-cjk")
    folder = tmp_path_factory.mktemp("posters")
    draw_all(folder)
    return folder


def test_there_is_enough_and_two_thirds_are_chinese() -> None:
    assert len(ARTICLES) >= 44
    assert len(POSTERS) >= 16
    assert len(COVERS) >= 10
    assert len(VIDEOS) >= 10
    assert len(ASSETS) >= 60
    share = Counter(asset["lang"] for asset in ASSETS)["zh"] / len(ASSETS)
    assert 0.62 <= share <= 0.72


@pytest.mark.parametrize("article", ARTICLES, ids=called)
def test_an_article_is_worth_reading(article: dict[str, Any]) -> None:
    assert {"title", "date", "lang", "author", "summary", "tags", "draft"} <= set(article)
    assert article["draft"] is False
    if article["lang"] == "zh":
        assert len(HAN.findall(article["title"] + article["summary"])) > 10
        assert 375 <= len(re.sub(r"\s", "", article["body"])) <= 1800
    else:
        assert not HAN.search(article["title"] + article["body"])
        assert 250 <= len(article["body"].split()) <= 900


@pytest.mark.parametrize("article", [a for a in ARTICLES if a["lang"] == "zh"], ids=called)
def test_chinese_prose_has_chinese_punctuation(article: dict[str, Any]) -> None:
    prose = article["title"] + article["summary"] + CODE.sub("", article["body"])
    assert not re.findall(r"[\u4e00-\u9fff][,;:?!]|[,;?!][\u4e00-\u9fff]", prose)
    assert '"' not in prose


@pytest.mark.parametrize("asset", ASSETS, ids=called)
def test_an_asset_carries_known_tags_in_the_right_number(asset: dict[str, Any]) -> None:
    assert set(asset["tags"]) <= set(GROUP_OF)
    assert len(set(asset["tags"])) == len(asset["tags"])
    carried = Counter(GROUP_OF[tag] for tag in asset["tags"])
    for group in GROUPS:
        assert group["takes"]["least"] <= carried[group["slug"]] <= group["takes"]["most"], group[
            "slug"
        ]


def test_tags_are_named_in_both_languages_and_unique() -> None:
    tags = [tag for group in GROUPS for tag in group["tags"]]
    assert len(GROUP_OF) == len(tags)
    for named in [*GROUPS, *tags]:
        assert named["name_en"]
        assert HAN.search(named["name_zh"])
    used = {tag for asset in ASSETS for tag in asset["tags"]}
    assert used == set(GROUP_OF)


def test_every_picture_that_is_named_exists() -> None:
    folder = PACK / "posters"
    wanted = {f"{spec['name']}.png" for spec in POSTERS + COVERS}
    assert wanted == {path.name for path in folder.iterdir()}
    for video in VIDEOS:
        assert f"{video['cover']}.png" in wanted
    for article in ARTICLES:
        images = IMAGE.findall(article["body"])
        assert all(alt for alt, _ in images), article["name"]
        for place in [target for _, target in images] + [article.get("cover")] * (
            "cover" in article
        ):
            assert (PACK / "articles" / place).resolve().parent == folder.resolve()
            assert (PACK / "articles" / place).is_file(), place
    referenced = {Path(article["cover"]).stem for article in ARTICLES if "cover" in article}
    assert {spec["name"] for spec in COVERS} <= referenced


def test_posters_say_what_they_show_and_agree_with_their_theme() -> None:
    for spec in POSTERS:
        assert spec["theme"] in spec["tags"]
    for spec in POSTERS + COVERS:
        assert len(spec["alt"]) >= 6


def test_committed_pictures_are_small_and_of_the_right_size() -> None:
    sizes = []
    for spec, size in [(s, POSTER) for s in POSTERS] + [(s, COVER) for s in COVERS]:
        path = PACK / "posters" / f"{spec['name']}.png"
        sizes.append(path.stat().st_size)
        with Image.open(path) as picture:
            assert picture.size == size
            assert not picture.getexif()
    assert max(sizes) < 60_000
    assert sum(sizes) < 1_200_000


def test_pictures_drawn_again_look_like_the_committed_ones(drawn: Path) -> None:
    for path in sorted((PACK / "posters").glob("*.png")):
        with Image.open(path) as old, Image.open(drawn / path.name) as new:
            assert new.size == old.size
            difference = ImageChops.difference(old.convert("L"), new.convert("L"))
            # Another version of the font moves edges; another text or diagram moves far more.
            assert ImageStat.Stat(difference).mean[0] < 4, path.name


def test_no_title_or_foot_runs_over_the_edge(drawn: Path) -> None:
    for spec in POSTERS:
        with Image.open(drawn / f"{spec['name']}.png") as picture:
            margin = picture.convert("RGB").crop((POSTER[0] - 60, 0, *POSTER))
            assert margin.getcolors() == [(60 * POSTER[1], (0xFA, 0xF8, 0xF3))], spec["name"]


def test_class_five_and_the_bill_add_up() -> None:
    by_name = {spec["name"]: spec for spec in POSTERS}
    assert sum(row["n"] for row in by_name["employment-dots"]["facts"]["rows"]) == 86
    assert sum(row["value"] for row in by_name["who-hires"]["facts"]["rows"]) == 57
    assert sum(by_name["age-path"]["facts"]["counts"]) == 57
    assert sum(row["value"] for row in by_name["price-bars"]["facts"]["rows"]) == 8980
    for column in by_name["two-offers"]["facts"]["columns"]:
        assert sum(part["value"] for part in column["parts"]) == int(column["sum"].replace(",", ""))


def test_videos_point_at_known_hosts() -> None:
    hosts = {
        "www.bilibili.com", "www.youtube.com", "youtu.be", "v.qq.com", "channels.weixin.qq.com",
    }  # fmt: skip
    links = [urlsplit(video["url"]) for video in VIDEOS]
    assert len({video["url"] for video in VIDEOS}) == len(VIDEOS)
    assert {link.hostname for link in links} == hosts
    assert all(link.scheme == "https" for link in links)
    assert all(re.fullmatch(r"\d\d:\d\d", video["duration"]) for video in VIDEOS)


def test_the_audience_fits_together() -> None:
    audience = load("audience.yaml")
    stages = {stage["slug"]: stage for stage in audience["stages"]}
    personas = {persona["slug"] for persona in audience["personas"]}
    pools = {pool["slug"]: pool for pool in audience["pools"]}
    assert (len(stages), len(pools), len(personas)) == (6, 8, 4)
    assert {stage["group"] for stage in stages.values()} == {"new", "core", "lapsing"}
    assert {pool["stage"] for pool in pools.values()} == set(stages)
    assert {pool["persona"] for pool in pools.values()} == personas
    accounts = audience["channel_accounts"]
    assert [account["channel"] for account in accounts].count("sandbox") == 1
    served = {account["pool"]: account["channel"] for account in accounts if "pool" in account}
    assert served == {
        slug: "reader" if pool["kind"] == "group" else "manual" for slug, pool in pools.items()
    }


def test_the_truth_speaks_of_what_exists() -> None:
    truth = load("truth.yaml")
    outcomes = set(truth["outcomes"])
    stages = {stage["slug"] for stage in load("audience.yaml")["stages"]}
    assert set(truth["stages"]) == stages
    assert set(truth["channel_kinds"]) == {"group", "moments"}
    assert set(truth["tags"]) | set(truth["null_tags"]) == set(GROUP_OF)
    assert not set(truth["tags"]) & set(truth["null_tags"])
    for table in ("tags", "stages", "hours", "channel_kinds"):
        assert all(set(effects) == outcomes for effects in truth[table].values()), table
    assert set(truth["base"]) == set(truth["delays"]) == outcomes


def test_hidden_tags_are_strong_hidden_and_learnable() -> None:
    truth = load("truth.yaml")
    articles = {f"articles/{article['name']}.md": article for article in ARTICLES}
    open_carriers = Counter(tag for asset in ASSETS for tag in asset["tags"])
    hidden = truth["hidden_tags"]
    assert len(hidden) == 8
    for secret in hidden:
        assert secret["tag"] not in articles[secret["asset"]]["tags"]
        assert truth["tags"][secret["tag"]]["click"] >= 0.6
        assert open_carriers[secret["tag"]] >= 5, secret["tag"]


def test_wordings_are_of_a_length_that_people_write() -> None:
    wordings = load("wordings.yaml")["wordings"]
    names = {asset["name"]: asset for asset in ARTICLES + POSTERS}
    themes = {tag for tag, group in GROUP_OF.items() if group == "theme"}
    per_theme = Counter(wording["theme"] for wording in wordings)
    assert set(per_theme) == themes
    assert min(per_theme.values()) >= 30
    assert len({wording["text"] for wording in wordings}) == len(wordings)
    usual = {"zh": "英语不好能学 Java 吗？先看这", "en": "How much English does a Java beginner"}
    for wording in wordings:
        assert wording["text"].count("{title}") == 1
        assert 40 <= len(wording["text"].replace("{title}", usual[wording["lang"]])) <= 140, (
            wording["text"]
        )
        for name in wording.get("assets", []):
            assert names[name]["lang"] == wording["lang"]
            assert wording["theme"] in names[name]["tags"], (wording["text"], name)
