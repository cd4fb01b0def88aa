"""Every main page, by day and by night, on a desk and on a phone: sound, accessible, in its frame."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import SCREENS, Screen, feeds
from tests.browser.world import DESK, PHONE, People

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
GRAVE = ("serious", "critical")
LOOK = """async (rules) => {
  const found = await axe.run(document, rules.length ? { runOnly: rules } : { resultTypes: ["violations"] });
  return found.violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(" | ")}`);
}"""
# What sticks out, unless something around it is meant to scroll.
WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const scrolls = (one) => one && (getComputedStyle(one).overflowX !== "visible" || scrolls(one.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > width + 1 && !scrolls(one.parentElement))
    .slice(0, 5).map((one) => `${one.tagName}.${one.className}`);
}"""


def grave(page: Page, *rules: str) -> list[str]:
    """What axe calls serious or critical."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE)
    return [f"{page.viewport_size['width']} px: {one}" for one in page.evaluate(LOOK, list(rules))]


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_page(screen: Screen, people: People) -> None:
    judge(screen.open(people))


def test_a_reader_s_page(people: People) -> None:
    addresses = feeds(people.a("planner"))
    reader = people.a_stranger(size=PHONE, locale="zh-CN")
    for address in addresses:
        reader.goto(address)
        if reader.locator(".feed h2 a").count():
            break
    reader.locator(".feed h2 a").first.click()
    expect(reader.locator(".react")).to_be_visible()
    judge(reader)


def judge(page: Page) -> None:
    """Everything that is true of every page."""
    assert page.locator("h1").count() == 1, page.locator("h1").all_inner_texts()
    assert page.title().strip(" ·").removesuffix("Seedbed").strip(" ·"), "a title of its own"
    ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids)), {one for one in ids if ids.count(one) > 1}
    faults = grave(page)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    faults += [f"dark, {one}" for one in grave(page, "color-contrast")]
    page.set_viewport_size(PHONE)
    faults += [f"dark, {one}" for one in grave(page, "color-contrast")]
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    faults += grave(page)
    sticks_out = page.evaluate(WIDE)
    assert faults == []
    assert sticks_out == [], "the page scrolls sideways on a phone"
    page.set_viewport_size(DESK)
    assert page.evaluate(WIDE) == []
