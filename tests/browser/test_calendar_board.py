"""The real week board in a real browser: by mouse, by keyboard, without scripts, on a phone."""

import threading
from collections.abc import Iterator
from datetime import time, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from cms.core import config
from cms.core.config import settings_from
from cms.core.db import db, session, transaction
from cms.factory import create_app
from cms.web.sessions import COOKIE
from schedules import slots
from schedules.board import cell_id
from schedules.models import Post
from tests import factories as make
from tests.schedules.planning import World
from tests.signing_in import sign_in

pytestmark = pytest.mark.browser


class Jar:
    """Takes the session cookie that signing in gives, for the browser to carry."""

    def set_cookie(self, name: str, value: str) -> None:
        self.name, self.value = name, value


class Site:
    """A filled calendar behind a real port: one pool, slots at three times, one post a day."""

    def __init__(self, app: Flask, address: str) -> None:
        self.app, self.address = app, address
        self.jar = Jar()
        with app.app_context():
            db.create_all()
            world = World()
            theme = make.tag(slug="trust", name_en="Trust", hue=2)
            with transaction():
                for weekday in range(7):
                    for at in (time(8), time(12, 30), time(20, 30)):
                        slots.add(
                            world.calendar,
                            world.account,
                            weekday=weekday,
                            wall_time=at,
                            wanted_theme=theme,
                            by=None,
                        )
            self.monday, self.pool_id = world.monday, world.pool.id
            self.account_id, self.stage_id = world.account.id, world.pool.stage_id
            self.asset_id = make.asset(theme, title="Straight from the library").id
            self.posts = [
                world.plan(
                    on=world.monday + timedelta(days=n), asset=make.asset(title=f"Post of day {n}")
                ).id
                for n in range(7)
            ]
            sign_in(self.jar, world.planner)

    @property
    def week(self) -> str:
        return f"{self.address}/calendar/weeks/{self.monday.isoformat()}"

    def cell(self, day: int) -> str:
        return f'[data-cell="{cell_id(self.stage_id, self.monday + timedelta(days=day))}"]'

    def slot(self, day: int, at: time) -> str:
        on = self.monday + timedelta(days=day)
        return slots.Place(on, at, self.pool_id, self.account_id).name

    def where(self, post_id: int) -> tuple[int, time]:
        with self.app.app_context():
            post = session.get(Post, post_id)
            return (post.wall_date - self.monday).days, post.wall_time


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("board")
    before = config._current
    app = create_app(
        settings_from(
            {
                "SEEDBED_HOME": str(home),
                "SEEDBED_ENV": "test",
                "DATABASE_URL": f"sqlite:///{home / 'board.db'}",
                "SEEDBED_BASE_URL": "http://127.0.0.1",
                "REDIS_URL": "unix:///nonexistent/seedbed.sock",
            }
        )
    )
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield Site(app, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()
    if before is not None:
        config.use(before)  # other tests of this process go on with their own settings


@pytest.fixture
def open_page(browser: Browser, site: Site):
    faults: list[str] = []
    contexts = []

    def opened(address: str = "", *, width: int = 1280, scripts: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 844}, java_script_enabled=scripts, locale="en-GB"
        )
        contexts.append(context)
        context.add_cookies([{"name": COOKIE, "value": site.jar.value, "url": site.address}])
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.goto(address or site.week)
        if scripts:
            page.wait_for_selector("html[data-scripts=ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [fault for fault in faults if "422" not in fault] == []


def carry(page: Page, start: str, end: str) -> None:
    first, last = page.locator(start).bounding_box(), page.locator(end).bounding_box()
    page.mouse.move(first["x"] + 40, first["y"] + 12)
    page.mouse.down()
    page.mouse.move(first["x"] + 60, first["y"] + 20, steps=3)
    page.mouse.move(last["x"] + 30, last["y"] + 10, steps=6)
    page.mouse.up()


def test_the_mouse_moves_a_post_into_a_slot(open_page, site):
    page, post = open_page(), site.posts[0]
    carry(page, f'[data-post="{post}"]', f'[data-slot="{site.slot(1, time(8))}"]')
    expect(page.locator(f'{site.cell(1)} [data-post="{post}"]')).to_have_count(1)
    assert site.where(post) == (1, time(8))
    expect(page.locator("#announcer")).to_contain_text("Moved to")


def test_the_keyboard_moves_a_post(open_page, site):
    page, post = open_page(), site.posts[2]
    page.locator(f'[data-post="{post}"] a.post__link').focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.locator("#announcer")).to_contain_text("Moved to")
    day, at = site.where(post)
    assert (day, at) == (2, time(8))


def test_an_asset_is_dragged_out_of_the_tray(open_page, site):
    page = open_page()
    page.click("[data-module=tray-button]")
    slot = site.slot(1, time(12, 30))
    item = f'.tray-item[data-asset="{site.asset_id}"]'
    page.wait_for_timeout(300)  # the tray slides in
    carry(page, item, f'[data-slot="{slot}"]')
    expect(page.locator(f"{site.cell(1)} .post__link", has_text="Straight from")).to_have_count(1)


def test_a_refusal_is_told_and_nothing_moves(open_page, site):
    page, post = open_page(), site.posts[4]
    before = site.where(post)
    page.evaluate(
        """([post, slot]) => {
          const card = document.querySelector(`[data-post="${post}"]`);
          document.querySelector('[data-slot].slot').dataset.slot = slot;
        }""",
        [post, site.slot(5, time(20, 20))],
    )
    carry(page, f'[data-post="{post}"]', f'[data-slot="{site.slot(5, time(20, 20))}"]')
    expect(page.locator(".flash--error")).to_contain_text("Post of day 5")
    assert site.where(post) == before


def test_without_scripts_a_slot_leads_to_a_post(open_page, site):
    page = open_page(scripts=False)
    page.click(f'a[href*="slot={site.slot(6, time(12, 30))}"]')
    page.click("text=Straight from the library")
    page.fill("textarea[name=text]", "By plain form")
    page.click("text=Plan it")
    expect(page.locator(f"{site.cell(6)} .post")).to_have_count(2)


def test_a_phone_shows_one_day_at_a_time(open_page, site):
    page = open_page(f"{site.week}?day=3", width=390)
    visible = [n for n in range(7) if page.locator(site.cell(n)).is_visible()]
    assert visible == [2]
    page.click("[data-day-link='4']")
    assert page.locator(site.cell(3)).is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
