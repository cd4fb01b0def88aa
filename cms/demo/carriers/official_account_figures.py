"""The demo Official Account's statistics and comments: known a day later, cumulative, sometimes late."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

from werkzeug.wrappers import Request, Response

from cms.demo.carriers.official_account_tokens import ZONE, Tokens
from cms.demo.carriers.simulator import route

COUNTED_DAYS = 30
SHARES = {
    "read_user": 100,
    "share_user": 6,
    "zaikan_user": 3,
    "like_user": 4,
    "comment_count": 1,
    "collection_user": 5,
}


class Figures(Tokens):
    """Numbers that grow from day to day and are the same for the same article whenever asked."""

    @route("POST", "/datacube/getarticletotaldetail")
    def total_detail(self, request: Request) -> Response:
        trouble = self.trouble(request)
        if trouble:
            return trouble
        given = request.get_json(silent=True) or {}
        try:
            first = date.fromisoformat(str(given.get("begin_date")))
            last = date.fromisoformat(str(given.get("end_date")))
        except ValueError:
            return self.error(61500, "date format error")
        if first != last or last >= self.today():
            return self.error(61501, "date range error")
        rows = [
            self._row(number, one, first)
            for number, one in self.counted().items()
            if self.day_of(float(one["at"])) == first
        ]
        is_late = bool(self.book.get("console", "delayed"))
        return self.json({"list": rows, "is_delay": is_late})  # what is there, whole or not

    def counted(self) -> dict[str, dict[str, Any]]:
        """Everything that is counted, by the number of its message."""
        found = dict(self.book.all("counted"))
        for one in self.book.all("article").values():
            item = one["news_item"][0]
            number = str(int(one["job"]) + 400_000_000)
            found[number] = {"title": item["title"], "url": item["url"], "at": one["update_time"]}
        return found

    def _row(self, number: str, one: dict[str, Any], day: date) -> dict[str, Any]:
        last = min(self.today() - timedelta(days=1), day + timedelta(days=COUNTED_DAYS - 1))
        days = (last - day).days + 1
        return {
            "ref_date": day.isoformat(),
            "msgid": f"{number}_1",
            "publish_type": 1,
            "title": one["title"],
            "content_url": one["url"],
            "detail_list": [
                {"stat_date": (day + timedelta(days=step)).isoformat(), **totals(number, step)}
                for step in range(days)
            ],
        }

    def today(self) -> date:
        return self.day_of(self.now())

    def day_of(self, moment: float) -> date:
        return datetime.fromtimestamp(moment, UTC).astimezone(ZONE).date()

    @route("POST", "/cgi-bin/comment/list")
    def list_comments(self, request: Request) -> Response:
        trouble = self.trouble(request)
        if trouble:
            return trouble
        if self.book.get("console", "no_comments"):
            return self.error(88000, "without comment privilege")
        given = request.get_json(silent=True) or {}
        count = int(given.get("count", 0))
        if not 0 < count < 50:
            return self.error(88010, "count range error. cout <= 0 or count > 50")
        if str(given.get("msg_data_id")) not in self.counted():
            return self.error(88005, "msg_data_id is not exists")
        begin = int(given.get("begin", 0))
        rows = self.book.get("comments", str(given["msg_data_id"])) or []
        return self.json({"errcode": 0, "total": len(rows), "comment": rows[begin : begin + count]})


def totals(number: str, step: int) -> dict[str, Any]:
    """What had been counted by that day after the first; never less than the day before."""
    liking = int(hashlib.sha256(number.encode()).hexdigest()[:4], 16) % 60 + 40
    readers = liking * (step + 2) // 2
    found: dict[str, Any] = {name: readers * share // 100 for name, share in SHARES.items()}
    return found | {"read_finish_rate": 0.42, "read_subscribe_user": readers // 50}
