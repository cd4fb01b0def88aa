"""The whole loop as a new user walks it: find, write, plan, approve, publish, read, learn."""

import io
import random
import re
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from bench.running import System, eventually
from tests.browser import world
from tests.browser.world import PHONE, People

pytestmark = pytest.mark.browser

ZONE = ZoneInfo("Asia/Shanghai")
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)
SOON = 30.0  # seconds within which clock and workers have done their part on a busy machine


def tiles(page: Page) -> list[str]:
    return page.locator(".library__tiles .asset-card__title").all_inner_texts()


def week(offset: int) -> str:
    """The board of the week so many weeks after this one."""
    today = datetime.now(ZONE).date()
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=offset)
    return f"/calendar/weeks/{monday.isoformat()}"


def poster() -> bytes:
    """A picture nobody uploaded before."""
    made = Image.new("RGB", (640, 360), tuple(random.choices(range(256), k=3)))
    buffer = io.BytesIO()
    made.save(buffer, "PNG")
    return buffer.getvalue()


def sheet_card(page: Page, post_id: str) -> Locator:
    return page.locator(f"#post-{post_id}-card")


def number_in(address: str) -> str:
    found = re.findall(r"/(\d+)", address)
    assert found, address
    return found[-1]


def plan(page: Page, words: str, *, pool: str, at: datetime) -> str:
    """Plan the first asset that the words find, at a time by hand; returns the post's number."""
    page.goto(f"/calendar/posts/new?q={words}")
    page.locator(".tray-item__title").first.click()
    choice = page.locator("select[name=pool] option", has_text=pool).first
    page.locator("select[name=pool]").select_option(value=choice.get_attribute("value"))
    page.locator("input[name=wall_date]").fill(f"{at:%Y-%m-%d}")
    page.locator("input[name=wall_time]").fill(f"{at:%H:%M}")
    page.get_by_role("button", name="Plan it").click()
    page.wait_for_url(re.compile(r"/calendar/(posts/\d+|weeks/)"))
    if "/weeks/" in page.url:
        drafts = page.locator(f".post:has(.post__time:text-is('{at:%H:%M}')):has-text('Draft')")
        drafts.locator(".post__link").first.click()
    return number_in(page.url)


def submit(page: Page) -> None:
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator(".page-bar .state")).to_have_text("Submitted")


def test_a_link_signs_in_once(running: System, people: People) -> None:
    people.a("planner")
    stranger = people.a_stranger()
    answer = stranger.goto(world.links(running)["planner"])
    assert answer
    assert answer.status in (404, 410), "the link is spent"
    assert stranger.locator("nav.rail").count() == 0


def test_assets_are_found_by_words_tags_stage_and_rate(people: People) -> None:
    page = people.a("planner")
    page.goto("/library")
    page.get_by_role("searchbox").fill("面试")
    page.get_by_role("searchbox").press("Enter")
    page.wait_for_url("**q=*")
    assert any("面试" in title for title in tiles(page))
    page.goto("/library?q=stack heap")
    assert any("Stack and heap" in title for title in tiles(page))
    page.goto("/library")
    trust = page.locator(".facet", has_text=re.compile("^Trust"))
    promised = int(trust.locator(".facet__count").inner_text())
    trust.locator("input").check()
    page.wait_for_url("**tag=*")
    expect(page.locator(".page-bar__detail")).to_have_text(f"{promised} assets")
    page.goto("/library")
    page.locator(".facet", has_text=re.compile("^Paying")).locator("input").check()
    page.wait_for_url("**tag=*")
    with page.expect_navigation(url="**sort=click_rate*"):
        page.locator("#sort").select_option("click_rate")
    rates = page.locator(".library__tiles .rate").all_inner_texts()
    lows = [float(re.search(r"· ([\d.]+)–", rate)[1]) for rate in rates]
    assert len(lows) > 3, (page.url, page.locator(".page-bar__detail").inner_text(), rates)
    assert lows == sorted(lows, reverse=True), "a rate counts as far as its sample carries it"
    assert all("n" in rate for rate in rates)


def test_an_article_is_written_with_preview_tags_and_versions(people: People) -> None:
    page = people.a("planner")
    page.goto("/library/new/article")
    title = f"A page of {time.time():.0f}"
    page.get_by_label("Title").fill(title)
    page.locator("textarea[name=body]").fill("## First light\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    page.get_by_role("button", name="Preview").click()
    preview = page.locator("[data-preview]")
    expect(preview.get_by_role("heading")).to_have_text("First light")
    expect(preview.locator("td")).to_have_count(2)
    page.locator("label.check", has_text=re.compile("^Trust$")).first.locator("input").check()
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url(re.compile(r"/library/\d+$"))
    expect(page.locator("h1")).to_have_text(title)
    expect(page.locator(".library-tags")).to_contain_text("Trust")
    page.get_by_role("link", name="Edit").click()
    page.locator("textarea[name=body]").fill("## Second light\n")
    page.get_by_role("button", name="Save as a new version").click()
    page.wait_for_url(re.compile(r"/library/\d+$"))
    expect(page.locator(".library-paper")).to_contain_text("Second light")
    page.get_by_role("link", name="Version 1").click()
    expect(page.locator("main")).to_contain_text("First light")


def test_a_video_link_and_a_poster_are_added(people: People) -> None:
    page = people.a("planner")
    page.goto("/library/new/video")
    page.get_by_label("Title").fill("串行还是并行")
    page.locator("input[name=url]").fill("https://www.bilibili.com/video/BV1xx411c7mD/")
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url(re.compile(r"/library/\d+$"))
    expect(page.locator("main")).to_contain_text("Bilibili", ignore_case=True)
    page.goto("/library/new/poster")
    page.get_by_label("Title").fill("Poster without words")
    given = {"name": "poster.png", "mimeType": "image/png", "buffer": poster()}
    page.locator("input[name=file]").set_input_files(given)
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("#alt-error")).to_be_visible()
    if not page.locator("img.drop__preview").count():
        page.locator("input[name=file]").set_input_files(given)
    page.locator("[name=alt]").fill("A plain area of one colour")
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url(re.compile(r"/library/\d+$"))
    picture = page.locator(".library-paper img").first
    expect(picture).to_have_attribute("alt", "A plain area of one colour")
    assert picture.evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 0


def test_the_week_is_planned_by_hand_by_key_and_without_scripts(people: People) -> None:
    page = people.a("planner")
    page.goto(week(1))
    page.wait_for_selector("html[data-scripts=ready]")
    before = page.locator(".board [data-post]").count()
    page.get_by_role("button", name="Library").click()
    slot = page.locator(".board a.slot").first
    where = slot.get_attribute("data-slot")
    page.locator(".tray [data-asset]").first.drag_to(slot)
    expect(page.locator(".board [data-post]")).to_have_count(before + 1)
    assert page.locator(f'.board a.slot[data-slot="{where}"]').count() == 0
    page.locator(".tray-item__title").nth(1).press(" ")
    expect(page.locator(".board :focus")).to_have_count(1)
    for _day in range(7):
        if page.evaluate("() => document.activeElement.matches('.slot')"):
            break
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".board [data-post]")).to_have_count(before + 2)

    plain = people.a("planner", java_script_enabled=False)
    plain.goto(week(1))
    plain.locator(".board a.slot").first.click()
    plain.locator(".tray-item__title").nth(3).click()
    plain.get_by_role("button", name="Plan it").click()
    plain.goto(week(1))
    assert plain.locator(".board [data-post]").count() == before + 3
    plain.locator(".board .post:has-text('Draft') .post__link").first.click()
    plain.locator("textarea[name=text]").fill("今晚八点半，换一句话说。")
    plain.get_by_role("button", name="Save the wording").click()
    expect(plain.locator(".preview .preview__text").first).to_contain_text("换一句话说")


def test_last_week_is_copied(people: People) -> None:
    page = people.a("planner")
    page.goto(week(3))
    assert page.locator(".board [data-post]").count() == 0
    page.goto(f"{week(3)}/copy?source={week(1).rpartition('/')[2]}")
    copy = page.get_by_role("button", name=re.compile(r"^Copy \d+ posts?$"))
    count = int(copy.inner_text().split()[1])
    copy.click()
    page.wait_for_url(f"**{week(3)}**")
    assert count > 10
    assert page.locator(".board [data-post]").count() == count


def test_a_post_goes_from_the_plan_to_its_readers_and_back(people: People) -> None:
    planner = people.a("planner")
    now = datetime.now(ZONE)
    due = (now + timedelta(seconds=95)).replace(second=0, microsecond=0)
    post_id = plan(planner, "JVM", pool="老朋友群", at=due)
    submit(planner)
    planner.context.close()

    phone = people.a("operator", size=PHONE)
    phone.goto(f"/today/?day={due:%Y-%m-%d}")
    card = sheet_card(phone, post_id)
    expect(card.locator(".preview").first).to_contain_text("JVM")
    card.get_by_role("button", name="Approve").click()
    phone.goto(f"/calendar/posts/{post_id}")
    expect(phone.locator(".page-bar .state")).to_have_text("Scheduled")
    phone.goto(f"/today/?day={due:%Y-%m-%d}&view=all")
    sheet_card(phone, post_id).get_by_role("link", name="How it went").click()
    publication = phone.url

    def is_published() -> bool:
        phone.goto(publication)
        return phone.locator(".state").first.inner_text() == "Published"

    left = (due - datetime.now(ZONE)).total_seconds()
    eventually(is_published, within=left + SOON, pause=1.0, what="published at its minute")
    facts = phone.locator(".facts").first.inner_text()
    assert f"Published\n{due:%Y-%m-%d %H:%M}" in facts, "in its minute, not before, not after"
    link = phone.locator("aside code").first.inner_text()

    reader = people.a_stranger(size=PHONE, user_agent=IPHONE, locale="zh-CN")
    reader.goto(link)
    assert "/p/" in reader.url
    said = f"第{time.time():.0f}个问题：从哪里学起？"
    for act in ("like", "collect"):
        button = reader.locator(f"[data-act={act}] button")
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
    reader.locator("#name").fill("小林")
    reader.locator("textarea#text").fill(said)
    reader.locator("button.go").click()
    expect(reader.locator(".note[role=status]")).to_be_visible()
    assert said not in reader.locator(".talk").inner_text(), "held until somebody has read it"

    def has_arrived() -> bool:
        phone.goto(publication)
        told = phone.locator("section[aria-labelledby=readers]")
        if not told.count():
            return False
        words = told.inner_text()
        return all(re.search(rf"{name}\s+1\b", words) for name in ("Clicks", "Collects"))

    eventually(has_arrived, within=SOON, pause=0.5, what="the click and the collect counted")
    phone.goto("/insights/comments")
    phone.locator("article", has_text=said).get_by_role("button", name="Show it").click()
    reader.reload()
    expect(reader.locator(".talk")).to_contain_text(said)


def test_nobody_approves_their_own_and_a_rejection_comes_back(people: People) -> None:
    tomorrow = (datetime.now(ZONE) + timedelta(days=1)).replace(hour=3, minute=10)
    operator = people.a("operator")
    own = plan(operator, "Git", pool="老朋友群", at=tomorrow)
    submit(operator)
    planner = people.a("planner")
    other = plan(planner, "Git", pool="老朋友群", at=tomorrow + timedelta(hours=1))
    submit(planner)

    phone = people.a("operator", size=PHONE)
    phone.goto(f"/today/?day={tomorrow:%Y-%m-%d}")
    expect(sheet_card(phone, own)).to_contain_text("This is your own post")
    assert sheet_card(phone, own).get_by_role("button", name="Approve").count() == 0
    card = sheet_card(phone, other)
    card.get_by_text("Reject…").click()
    card.locator(".chip").first.click()
    card.locator("textarea").fill("The price is missing.")
    card.get_by_role("button", name="Send back").click()
    planner.reload()
    expect(planner.locator(".page-bar .state")).to_have_text("Rejected")
    expect(planner.locator(".caution--fault").first).to_contain_text("The price is missing.")


def test_a_pack_is_handed_over_and_confirmed(people: People) -> None:
    phone = people.a("operator", size=PHONE)
    phone.goto("/today/hand-overs")
    phone.locator(".waiting__title").first.click()
    text = phone.locator("#pack-text").inner_text()
    assert len(text) > 5
    for picture in phone.locator(".pack__pictures a").all():
        saved = phone.request.get(picture.get_attribute("href"))
        assert saved.ok
        assert saved.headers["content-type"].startswith("image/")
    phone.locator("textarea[name=note], input[name=note]").first.fill(
        "21:05, seen from my own phone"
    )
    pack = phone.url
    phone.get_by_role("button", name="It is live").click()
    expect(phone.locator(".flash")).to_contain_text("counts as published")
    phone.goto(pack)
    expect(phone.locator("section[aria-labelledby=pack-answer]")).to_be_visible()
    expect(phone.locator("main")).to_contain_text("seen from my own phone")


def test_a_suggestion_is_accepted_and_undone(people: People) -> None:
    page = people.a("analyst")
    page.goto("/insights/suggestions")
    card = page.locator("article.card").first
    heading = card.locator("h2").inner_text()
    assert "exposures" not in heading
    expect(card).to_contain_text("sure, all other explanations weighed")
    asset = card.locator("a[href^='/library/']").get_attribute("href")
    adds, name = heading.startswith("Add"), re.sub(r"^(Add|Take) the tag | off$", "", heading)
    card.locator("h2 a").click()
    own = page.url

    def is_tagged() -> bool:
        page.goto(asset)
        return page.locator(".library-tags .tag", has_text=re.compile(f"^{name}$")).count() > 0

    assert is_tagged() is not adds
    page.goto(own)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert is_tagged() is adds
    page.goto(own)
    page.get_by_role("button", name="Undo").click()
    assert is_tagged() is not adds


def test_the_frame_speaks_chinese(people: People) -> None:
    page = people.a("administrator")
    page.goto("/profile")
    page.locator(".rail__foot summary").click()
    page.get_by_role("button", name="中文").click()
    try:
        for address in ("/library", week(1), "/today/", "/insights/", "/audience/", "/settings/"):
            page.goto(address)
            assert page.locator("html").get_attribute("lang") == "zh-CN"
            for part in (".rail", ".page-bar h1", ".page-bar__tools", ".tabs"):
                for words in page.locator(part).all_inner_texts():
                    assert not re.search(r"[A-Za-z]{3,}", words.replace("English", "")), words
    finally:
        page.goto("/profile")
        page.locator(".rail__foot summary").click()
        page.get_by_role("button", name="English").click()
        page.wait_for_load_state()
