"""`python -m tests.browser.screenshots`: makes the pictures in the docs from a fresh demo world."""

import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

from bench.figures import ROOT
from bench.running import eventually, system
from tests.browser import pages, world
from tests.browser.world import PHONE, People

FOLDER = ROOT / "docs" / "screenshots"
MOST_BYTES = 300 * 1024
DITHER = Image.Dither.NONE
WIDE = {"width": 1440, "height": 900}


def _nothing(_page: Page) -> None:
    pass


@dataclass(frozen=True)
class Picture:
    """One picture: who looks at what, and what they do before it is taken."""

    name: str
    role: str
    path: str
    size: dict[str, int]
    scheme: str = "light"
    lang: str = "en"
    prepare: Callable[[Page], None] = _nothing
    place: Callable[[People], str] | None = (
        None  # instead of a path, where one is to be found first
    )


def _board() -> str:
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    return f"/calendar/weeks/{today - timedelta(days=today.weekday())}"


def _to_approve(page: Page) -> None:
    card = page.locator(".sheet-card:has(button:has-text('Approve'))").first
    card.evaluate("(one) => window.scrollTo(0, one.getBoundingClientRect().top + scrollY - 72)")


def _first_post(page: Page) -> None:
    """From the feed to the page of a post that has words under it."""
    page.goto(page.locator(".feed h2 a").first.get_attribute("href") or "/")


def _first_suggestion(page: Page) -> None:
    page.locator("article.card h2 a").first.click()
    page.wait_for_load_state()


def _moments_post(people: People) -> str:
    """The WeCom Moments post that the demo sends as one looks on."""
    page = people.a("operator")
    page.goto("/settings/accounts")
    page.get_by_role("link", name="企业微信朋友圈").first.click()
    rows = page.locator("a[href^='/today/publications/']")
    found = {int(href.rsplit("/", 1)[1]): href for href in _hrefs(rows)}
    page.context.close()
    return found[max(found)]


def _hrefs(links: Locator) -> list[str]:
    return [href for link in links.all() if (href := link.get_attribute("href"))]


def _some_confirmed(page: Page) -> None:
    """Until some of the employees have done it, or all if they were too quick for us."""

    def has_begun() -> bool:
        page.reload()
        said = page.locator("#people-card").all_inner_texts()
        return bool(said) and re.search(r"[2-6] of 6 confirmed", said[0]) is not None

    eventually(has_begun, within=180, pause=2, what="some employees confirmed")


def _phones(people: People) -> str:
    return (people.system.home / "carriers" / "address").read_text() + "/wecom/"


PICTURES = (
    Picture("confirmations", "operator", "", WIDE, prepare=_some_confirmed, place=_moments_post),
    Picture("employees", "operator", "", WIDE, place=_phones),
    Picture("board", "planner", _board(), WIDE),
    Picture("board-zh", "planner", _board(), WIDE, lang="zh"),
    Picture("board-dark", "planner", _board(), WIDE, scheme="dark"),
    Picture("today-phone", "operator", "/today/", PHONE, prepare=_to_approve),
    Picture("library", "planner", "/library?q=Java&sort=click_rate", WIDE),
    Picture("insights", "analyst", "/insights/tags", WIDE),
    Picture("reader-phone", "", "", PHONE, lang="zh", prepare=_first_post),
    Picture("suggestion", "analyst", "/insights/suggestions", WIDE, prepare=_first_suggestion),
    Picture("waiting", "operator", "/today/waiting", WIDE),
    Picture("channels", "planner", "/settings/channels", WIDE),
)


def take(people: People, picture: Picture) -> Path:
    """Take one picture and make it small enough for a page of documentation."""
    options = {"color_scheme": picture.scheme, "device_scale_factor": 1}
    path = picture.place(people) if picture.place else picture.path
    if picture.role:
        page = people.a(picture.role, size=picture.size, **options)
        _speak(page, picture.lang)
    else:
        path = _feed(people)
        page = people.a_stranger(size=picture.size, locale="zh-CN", **options)
    page.goto(path)
    picture.prepare(page)
    page.wait_for_load_state("networkidle")
    page.evaluate("() => document.fonts.ready")
    target = FOLDER / f"{picture.name}.png"
    page.screenshot(path=target, animations="disabled")
    if picture.lang != "en" and picture.role:
        _speak(page, "en")
    page.context.close()
    _shrink(target)
    return target


def _speak(page: Page, lang: str) -> None:
    page.goto("/profile")
    token = page.locator("meta[name=csrf-token]").get_attribute("content") or ""
    form = {"csrf_token": token, "language": lang}
    page.request.post("/preferences", form=form, headers={"Referer": page.url})


def _feed(people: People) -> str:
    """The first feed in which something stands: Moments have none."""
    page = people.a("planner")
    for address in pages.feeds(page):
        page.goto(address)
        if page.locator(".feed li").count():
            page.context.close()
            return address
    raise LookupError("every feed is empty")


def _shrink(path: Path) -> None:
    """Fewer colours only when it must be: the palette keeps rare ones, which mark the themes."""
    with Image.open(path) as picture:
        whole = picture.convert("RGB")
    whole.save(path, optimize=True)
    for colours in (256, 128, 64):
        if path.stat().st_size <= MOST_BYTES:
            return
        few = whole.quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=8, dither=DITHER)
        few.save(path, optimize=True)


def main() -> int:
    """All pictures, or those named on the command line."""
    wanted = [one for one in PICTURES if not sys.argv[1:] or one.name in sys.argv[1:]]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with system("pictures") as one, sync_playwright() as playwright:
        if filled := os.environ.get("SEEDBED_BROWSER_HOME"):
            shutil.copytree(filled, one.home, dirs_exist_ok=True)
        one.up()
        eventually(lambda: len(world.links(one)) == len(world.ROLES), what="a link for each role")
        world.until_healthy(one)
        browser = world.launch(playwright)
        people = People(one, browser)
        for picture in wanted:
            path = take(people, picture)
            print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1024} kB", flush=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
