"""Markdown from outside: what readers get, what the author is told, what never comes through."""

import re
import time
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from cms.core.errors import Invalid
from cms.core.markdown import excerpt, reading_minutes, render

ROOT = Path(__file__).resolve().parents[2]


def page(source: str) -> BeautifulSoup:
    return BeautifulSoup(render(source).html, "html.parser")


def codes(source: str) -> list[str]:
    return [problem.code for problem in render(source).removed]


# --- what may stay


def test_headings_begin_below_the_page_title_and_have_chinese_anchors() -> None:
    rendered = render("# 就业 前景\n\n## Why Java\n\n## Why Java\n")
    assert [(h.level, h.text, h.anchor) for h in rendered.headings] == [
        (2, "就业 前景", "text-就业-前景"),
        (3, "Why Java", "text-why-java"),
        (3, "Why Java", "text-why-java_1"),
    ]


def test_code_keeps_its_colours_and_can_be_scrolled_by_keyboard() -> None:
    found = page("```java\nint a = 1; // 好\n```\n")
    pre = found.select_one("div.highlight pre")
    assert isinstance(pre, Tag)
    assert pre["tabindex"] == "0"
    assert found.select_one("span.kt").get_text() == "int"  # type: ignore[union-attr]
    assert "// 好" in pre.get_text()


def test_tables_task_lists_and_footnotes() -> None:
    found = page("|a|b|\n|:-|-:|\n|1|2|\n\n- [x] 已做\n- [ ] 未做\n\n话[^1]\n\n[^1]: 注\n")
    assert [cell["align"] for cell in found.select("td")] == ["left", "right"]
    assert [box.get_text() for box in found.select("li .task-box")] == ["☑", "☐"]
    assert not found.select("input")
    reference = found.select_one("a.footnote-ref")
    assert isinstance(reference, Tag)
    assert found.find(id=str(reference["href"])[1:]) is not None
    assert not render("话[^1]\n\n- [x] 做\n\n[^1]: 注\n").removed


def test_every_link_within_the_page_finds_its_place() -> None:
    found = page("## 目标\n\n[去](#目标)\n")
    assert found.find(id=str(found.select_one("p a")["href"])[1:]) is not None  # type: ignore[index]


@pytest.mark.parametrize(
    ("source", "items"),
    [
        ("文字：\n- a\n- b\n", ["a", "b"]),
        ("- a\n  - b\n- c\n", ["ab", "b", "c"]),
        ("1. a\n   - b\n2. c\n", ["ab", "b", "c"]),
        ("- a\n\n  para\n- c\n", ["apara", "c"]),
    ],
)
def test_lists_as_people_type_them(source: str, items: list[str]) -> None:
    found = [re.sub(r"\s", "", item.get_text()) for item in page(source).select("li")]
    assert found == items


def test_a_year_in_a_paragraph_is_no_list_and_code_stays_as_it_is() -> None:
    assert not page("那是\n2024. 很好\n").select("li")
    assert not page("text\n```\n- a\n  - b\n```\nmore\n").select("li")
    assert "- a\n  - b" in page("```\n- a\n  - b\n```\n").get_text()


def test_a_table_right_below_a_paragraph() -> None:
    assert len(page("薪资：\n| a | b |\n|---|---|\n| 1 | 2 |\n").select("td")) == 2


def test_line_ends_between_chinese_characters_are_no_spaces() -> None:
    assert page("你好\n世界\nJava\n编程").get_text() == "你好世界\nJava\n编程"


def test_strong_inside_chinese_needs_no_spaces() -> None:
    assert page("学**编程**吧，a_b_c").select_one("strong").get_text() == "编程"  # type: ignore[union-attr]
    assert "a_b_c" in page("a_b_c").get_text()


def test_template_syntax_is_printed_as_is() -> None:
    text = "{{7*7}} {% include 'x' %} ${7*7} #{7*7} <%= 7*7 %>"
    assert page(f"`{text}`").get_text() == text
    assert "{{7*7}} {% raw %}" in render("{{7*7}} {% raw %}").html


# --- what must go, and what the author is told

SPELLINGS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "&#106;avascript:alert(1)",
    "&#x6A&#x61vascript:alert(1)",
    "java&Tab;script:alert(1)",
    "java&NewLine;script:alert(1)",
    "javascript&colon;alert(1)",
    "\x01javascript:alert(1)",
    " javascript:alert(1)",
    "vbscript:msgbox(1)",
    "data:text/html;base64,PHNjcmlwdD4=",
    "DATA:text/html,x",
    "file:///etc/passwd",
    "blob:https://x/1",
    "\\\\evil.example/x",
    "/\\evil.example",
]


@pytest.mark.parametrize("address", SPELLINGS)
@pytest.mark.parametrize("form", ['<a href="{}">x</a>', "[x](<{}>)"])
def test_no_spelling_of_a_script_link_survives(address: str, form: str) -> None:
    rendered = render(form.format(address))
    for link in BeautifulSoup(rendered.html, "html.parser").select("a[href]"):
        # What is left may only be an address below our own pages.
        assert re.match(r"(?![\\/]{2})[^:\\]*$", str(link["href"])), link
    assert "alert(1)" not in " ".join(rendered.links)


@pytest.mark.parametrize("address", SPELLINGS[:12])
def test_the_author_is_told_of_a_removed_link(address: str) -> None:
    assert "removed_link" in codes(f'<a href="{address}">x</a>')


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><script>1</script></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<iframe src='https://evil.example'></iframe>",
        "<object data='x'></object><embed src=x>",
        "<form action=/x><button formaction=javascript:alert(1)>x</button></form>",
        "<meta http-equiv=refresh content='0;url=x'><base href=//evil>",
        "<p style='position:fixed' onclick=alert(1)>x</p>",
        "<a href=x onmouseover=alert(1)>x</a>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<details ontoggle=alert(1) open>x</details>",
        "<input autofocus onfocus=alert(1)>",
        "```\n</code></pre><script>alert(1)</script>\n```",
        '[x](https://a.example "\\" onclick=alert(1)")',
        '![" onerror=alert(1) x="](a.png)',
        "<!--><script>alert(1)</script>-->",
        "<<script>script>alert(1)<</script>/script>",
    ],
)
def test_nothing_that_runs_comes_through(source: str) -> None:
    found = page(source)
    assert not found.select(
        "script, style, iframe, object, embed, form, button, input, meta, base, svg, math, link"
    )
    for tag in found.find_all(True):
        assert not [name for name in tag.attrs if name.startswith("on") or name == "style"], tag


def test_the_author_is_told_what_was_removed() -> None:
    removed = render(
        '<script>x</script><b onclick="x" style="y">b</b> <input name=q> ![x](data:image/png;base64,x)'
    ).removed
    told = [str(problem) for problem in removed]
    assert "The element <script> was removed." in told
    assert "The attribute onclick of <b> was removed." in told
    assert "The attribute style of <b> was removed." in told
    assert "The element <input> was removed." in told
    assert "Pictures removed: 1." in told


def test_nothing_is_told_of_a_clean_text() -> None:
    source = (
        "# A\n\n![p](a.png) [b](https://c.example) <mailto@d.example>\n\n- [x] y\n\n```py\n1\n```\n"
    )
    assert render(source).removed == ()


def test_ids_cannot_take_the_place_of_the_pages_own() -> None:
    assert page('<p id="main">x</p>').find(id="main") is None
    assert page('<p class="card is-approved">x</p>').select_one("p").attrs == {}  # type: ignore[union-attr]


def test_links_out_carry_rel() -> None:
    link = page("[a](https://b.example)").select_one("a")
    assert isinstance(link, Tag)
    assert link["rel"] == ["noopener", "nofollow"]


# --- pictures


def test_pictures_are_shown_by_the_resolvers_address_only() -> None:
    known = {"../a b.png": "/media/1.webp"}
    rendered = render("![甲](<../a b.png>) ![乙](b.png)", resolve_image=known.get)
    found = BeautifulSoup(rendered.html, "html.parser")
    assert rendered.images == ("/media/1.webp",)
    assert [image["alt"] for image in found.select("img")] == ["甲"]
    assert found.select_one(".missing-image").get_text() == "乙"  # type: ignore[union-attr]
    assert [str(problem) for problem in rendered.removed] == ["There is no picture b.png."]


def test_a_resolver_cannot_be_talked_into_script() -> None:
    rendered = render("![x](javascript:alert(1))", resolve_image=lambda address: address)
    assert rendered.images == ()


# --- what is read from the text


def test_plain_text_links_and_excerpt() -> None:
    rendered = render(
        "# 题\n\n正文 [链接](https://a.example/?x=1&y=2)[^1]。\n\n```\ncode\n```\n\n[^1]: 注释\n"
    )
    assert rendered.plain_text.split("\n")[:3] == ["题", "正文 链接。", "code"]
    assert rendered.links == ("https://a.example/?x=1&y=2",)
    assert rendered.excerpt == "正文 链接。"


def test_excerpts_end_where_a_sentence_or_a_word_ends() -> None:
    assert excerpt("一二三四五六。七八九十", 8) == "一二三四五六。"
    assert excerpt("one two three four", 12) == "one two…"
    assert excerpt("一二三四五六七八九十", 5) == "一二三四五…"
    assert excerpt("short") == "short"


def test_reading_minutes_count_chinese_and_english_apart() -> None:
    assert reading_minutes("") == 1
    assert reading_minutes("字" * 1_200) == 3
    assert reading_minutes("word " * 440) == 2
    assert reading_minutes("字" * 400 + " word" * 220) == 2


# --- texts made to hurt


def test_too_long_is_told_in_bytes() -> None:
    with pytest.raises(Invalid) as caught:
        render("字" * 70_000)
    assert str(caught.value) == "Too long: 210,000/200,000 bytes. Shorten it."


def test_endless_nesting_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        render("- " * 5_000 + "a")
    assert caught.value.fields["body"].code == "content_too_complex"


def test_a_text_that_would_take_minutes_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "cms.core.markdown.most", {"article_bytes": 200_000, "article_seconds": 1}.get
    )
    started = time.monotonic()
    with pytest.raises(Invalid) as caught:
        render("[" * 60_000)  # the library needs about eight minutes for it
    assert caught.value.fields["body"].code == "content_too_complex"
    assert time.monotonic() - started < 8
    assert render("好").plain_text == "好"


def test_control_characters_do_not_reach_the_page() -> None:
    assert page("a\x00b\x02wzxhzdk:0\x03\x1b[31m").get_text() == "abwzxhzdk:0[31m"


# --- the colours of code


def _themes() -> list[dict[str, str]]:
    css = (ROOT / "static/css/tokens.css").read_text()
    found = [
        dict(re.findall(r"--([\w-]+): (#[0-9A-Fa-f]{6});", block))
        for block in re.findall(r"\{([^{}]*)\}", css)
    ]
    return [theme for theme in found if "card" in theme]


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_ink_of_code_is_legible_in_both_themes() -> None:
    css = (ROOT / "static/css/code.css").read_text()
    inks = set(re.findall(r"[^-]color: var\(--([\w-]+)\)", css))
    themes = _themes()
    assert len(inks) >= 5
    assert len(themes) >= 2
    for theme in themes:
        for ink in inks:
            lighter, darker = sorted([_luminance(theme[ink]), _luminance(theme["card"])])[::-1]
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (ink, theme["card"])
