"""The whole system with its demo world, and browsers that watch every page they open for faults."""

import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from bench.running import System, eventually
from cms.web.frame import BANNER_SECONDS
from tests import system_parts

ROLES = ("planner", "operator", "analyst", "administrator")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
TELL_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));"""


def launch(playwright: Playwright) -> Browser:
    """The system's own Chromium."""
    found = system_parts.browser()
    assert found, "no Chromium here: run `python tests/system_parts.py`, which says how to get one"
    return playwright.chromium.launch(executable_path=found, args=ARGUMENTS)


def links(system: System) -> dict[str, str]:
    """The one-time links that the start printed, by role."""
    found = re.findall(r"^\s+(\w+)\s+(http\S+/enter/\S+)$", system.text, re.M)
    return {role: address for role, address in found if role in ROLES}


def until_healthy(system: System) -> None:
    """Wait until every process beats and the pages have forgotten that some did not."""

    def is_well() -> bool:
        try:
            with urllib.request.urlopen(f"{system.url}/healthz", timeout=10) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            error.close()
            return False

    eventually(is_well, within=60, pause=0.5, what="every process beats")
    time.sleep(BANNER_SECONDS)


@dataclass
class People:
    """Everybody who opens pages: signs each role in once, by its real link, and keeps what broke."""

    system: System
    browser: Browser
    faults: list[str] = field(default_factory=list)
    _states: dict[str, Any] = field(default_factory=dict)
    _open: list[BrowserContext] = field(default_factory=list)

    def a_stranger(self, *, size: dict[str, int] = DESK, **options: Any) -> Page:
        """A browser that nobody signed in."""
        context = self.browser.new_context(
            viewport=size,
            has_touch=size is PHONE,
            base_url=self.system.url,
            **({"locale": "en-GB"} | options),
        )
        self._open.append(context)
        context.add_init_script(TELL_VIOLATIONS)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self._hear(page, said.type, said.text))
        page.on("response", lambda answer: self._look(answer.status, answer.url))
        return page

    def a(self, role: str, *, size: dict[str, int] = DESK, **options: Any) -> Page:
        """A browser of the role's demo user."""
        if role not in self._states:
            self._states[role] = self._sign_in(role)
        return self.a_stranger(size=size, storage_state=self._states[role], **options)

    def _sign_in(self, role: str) -> Any:
        page = self.a_stranger()
        page.goto(links(self.system)[role])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("nav.rail")
        return page.context.storage_state()

    def _hear(self, page: Page, kind: str, text: str) -> None:
        # The status of an answer is told twice; `_look` judges it.
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self.faults.append(f"{page.url}: {text}")

    def _look(self, status: int, address: str) -> None:
        if status >= 500:
            self.faults.append(f"{status} {address}")

    def close(self) -> None:
        for context in self._open:
            context.close()
        self._open.clear()


@contextmanager
def watched(system: System, browser: Browser, states: dict[str, Any]) -> Iterator[People]:
    """People for one test, who share what was signed in before; fails when a page broke."""
    people = People(system, browser, _states=states)
    try:
        yield people
    finally:
        people.close()
    assert people.faults == []
