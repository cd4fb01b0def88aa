"""Approves posts over HTTP, as an operator's browser would, and insists until each is approved."""

import argparse
import http.cookiejar
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is the answer: the post is approved, or has been."""

    def redirect_request(self, *_about: object) -> None:
        return None


class Browser:
    """One signed-in session that survives the web server's deaths."""

    def __init__(self, url: str, login: str, password: str) -> None:
        self.url = url
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar, NoRedirect)
        self.token = ""
        self.sign_in(login, password)

    def insist(self, path: str, fields: dict[str, str] | None = None) -> tuple[int, str]:
        """Ask until a web server that is alive answers."""
        while True:
            data = urllib.parse.urlencode(fields).encode() if fields else None
            try:
                with self.opener.open(self.url + path, data, timeout=10) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                said = error.read().decode()
                if error.code < 500:
                    return error.code, said
            except OSError:
                pass
            time.sleep(0.2)

    def sign_in(self, login: str, password: str) -> None:
        while True:
            self.token = self.token_on("/sign-in")
            fields = {"login": login, "password": password, "csrf_token": self.token}
            status, _said = self.insist("/sign-in", fields)
            if status in (302, 303):
                break
            time.sleep(1)
        self.token = self.token_on("/profile")

    def token_on(self, path: str) -> str:
        while True:
            found = TOKEN.search(self.insist(path)[1])
            if found:
                return found[1]
            time.sleep(0.5)

    def approve(self, post_id: int) -> int:
        fields = {"csrf_token": self.token, "revision": "1", "seen": "", "view": "all"}
        return self.insist(f"/today/posts/{post_id}/approve", fields)[0]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("login")
    parser.add_argument("password")
    parser.add_argument("posts", type=json.loads)
    parser.add_argument("--pause", type=float, default=0.05)
    chosen = parser.parse_args()
    browser = Browser(chosen.url, chosen.login, chosen.password)
    for post_id in chosen.posts:
        status = browser.approve(post_id)
        if status not in (302, 303):
            raise SystemExit(f"post {post_id} could not be approved: {status}")
        time.sleep(chosen.pause)


if __name__ == "__main__":
    main()
