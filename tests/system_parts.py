"""Makes sure the system parts the tests need are there: a browser, PostgreSQL, a Chinese font.

As root on Debian or Ubuntu it installs what is missing; otherwise it says what, and how to get it.
Runs before the environment exists, so it uses the standard library only.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_BROWSERS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/System/Library/Fonts"), Path.home() / ".fonts")
FONT_NAMES = ("NotoSansCJK*", "NotoSansSC*", "SourceHanSans*", "PingFang*", "wqy*", "Hiragino*")


def browser() -> str | None:
    """The browser the tests drive: CHROMIUM, or the first found."""
    given = os.environ.get("CHROMIUM")
    if given:
        return given
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return found or next((str(path) for path in MAC_BROWSERS if path.exists()), None)


def has_postgres() -> bool:
    return bool(
        os.environ.get("SEEDBED_TEST_POSTGRES")
        or shutil.which("postgres")
        or list(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    )


def has_chinese_font() -> bool:
    return any(
        next(folder.rglob(name), None)
        for folder in FONT_FOLDERS
        if folder.exists()
        for name in FONT_NAMES
    )


PARTS: tuple[tuple[str, str, str, Callable[[], object]], ...] = (
    ("a Chromium browser", "chromium", "brew install --cask chromium", browser),
    ("PostgreSQL", "postgresql", "brew install postgresql@16", has_postgres),
    ("a Chinese font", "fonts-noto-cjk", "comes with macOS", has_chinese_font),
)


def _apt(*words: str) -> None:
    subprocess.run(
        ["apt-get", "-q", *words],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        check=True,
    )


def main() -> int:
    missing = [part for part in PARTS if not part[3]()]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        packages = [part[1] for part in missing]
        print(f"installing {', '.join(packages)} …", flush=True)
        _apt("update")
        _apt("install", "-y", "--no-install-recommends", *packages)
        missing = [part for part in PARTS if not part[3]()]
    for what, package, brew, _found in missing:
        print(f"missing: {what}. Debian/Ubuntu: sudo apt-get install {package}; macOS: {brew}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
