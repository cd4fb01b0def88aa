"""The composer in a real browser: the preview follows the words, the counter does not wait for it."""

from datetime import time, timedelta

import pytest
from playwright.sync_api import Page, expect

from audience.models import Pool
from cms.core.db import session, transaction
from schedules import posts
from schedules.models import Post
from tests import factories as make
from tests.browser.test_calendar_board import Site, open_page, site  # noqa: F401 - fixtures
from tests.browser.test_every_page import judge

pytestmark = pytest.mark.browser

WORDS = "textarea[name=text]"
COUNT = "output.field__count"


class Written:
    """A post through a robot that counts bytes, and another account to look at it."""

    def __init__(self, on: Site) -> None:
        with on.app.app_context():
            pool = session.get(Pool, on.pool_id)
            robot = make.account(pool, channel="wecom_robot", settings={"style": "text"})
            self.slack_id = make.account(pool, channel="slack", name="Slack #team").id
            neighbour = session.get(Post, on.posts[0])
            with transaction():
                post = posts.create(
                    calendar=neighbour.calendar,
                    pool=pool,
                    account=robot,
                    asset=neighbour.asset,
                    wall_date=on.monday + timedelta(days=1),
                    wall_time=time(15),
                    text="Good morning",
                    by=None,
                )
            self.post_id, self.link_id = post.id, post.publication.links[0].id
        self.address = f"{on.address}/calendar/posts/{self.post_id}"
        self.link_page = f"{on.address}/calendar/links/{self.link_id}"


@pytest.fixture(scope="module")
def written(site: Site) -> Written:  # noqa: F811
    return Written(site)


def shown(page: Page):
    return page.locator("#pane .bubble")


def test_the_preview_follows_the_words_and_nothing_is_saved(
    open_page,  # noqa: F811
    site: Site,  # noqa: F811
    written: Written,
) -> None:
    page = open_page(written.address)
    expect(shown(page)).to_contain_text("Good morning")
    page.fill(WORDS, "Quite other words")
    expect(shown(page)).to_contain_text("Quite other words")
    expect(shown(page).locator(".preview__link")).to_contain_text("/l/")
    with site.app.app_context():
        assert session.get(Post, written.post_id).text == "Good morning"


def test_it_counts_at_once_in_the_carriers_unit_and_says_when_it_is_too_much(
    open_page,  # noqa: F811
    written: Written,
) -> None:
    page = open_page(written.address)
    page.route("**/preview.json", lambda route: None)  # the server does not answer yet
    before = int(page.inner_text(COUNT).split(" ")[0])
    page.fill(WORDS, "Good morning长😀")
    expect(page.locator(COUNT)).to_have_text(f"{before + 3 + 4} / 2,048 bytes")
    page.fill(WORDS, "长" * 640)
    expect(page.locator(f"{COUNT}[data-near]")).to_be_visible()
    page.unroute("**/preview.json")
    page.fill(WORDS, "长" * 700)
    expect(page.locator(f"{COUNT}[data-over]")).to_be_visible()
    expect(page.locator("#pane .caution--fault")).to_contain_text("Too long for")
    expect(page.locator('#pane .meter[data-tone="over"]').first).to_be_visible()
    told = page.inner_text(COUNT)
    assert told == page.inner_text("#pane .preview-notes .meter__words")  # both counts agree


def test_the_same_words_are_looked_at_elsewhere_by_keyboard(
    open_page,  # noqa: F811
    written: Written,
) -> None:
    page = open_page(written.address)
    page.fill(WORDS, "Words that are not saved")
    expect(shown(page)).to_contain_text("Words that are not saved")
    page.locator(".elsewhere summary").press("Enter")
    page.locator(f'[data-on="{written.slack_id}"]').press("Enter")
    expect(page.locator('.tool[data-carrier="slack"]')).to_contain_text("Words that are not saved")
    expect(page.locator(COUNT)).to_contain_text("/ 3,000 characters")
    expect(page.locator(f'a[data-on="{written.slack_id}"]')).to_be_focused()
    page.locator(".pane .caution--told a").press("Enter")
    expect(shown(page)).to_contain_text("Words that are not saved")
    assert page.input_value(WORDS) == "Words that are not saved"


def test_a_plan_is_drawn_while_it_is_written(
    open_page,  # noqa: F811
    site: Site,  # noqa: F811
) -> None:
    page = open_page(f"{site.address}/calendar/posts/new?asset={site.asset_id}")
    page.fill(WORDS, "First words")
    expect(page.locator("#pane .preview__text").first).to_contain_text("First words")


def test_without_scripts_the_button_draws_it(
    open_page,  # noqa: F811
    written: Written,
) -> None:
    page = open_page(written.address, scripts=False)
    page.fill(WORDS, "Without scripts")
    page.get_by_role("button", name="Preview").click()
    expect(shown(page)).to_contain_text("Without scripts")
    assert page.input_value(WORDS) == "Without scripts"


def test_both_pages_are_sound_by_day_and_night_on_desk_and_phone(
    open_page,  # noqa: F811
    written: Written,
) -> None:
    page = open_page(written.address)
    page.locator(".elsewhere summary").click()
    judge(page)
    judge(open_page(f"{written.address}?on={written.slack_id}"))
    judge(open_page(written.link_page))
