"""Which pages people see, as whom, and where an example of each is found in the demo world."""

import re
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.world import People


@dataclass(frozen=True)
class Screen:
    """One sort of page. `through`: a page on which a link to an example stands, matched by `path`."""

    name: str
    role: str
    path: str
    through: str = ""

    def open(self, people: People, **options: object) -> Page:
        """A page of its role's user standing on it."""
        who = people.a(self.role, **options) if self.role else people.a_stranger(**options)
        self.show(who, people)
        return who

    def show(self, page: Page, people: People) -> None:
        page.goto(self.address(people), wait_until="load")

    def address(self, people: People) -> str:
        if not self.through:
            return self.path
        role = self.role or "planner"
        page = people.a(role)
        page.goto(self.through)
        found = [
            href
            for link in page.locator("a[href]").all()
            if re.search(self.path, href := link.get_attribute("href") or "")
        ]
        page.context.close()
        assert found, f"no link like {self.path} on {self.through}"
        return found[0]


def feeds(page: Page) -> list[str]:
    """The addresses of all pools' feeds."""
    page.goto("/audience/")
    links = page.locator("a[href*='/f/']").all()
    return [address for link in links if (address := link.get_attribute("href"))]


SCREENS = (
    Screen("sign in", "", "/sign-in"),
    Screen("feed", "", r"/f/[\w-]+$", through="/audience/"),
    Screen("library", "planner", "/library"),
    Screen("library search", "planner", "/library?q=Java+面试&sort=click_rate&layout=list"),
    Screen("asset", "planner", r"^/library/\d+$", through="/library"),
    Screen("new article", "planner", "/library/new/article"),
    Screen("new poster", "planner", "/library/new/poster"),
    Screen("tags", "planner", "/library/tags"),
    Screen("import", "planner", "/library/import"),
    Screen("board", "planner", "/calendar/"),
    Screen("post", "planner", r"^/calendar/posts/\d+$", through="/calendar/"),
    Screen("plan a post", "planner", "/calendar/posts/new"),
    Screen("copy a week", "planner", r"/copy$", through="/calendar/"),
    Screen("slots", "administrator", "/calendar/slots"),
    Screen("links", "administrator", "/settings/links"),
    Screen("today", "operator", "/today/?view=all"),
    Screen("waiting", "operator", "/today/waiting"),
    Screen("publication", "operator", r"^/today/publications/\d+$", through="/today/waiting"),
    Screen("hand-overs", "operator", "/today/hand-overs"),
    Screen("pack", "operator", r"^/today/hand-overs/\d+$", through="/today/hand-overs"),
    Screen("insights", "analyst", "/insights/"),
    Screen("posts in numbers", "analyst", "/insights/posts"),
    Screen("assets in numbers", "analyst", "/insights/assets"),
    Screen("tags in numbers", "analyst", "/insights/tags"),
    Screen("cells", "analyst", "/insights/cells"),
    Screen("suggestions", "analyst", "/insights/suggestions"),
    Screen("comments", "operator", "/insights/comments"),
    Screen("audience", "administrator", "/audience/"),
    Screen("personas", "administrator", "/audience/personas"),
    Screen("settings", "administrator", "/settings/"),
    Screen("people", "administrator", "/settings/users"),
    Screen("accounts", "administrator", "/settings/accounts"),
    Screen("account", "administrator", r"^/settings/accounts/\d+$", through="/settings/accounts"),
    Screen("new account", "administrator", "/settings/accounts/new"),
    Screen("account form", "administrator", "/settings/accounts/new/oa_mass"),
    Screen("channels", "planner", "/settings/channels"),
    Screen("alerts", "administrator", "/settings/alerts"),
    Screen("audit", "administrator", "/settings/audit"),
    Screen("health", "administrator", "/settings/health"),
    Screen("profile", "planner", "/profile"),
)
