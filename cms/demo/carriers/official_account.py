"""The demo Official Account: tokens, library, drafts, publishing; what it tells stands beside."""

import re
import secrets
from typing import Any

from werkzeug.wrappers import Request, Response

from cms.demo.carriers.book import Book
from cms.demo.carriers.calling_back import Caller
from cms.demo.carriers.official_account_console import Console
from cms.demo.carriers.official_account_figures import Figures
from cms.demo.carriers.official_account_mass import MassSending
from cms.demo.carriers.official_account_tokens import Tokens
from cms.demo.carriers.simulator import route

PUBLISH_SECONDS = 8.0
INLINE_BYTES, MATERIAL_BYTES = 1_000_000, 10_000_000
IMAGE_HOST = "https://mmbiz.demo.invalid"
STANDING_COVER = "standing-cover"  # lies in the library from the start
_IMAGE = re.compile(r"<img\b[^>]*>")
_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)


class OfficialAccount(MassSending, Figures, Tokens, Console):
    """One account, `APPID` with `SECRET`, verified unless its console says otherwise."""

    slug = "oa"
    name = "WeChat Official Account"

    def __init__(self, book: Book, seed: int = 1) -> None:
        super().__init__(book, seed)
        self.caller = Caller(book)

    # --- library

    @route("POST", "/cgi-bin/media/uploadimg")
    def upload_inline(self, request: Request) -> Response:
        return self._upload(request, INLINE_BYTES, {"image/jpeg", "image/png"}, inline=True)

    @route("POST", "/cgi-bin/material/add_material")
    def add_material(self, request: Request) -> Response:
        kinds = {"image/jpeg", "image/png", "image/gif", "image/bmp"}
        return self._upload(request, MATERIAL_BYTES, kinds, inline=False)

    def _upload(self, request: Request, most: int, kinds: set[str], *, inline: bool) -> Response:
        trouble = self.trouble(request)
        if trouble:
            return trouble
        file = request.files.get("media")
        content = file.read() if file else b""
        if file is None or not content:
            return self.error(41005, "media data missing")
        if file.mimetype not in kinds:
            return self.error(40005, "invalid file type")
        if len(content) > most:
            return self.error(40009, "invalid image size")
        name = secrets.token_urlsafe(32)
        url = f"{IMAGE_HOST}/{name}"
        self.book.put("picture", url if inline else name, {"bytes": len(content)})
        return self.json({"url": url} if inline else {"media_id": name, "url": url})

    def has_picture(self, name: str) -> bool:
        return name == STANDING_COVER or self.book.get("picture", name) is not None

    # --- drafts

    @route("POST", "/cgi-bin/draft/add")
    def add_draft(self, request: Request) -> Response:
        trouble = self.trouble(request)
        if trouble:
            return trouble
        articles = (request.get_json(silent=True) or {}).get("articles") or []
        if not articles:
            return self.error(44003, "empty news data")
        for article in articles:
            fault = self._fault_of(article)
            if fault:
                return self.error(*fault)
        name = secrets.token_urlsafe(48)
        kept = [{**one, "content": filtered(str(one.get("content", "")))} for one in articles]
        self.book.put("draft", name, {"news_item": kept, "update_time": int(self.now())})
        return self.json({"media_id": name})

    def _fault_of(self, article: dict[str, Any]) -> tuple[int, str] | None:
        content = str(article.get("content", ""))
        source = str(article.get("content_source_url", ""))
        for is_wrong, code, words in (
            (not article.get("title"), 40035, "invalid parameter"),
            (len(str(article.get("title", ""))) > 32, 45003, "title size out of limit"),
            (len(str(article.get("author", ""))) > 16, 45110, "author size out of limit"),
            (len(str(article.get("digest", ""))) > 128, 45004, "description size out of limit"),
            (len(content) >= 20_000, 45002, "content size out of limit"),
            (len(content.encode()) > 1_000_000, 45002, "content size out of limit"),
            (len(source.encode()) > 1_024, 45005, "url size out of limit"),
            (not self._pictures_known(article), 40007, "invalid media_id"),
        ):
            if is_wrong:
                return code, words
        return None

    def _pictures_known(self, article: dict[str, Any]) -> bool:
        if article.get("article_type") == "newspic":
            listed = (article.get("image_info") or {}).get("image_list") or []
            names = [str(one.get("image_media_id")) for one in listed]
            return 1 <= len(names) <= 20 and all(self.has_picture(name) for name in names)
        return self.has_picture(str(article.get("thumb_media_id", "")))

    @route("POST", "/cgi-bin/draft/get")
    def get_draft(self, request: Request) -> Response:
        return self._draft(request, lambda _name, draft: {"news_item": draft["news_item"]})

    @route("POST", "/cgi-bin/draft/update")
    def update_draft(self, request: Request) -> Response:
        given = request.get_json(silent=True) or {}

        def change(name: str, draft: dict[str, Any]) -> dict[str, Any]:
            draft["news_item"][int(given.get("index", 0))] |= given.get("articles") or {}
            self.book.put("draft", name, draft | {"update_time": int(self.now())})
            return {"errcode": 0, "errmsg": "ok"}

        return self._draft(request, change)

    @route("POST", "/cgi-bin/draft/delete")
    def delete_draft(self, request: Request) -> Response:
        def remove(name: str, _draft: dict[str, Any]) -> dict[str, Any]:
            self.book.remove("draft", name)
            return {"errcode": 0, "errmsg": "ok"}

        return self._draft(request, remove)

    def _draft(self, request: Request, act: Any) -> Response:
        trouble = self.trouble(request)
        if trouble:
            return trouble
        name = str((request.get_json(silent=True) or {}).get("media_id", ""))
        draft = self.book.get("draft", name)
        return self.json(act(name, draft)) if draft else self.error(40007, "invalid media_id")

    @route("POST", "/cgi-bin/draft/batchget")
    def list_drafts(self, request: Request) -> Response:
        drafts = [
            {"media_id": name, "content": {"news_item": one["news_item"]}, **one}
            for name, one in self.book.all("draft").items()
        ]
        return self.trouble(request) or self._page(request, drafts)

    def _page(self, request: Request, rows: list[dict[str, Any]]) -> Response:
        given = request.get_json(silent=True) or {}
        count = int(given.get("count", 0))
        if not 1 <= count <= 20:
            return self.error(40035, "invalid parameter")
        offset = int(given.get("offset", 0))
        newest = sorted(rows, key=lambda one: -one["update_time"])[offset : offset + count]
        items = [_without_content(one) if given.get("no_content") else one for one in newest]
        return self.json({"total_count": len(rows), "item_count": len(items), "item": items})

    # --- publishing

    @route("POST", "/cgi-bin/freepublish/submit")
    def submit(self, request: Request) -> Response:
        """Accepted is not published: that takes a while, and the draft stays until it is done."""
        trouble = self.trouble(request, needs_verified=True)
        if trouble:
            return trouble
        name = str((request.get_json(silent=True) or {}).get("media_id", ""))
        if self.book.get("draft", name) is None:
            return self.error(40007, "invalid media_id")
        wanted = self.book.get("console", "submit")
        if wanted:
            return self.error(int(wanted), "use the console")
        number = str(2_247_000_000 + len(self.book.all("job")) + 1)
        ready = self.now() + PUBLISH_SECONDS
        kept = {"draft": name, "kept": self.book.get("draft", name)}
        self.book.put("job", number, {**kept, "status": 1, "ready_at": ready})
        done = {"errcode": 0, "errmsg": "ok", "publish_id": number}
        return self.json(done | {"msg_data_id": message_of(number)})

    def tick(self) -> None:
        """What time brings by itself; for whoever runs the demo carriers, every second or so."""
        with self.book.whole():
            self.settle()
        self.caller.deliver(self.now())

    def settle(self) -> None:
        """Let what is due happen: drafts become articles, and the product is told."""
        for number, job in self.book.all("job").items():
            if job["status"] == 1 and job["ready_at"] <= self.now():
                self._finish(number, job)
        self.settle_messages()

    def _finish(self, number: str, job: dict[str, Any]) -> None:
        job["status"] = int(self.book.get("console", "verdict") or 0)
        draft = self.book.get("draft", job["draft"])
        if job["status"] == 0:
            # A second submit of one draft would publish a second article: nobody promises otherwise.
            draft = draft or job["kept"]
            article = secrets.token_urlsafe(48)
            url = f"https://mp.demo.invalid/s?__biz=Demo&mid={message_of(number)}&idx=1"
            item = {**draft["news_item"][0], "url": url, "is_deleted": False}
            kept = {"news_item": [item], "update_time": int(self.now()), "job": number}
            self.book.put("article", article, kept)
            self.book.remove("draft", job["draft"])
            self.book.show("published", self.now(), {"publish_id": number, "title": item["title"]})
            job |= {"article_id": article, "url": url}
        self.book.put("job", number, job)
        self.tell_of(number, job)

    def tell_of(self, number: str, job: dict[str, Any]) -> None:
        self.caller.tell(
            self.now(),
            {
                "ToUserName": "gh_demo",
                "FromUserName": "mphelper",
                "CreateTime": int(self.now()),
                "MsgType": "event",
                "Event": "PUBLISHJOBFINISH",
                "PublishEventInfo": {"publish_id": int(number), **_result(job)},
            },
        )

    @route("POST", "/cgi-bin/freepublish/get")
    def get_job(self, request: Request) -> Response:
        trouble = self.trouble(request, needs_verified=True)
        if trouble:
            return trouble
        self.settle()
        number = str((request.get_json(silent=True) or {}).get("publish_id", ""))
        job = self.book.get("job", number)
        if job is None:
            return self.error(53502, "invalid publish_id")
        return self.json({"publish_id": number, **_result(job)})

    @route("POST", "/cgi-bin/freepublish/batchget")
    def list_articles(self, request: Request) -> Response:
        trouble = self.trouble(request, needs_verified=True)
        if trouble:
            return trouble
        self.settle()
        rows = [
            {"article_id": name, "content": {"news_item": one["news_item"]}, **one}
            for name, one in self.book.all("article").items()
        ]
        return self._page(request, rows)

    @route("POST", "/cgi-bin/freepublish/getarticle")
    def get_article(self, request: Request) -> Response:
        return self._article(request, lambda _name, one: {"news_item": one["news_item"]})

    @route("POST", "/cgi-bin/freepublish/delete")
    def delete_article(self, request: Request) -> Response:
        def remove(name: str, one: dict[str, Any]) -> dict[str, Any]:
            self.remove_article(name, one, status=5)
            return {"errcode": 0, "errmsg": "ok"}

        return self._article(request, remove)

    def _article(self, request: Request, act: Any) -> Response:
        trouble = self.trouble(request, needs_verified=True)
        if trouble:
            return trouble
        name = str((request.get_json(silent=True) or {}).get("article_id", ""))
        one = self.book.get("article", name)
        if one is None:
            return self.error(53600, "invalid article_id")
        return self.json(act(name, one))

    def remove_article(self, name: str, one: dict[str, Any], *, status: int) -> None:
        """Gone for readers; deleted through the interface nobody is told, as at the real site."""
        one["news_item"][0]["is_deleted"] = True
        self.book.put("article", name, one)
        job = self.book.get("job", one["job"])
        self.book.put("job", one["job"], job | {"status": status})
        self.book.show("removed", self.now(), {"article_id": name})


def message_of(number: str) -> str:
    """The number of the message that a job becomes."""
    return str(int(number) + 400_000_000)


def filtered(content: str) -> str:
    """Scripts go, and pictures of other hosts: without a word, as at the real site."""
    kept = _SCRIPT.sub("", content)
    return _IMAGE.sub(lambda match: match[0] if f'src="{IMAGE_HOST}/' in match[0] else "", kept)


def _result(job: dict[str, Any]) -> dict[str, Any]:
    if job["status"] in (0, 5, 6) and "article_id" in job:
        detail = {"count": 1, "item": [{"idx": 1, "article_url": job["url"]}]}
        found = {"article_id": job["article_id"], "article_detail": detail, "fail_idx": []}
    else:
        found = {"fail_idx": [1] if job["status"] in (2, 4) else []}
    return {"publish_status": job["status"], **found}


def _without_content(row: dict[str, Any]) -> dict[str, Any]:
    items = [{**one, "content": ""} for one in row["content"]["news_item"]]
    return {**row, "content": {"news_item": items}}
