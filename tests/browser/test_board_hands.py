"""The board's hands: mouse, touch and keyboard carry posts; refusals are told; the policy is kept."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from cms.core.config import settings_from
from cms.core.db import db
from cms.factory import create_app
from cms.web import styleguide

pytestmark = pytest.mark.browser

CARD = '[data-cell="{cell}"] [data-post="{post}"]'


def _app(home: Path) -> Flask:
    made = create_app(
        settings_from(
            {
                "SEEDBED_HOME": str(home),
                "SEEDBED_ENV": "test",
                "DATABASE_URL": f"sqlite:///{home / 'hands.db'}",
                "SEEDBED_BASE_URL": "http://127.0.0.1",
                "REDIS_URL": "unix:///nonexistent/seedbed.sock",
            }
        )
    )
    if "styleguide" not in made.blueprints:
        made.register_blueprint(styleguide.bp)
    with made.app_context():
        db.create_all()
    return made


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, _app(tmp_path_factory.mktemp("hands")), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/styleguide"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_board(browser: Browser, address: str):
    """Opens a fresh week at a width; fails on any console error that no refusal explains."""
    faults: list[str] = []
    contexts = []

    def opened(width: int = 1280, touch: bool = False) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 844}, has_touch=touch)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.goto(f"{address}/board?reset=1")
        page.wait_for_selector("html[data-scripts=ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [fault for fault in faults if "409" not in fault] == []


def _first_post(page: Page, cell: str) -> str:
    return page.locator(f'[data-cell="{cell}"] [data-post]').first.get_attribute("data-post")


def _lands(page: Page, cell: str, post: str) -> None:
    page.wait_for_selector(CARD.format(cell=cell, post=post))


def test_the_mouse_carries_a_post_and_follows_no_link(open_board):
    page = open_board()
    post, before = _first_post(page, "0-2"), page.url
    start = page.locator(CARD.format(cell="0-2", post=post)).bounding_box()
    end = page.locator('[data-cell="0-5"]').bounding_box()
    page.mouse.move(start["x"] + 40, start["y"] + 30)
    page.mouse.down()
    page.mouse.move(start["x"] + 80, start["y"] + 40, steps=3)
    page.mouse.move(end["x"] + 60, end["y"] + 200, steps=6)
    ghost = page.locator(".board-ghost").bounding_box()
    assert abs(ghost["x"] - (end["x"] + 70)) < 4
    page.mouse.up()
    _lands(page, "0-5", post)
    assert page.url == before
    assert page.locator(".board-ghost").count() == 0


def test_the_keyboard_carries_a_post_and_keeps_its_focus(open_board):
    page = open_board()
    post = _first_post(page, "0-3")
    page.locator(CARD.format(cell="0-3", post=post)).locator(".post__link").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    _lands(page, "0-4", post)
    expect(page.locator(CARD.format(cell="0-4", post=post)).locator(".post__link")).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("Moved")


def test_escape_puts_everything_back(open_board):
    page = open_board()
    post = _first_post(page, "0-3")
    page.locator(CARD.format(cell="0-3", post=post)).locator(".post__link").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert page.locator("[data-carried], [data-carrying], [data-over]").count() == 0
    assert page.evaluate("document.activeElement.closest('[data-post]').dataset.post") == post
    assert page.locator(CARD.format(cell="0-3", post=post)).count() == 1


def test_a_refusal_is_told_and_the_next_success_clears_it(open_board):
    page = open_board()
    post = _first_post(page, "3-4")
    link = page.locator(CARD.format(cell="3-4", post=post)).locator(".post__link")
    link.focus()
    page.keyboard.press("Space")
    for _ in range(8):
        page.keyboard.press("ArrowDown")
        if page.evaluate("document.activeElement.closest('[data-cell]').dataset.cell") == "4-4":
            break
    page.keyboard.press("Space")
    page.wait_for_selector(".flashes [role=alert]:has-text('one contact a week')")
    assert page.locator(CARD.format(cell="3-4", post=post)).count() == 1
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    _lands(page, "3-5", post)
    assert page.locator(".flashes [role=alert]").count() == 0


def test_the_past_takes_nothing(open_board):
    page = open_board()
    post = _first_post(page, "0-2")
    page.locator(CARD.format(cell="0-2", post=post)).locator(".post__link").focus()
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.closest('[data-cell]').dataset.cell") == "0-2"


def test_one_stop_in_the_tab_order_and_arrows_to_all(open_board):
    page = open_board()
    assert page.locator(".board td [tabindex='0'], .board td[tabindex='0']").count() == 1
    page.locator('[data-cell="0-2"] .post__link').first.focus()
    for key in ["ArrowRight"] * 2 + ["ArrowDown"] * 12:
        page.keyboard.press(key)
    place = page.evaluate("document.activeElement.closest('[data-cell]').dataset.cell")
    assert place.endswith("-4")
    assert place != "0-4"


def test_an_asset_is_dragged_out_of_the_tray(open_board):
    page = open_board()
    before = page.locator('[data-cell="0-2"] [data-post]').count()
    page.get_by_role("button", name="Library").click()
    page.wait_for_timeout(200)
    start = page.locator('[data-asset="2"]').bounding_box()
    end = page.locator('[data-cell="0-2"]').bounding_box()
    page.mouse.move(start["x"] + 60, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(start["x"] + 20, start["y"] + 40, steps=3)
    page.mouse.move(end["x"] + 60, end["y"] + 120, steps=6)
    page.mouse.up()
    expect(page.locator('[data-cell="0-2"] [data-post]')).to_have_count(before + 1)


def test_a_finger_carries_a_post_to_another_day(open_board):
    page = open_board(width=390, touch=True)
    page.locator('[data-day-link="4"]').tap()
    assert page.locator('[data-cell="0-3"]').is_visible()
    assert not page.locator('[data-cell="0-2"]').is_visible()
    hand = page.context.new_cdp_session(page)

    def touch(kind: str, *point: float) -> None:
        points = [{"x": point[0], "y": point[1]}] if point else []
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    post = _first_post(page, "0-3")
    start = page.locator(CARD.format(cell="0-3", post=post)).bounding_box()
    day = page.locator('[data-day-link="6"]').bounding_box()
    touch("touchStart", start["x"] + 60, start["y"] + 30)
    page.wait_for_selector(".board-ghost")
    touch("touchMove", 200, start["y"])
    touch("touchMove", day["x"] + 20, day["y"] + 20)
    page.wait_for_selector(".board[data-day='6']")
    cell = page.locator('[data-cell="0-5"]').bounding_box()
    touch("touchMove", 200, cell["y"] + 60)
    touch("touchEnd")
    _lands(page, "0-5", post)


def test_without_scripts_the_week_is_there_with_its_links(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/board?reset=1")
    assert page.locator("[data-post] a").count() > 130
    assert page.locator("a.slot[href]").count() > 5
    assert page.locator(".tray a[href]").count() == 10
    context.close()
