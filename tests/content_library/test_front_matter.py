"""Markdown files as other people's tools write them, and files made to hurt."""

import json
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cms.core.errors import Invalid, Problem
from content_library.front_matter import Parsed, guess_language, parse

SHANGHAI = ZoneInfo("Asia/Shanghai")


def read(text: str, file_name: str = "a.md", encoding: str = "utf-8") -> Parsed:
    return parse(text.encode(encoding), file_name=file_name, zone=SHANGHAI)


def refusal(content: str | bytes, file_name: str = "a.md") -> Problem:
    raw = content.encode() if isinstance(content, str) else content
    with pytest.raises(Invalid) as caught:
        parse(raw, file_name=file_name, zone=SHANGHAI)
    assert list(caught.value.fields) == ["file"]
    assert str(caught.value)
    return caught.value.fields["file"]


# --- the three forms and none


def test_yaml_as_hugo_writes_it() -> None:
    parsed = read(
        '---\ntitle: "零基础转行：三个月够吗"\ndate: 2024-03-02T08:30:00+08:00\ndraft: false\n'
        "tags: [trust, 就业]\ncategories:\n  - 干货\nsummary: 一句话\ncover:\n  image: ../posters/a.png\n"
        "weight: 10\n---\n\n正文\n"
    )
    assert parsed == Parsed(
        title="零基础转行：三个月够吗",
        date=datetime(2024, 3, 2, 0, 30, tzinfo=UTC),
        tags=("trust", "就业"),
        categories=("干货",),
        draft=False,
        lang="zh",
        summary="一句话",
        body="正文",
        cover="../posters/a.png",
        extra={"weight": "10"},
    )


def test_toml_as_hugo_writes_it() -> None:
    parsed = read(
        "+++\ntitle = 'Why Java'\ndate = 2024-03-02\ndraft = true\ntags = ['a', 'b']\n"
        "images = ['/x.png', '/y.png']\n[params]\nsince = 2020-01-01\nbig = inf\n+++\nBody text here\n"
    )
    assert (parsed.title, parsed.tags, parsed.draft, parsed.lang) == (
        "Why Java",
        ("a", "b"),
        True,
        "en",
    )
    assert parsed.date == datetime(2024, 3, 2, tzinfo=SHANGHAI)
    assert parsed.cover == "/x.png"
    assert (
        json.dumps(parsed.extra, allow_nan=False)
        == '{"params": {"since": "2020-01-01", "big": "inf"}}'
    )


def test_json_as_hugo_writes_it() -> None:
    parsed = read('{\n  "title": "甲}", "tags": ["x"],\n  "draft": false\n}\n正文')
    assert (parsed.title, parsed.tags, parsed.body) == ("甲}", ("x",), "正文")


def test_no_front_matter_takes_the_first_heading_and_does_not_show_it_twice() -> None:
    parsed = read("\n# **薪资**表 [2024](x) #\n\n正文\n\n## 小节\n")
    assert (parsed.title, parsed.body) == ("薪资表 2024", "正文\n\n## 小节")
    assert read("Title\n=====\n\ntext").title == "Title"
    assert read("```\n# no heading\n```\n\n## 真\n").title == "真"
    late = read("intro\n\n## Later\n\ntext")
    assert (late.title, late.body) == ("Later", "intro\n\n## Later\n\ntext")


def test_a_heading_that_repeats_the_title_is_left_out_another_stays() -> None:
    assert read("---\ntitle: 甲\n---\n# 甲\n文").body == "文"
    assert read("---\ntitle: 甲\n---\n# 乙\n文").body == "# 乙\n文"


@pytest.mark.parametrize(
    ("file_name", "title", "date", "lang"),
    [
        (
            "_posts/2024-01-02-my-first_post.md",
            "my first post",
            datetime(2024, 1, 2, tzinfo=SHANGHAI),
            "en",
        ),
        ("编程入门.markdown", "编程入门", None, "zh"),
        ("posts/why-java/index.md", "why java", None, "en"),
        ("posts/why-java/index.zh-cn.md", "why java", None, "zh"),
        ("a\\b\\about.en.md", "about", None, "en"),
        ("2024-13-40-odd.md", "odd", None, "en"),
    ],
)
def test_the_file_name_speaks_when_nothing_else_does(
    file_name: str, title: str, date: datetime | None, lang: str
) -> None:
    parsed = read("only words" if lang == "en" else "只有文字", file_name)
    assert (parsed.title, parsed.date, parsed.lang) == (title, date, lang)


def test_front_matter_is_stronger_than_the_file_name() -> None:
    parsed = read("---\ndate: 2023-05-06\nlang: en\n---\n中文", "2024-01-02-x.zh.md")
    assert (parsed.date, parsed.lang) == (datetime(2023, 5, 6, tzinfo=SHANGHAI), "en")


# --- values


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        ("tags: [a, b, A]", ("A", "b")),
        ("tags: java spring", ("java", "spring")),
        ("tags: Spring Boot, 就业", ("Spring Boot", "就业")),
        ("tags: 就业，薪资、面试", ("就业", "薪资", "面试")),
        ("tag: Spring Boot", ("Spring Boot",)),
        ("tag: [x, y]", ("x", "y")),
        ("tags: [no, 2024, 1.0, '#hash']", ("no", "2024", "1.0", "hash")),
        ("tags:\n- 甲\n- 乙", ("甲", "乙")),
        ("tags:", ()),
        ("tags: ~", ()),
        ("tags: []", ()),
        ("Tags: [upper]", ("upper",)),
    ],
)
def test_tags_in_every_form(line: str, tags: tuple[str, ...]) -> None:
    assert read(f"---\n{line}\n---\nx").tags == tags


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2024-01-02", datetime(2024, 1, 2, tzinfo=SHANGHAI)),
        ("2024-1-2 8:05", datetime(2024, 1, 2, 8, 5, tzinfo=SHANGHAI)),
        ("2024-01-02 03:04:05 +0800", datetime(2024, 1, 1, 19, 4, 5, tzinfo=UTC)),
        ("2024-01-02T03:04:05Z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2024-01-02T03:04:05.123456-05:00", datetime(2024, 1, 2, 8, 4, 5, tzinfo=UTC)),
        ("2024/01/02", datetime(2024, 1, 2, tzinfo=SHANGHAI)),
        ("2024年1月2日", datetime(2024, 1, 2, tzinfo=SHANGHAI)),
        ('"2024-01-02 03:04:05 UTC"', datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2024-01-02 03:04 Europe/Berlin", datetime(2024, 1, 2, 2, 4, tzinfo=UTC)),
    ],
)
def test_dates_in_every_form(value: str, moment: datetime) -> None:
    assert read(f"---\ntitle: x\ndate: {value}\n---\nx").date == moment


@pytest.mark.parametrize(
    "value",
    [
        "2024-02-30",
        "0000-01-01",
        "9999-01-01",
        "yesterday",
        "2024-01-02 25:00",
        "20240102",
        "[2024]",
        "2024-01-02 03:04 Mars/Base",
        "2024-01-02 03:04 +99:99",
    ],
)
def test_dates_that_are_none(value: str) -> None:
    problem = refusal(f"---\ntitle: x\ndate: {value}\n---\nx")
    assert (problem.code, problem.params["line"]) == ("bad_date", 3)
    assert problem.params["excerpt"] == f"date: {value}"


@pytest.mark.parametrize(
    ("lines", "draft"),
    [
        ("draft: true", True),
        ("draft: no", False),
        ("published: false", True),
        ("published: true", False),
        ("title: x", False),
        ("draft: 'on'", True),
    ],
)
def test_drafts(lines: str, draft: bool) -> None:
    assert read(f"---\n{lines}\n---\nx").draft is draft


def test_a_title_stays_what_its_author_wrote() -> None:
    for title in ("no", "12:30", "1e3", "2024", "0777", "Null Pointer", "是：否"):
        assert read(f"---\ntitle: {title}\n---\nx").title == title
    assert read('{"title": 5}\nx').title == "5"


def test_languages_are_guessed_by_their_share() -> None:
    assert guess_language("学 Java 和 Spring Boot 的 路线 图") == "zh"
    assert guess_language("The word 你好 means hello in Chinese and nothing else") == "en"
    assert guess_language("") == "en"


# --- what looks like front matter and is none


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nA rule above.\n\n---\n\nmore",
        "---\njust a rule",
        "{{< shortcode >}}\ntext",
        "{not json",
        "text\n\n---\n\ntitle: x\n\n---",
        "----\na: b\n\n----",
    ],
)
def test_rules_and_braces_are_text(text: str) -> None:
    assert read(text, "name.md").body == text


def test_a_byte_order_mark_and_windows_line_ends() -> None:
    parsed = parse(b"\xef\xbb\xbf---\r\ntitle: x\r\n---\r\nbody\r\n", file_name="a.md")
    assert (parsed.title, parsed.body) == ("x", "body")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_encodings(encoding: str) -> None:
    parsed = read("---\ntitle: 转行编程\n---\n先看数据，再做决定。\n", encoding=encoding)
    assert (parsed.title, parsed.body) == ("转行编程", "先看数据，再做决定。")


# --- faults, told with their line


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ("", "file_empty", None),
        (" \n\u200b\n", "file_empty", None),
        (b"\x89PNG\r\n\x1a\n\0\0", "bad_encoding", 1),
        (b"ok\n" + "中文日本".encode("big5") + b"\xff", "bad_encoding", 2),
        ("---\ntitle: x\ndraft: false\n", "bad_front_matter", 1),
        ("+++\ntitle = 'x'\n", "bad_front_matter", 1),
        ("---\ntitle: x\nbad: [a\n---\nx", "bad_front_matter", 4),
        ("---\ntitle: x\n\tb: c\n---\nx", "bad_front_matter", 3),
        ("---\ntitle: a: b\n---\nx", "bad_front_matter", 2),
        ("\n\n---\ntitle: a: b\n---\nx", "bad_front_matter", 4),
        ("+++\ntitle = 'x'\nb = \n+++\nx", "bad_front_matter", 3),
        ('{\n"title": "x",\n"b": \n}\nx', "bad_front_matter", 4),
        ('{"a": NaN}\nx', "bad_front_matter", 1),
        ('{"a": ' + "1" * 9_999 + "}\nx", "bad_front_matter", 1),
        ("+++\na = " + "1" * 9_999 + "\n+++\nx", "bad_front_matter", 2),
        ("---\ntitle: [a, b]\n---\nx", "bad_front_matter", 2),
        ("---\ntitle: x\ntags: {a: b}\n---\nx", "bad_front_matter", 3),
        ("---\ntags: [[a], b]\n---\nx", "bad_front_matter", 2),
        ("---\ndraft: maybe\n---\nx", "bad_front_matter", 2),
        ("---\na: *nowhere\n---\nx", "bad_front_matter", 2),
        ("---\n? [a]: b\n: c\n---\nx", "bad_front_matter", None),
    ],
)
def test_faults_name_their_line(content: str | bytes, code: str, line: int | None) -> None:
    problem = refusal(content)
    assert problem.code == code
    if line is not None:
        assert problem.params["line"] == line
    assert len(problem.params.get("excerpt", "")) <= 80


def test_the_excerpt_is_cut_at_80_characters() -> None:
    problem = refusal("---\ntitle: 甲: " + "乙" * 200 + "\n---\nx")
    assert problem.params["excerpt"] == "title: 甲: " + "乙" * 70


def test_a_file_too_large_is_told_with_both_sizes() -> None:
    problem = refusal(b"a" * 2_100_000)
    assert problem.code == "file_too_large"
    assert "2,100,000" in str(problem)
    assert "2,097,152" in str(problem)


def bomb() -> str:
    levels = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    levels += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "---\n" + "\n".join(levels) + "\n---\nx"


@pytest.mark.parametrize(
    "content",
    [
        bomb(),
        "---\na: &a [*a]\nb: [*a, *a]\n---\nx",
        "---\na: " + "[" * 5_000 + "]" * 5_000 + "\n---\nx",
        "---\na: " + "[" * 5_000 + "\n---\nx",
        "---\n" + "\n".join("  " * n + "a:" for n in range(200)) + "\n---\nx",
        "---\na: " + "x" * 70_000 + "\n---\nx",
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}\nx",
        "+++\na = " + "[" * 5_000 + "]" * 5_000 + "\n+++\nx",
        "+++\na = '" + "x" * 70_000 + "'\n+++\nx",
        "---\n" + "&a " * 10_000 + "\n---\nx",
        "---\n" + "? " * 5_000 + "\n---\nx",
        "---\n" + "- " * 5_000 + "a\n---\nx",
    ],
)
def test_bombs_are_refused_at_once(content: str) -> None:
    started = time.monotonic()
    assert refusal(content).code == "bad_front_matter"
    assert time.monotonic() - started < 3


def test_a_few_aliases_are_fine() -> None:
    parsed = read("---\nbase: &t [a, b]\ntags: *t\n---\nx")
    assert parsed.tags == ("a", "b")


def test_no_tag_makes_an_object() -> None:
    problem = refusal("---\ntitle: !!python/object/apply:os.system ['touch /tmp/hacked']\n---\nx")
    assert problem.code == "bad_front_matter"
    harmless = read("---\ntitle: !!python/name:os.system x\nextra: !!binary aGk=\n---\nx")
    assert harmless.title == "x"
    assert harmless.extra == {"extra": "aGk="}


def test_control_characters_and_zeros_end_here() -> None:
    parsed = read('{"title": "a\\u0000b\\u001b[31m\\ud800", "note": "c\\u0000d"}\nx')
    assert parsed.title == "ab[31m"
    assert parsed.extra == {"note": "cd"}
