"""The demo WeCom's Moments: jobs that make posts, employees who publish them, customers who like them."""

import random
from typing import Any

from werkzeug.wrappers import Request, Response

from cms.demo.carriers.pacing import is_too_fast
from cms.demo.carriers.wecom_corp import (
    DISPATCH,
    TAGS,
    Corporation,
    Fault,
    api,
    judge_link,
    judge_tags,
)

JOB_BEGINS, JOB_ENDS, JOB_FORGOTTEN = 2.0, 4.0, 86_400.0  # seconds after it was asked for
PER_MINUTE = 10
DAY = 86_400
Moment = dict[str, Any]


class Moments(Corporation):
    """Employees publish when told by `_control/confirm`, or by themselves while `auto` is on."""

    @api("POST", "/cgi-bin/externalcontact/add_moment_task")
    def add_moment_task(self, request: Request) -> dict[str, Any]:
        corpid = self.caller(request)
        asked = self.body(request)
        self._judge(corpid, asked)
        if is_too_fast(self.book, f"moment:{corpid}", self.now(), most=PER_MINUTE, seconds=60):
            raise Fault(45009, "api freq out of limit")
        jobid = f"job{self.count('job'):012d}"
        self.book.put("job", jobid, {"corpid": corpid, "created": self.now(), "asked": asked})
        words = str((asked.get("text") or {}).get("content", ""))
        told = {"jobid": jobid, "corpid": corpid, "text": words}
        self.book.show("moment_task", self.now(), told)
        return {"jobid": jobid}

    @api("GET", "/cgi-bin/externalcontact/get_moment_task_result")
    def get_moment_task_result(self, request: Request) -> dict[str, Any]:
        corpid = self.caller(request)
        jobid = request.args.get("jobid", "")
        job = self._job(jobid)
        if job is None or job["corpid"] != corpid or self.now() > job["created"] + JOB_FORGOTTEN:
            raise Fault(40058, "invalid jobid")
        if "result" not in job:
            has_begun = self.now() >= job["created"] + JOB_BEGINS
            return {"status": 2 if has_begun else 1, "type": "add_moment_task"}
        return {"status": 3, "type": "add_moment_task", "result": job["result"]}

    @api("POST", "/cgi-bin/externalcontact/get_moment_list")
    def get_moment_list(self, request: Request) -> dict[str, Any]:
        corpid = self.caller(request)
        asked = self.body(request)
        start, end = int(asked["start_time"]), int(asked["end_time"])
        if not 0 <= end - start <= 30 * DAY:
            raise Fault(40058, "time range")
        for jobid in self.book.all("job"):
            self._job(jobid)
        rows = [
            {
                "moment_id": moment_id,
                "create_time": str(int(moment["created"])),
                "create_type": 0,
                "visible_type": moment["visible_type"],
                "text": moment["asked"].get("text") or {},
                **_attached(moment["asked"]),
            }
            for moment_id, moment in self.book.all("moment").items()
            if moment["corpid"] == corpid and start <= moment["created"] <= end
        ]
        return self.page(rows, asked, 20, "moment_list")

    @api("POST", "/cgi-bin/externalcontact/get_moment_task")
    def get_moment_task(self, request: Request) -> dict[str, Any]:
        asked, moment = self._of_moment(request)
        rows = [
            {"userid": userid, "publish_status": 1 if at else 0}
            for userid, at in moment["published"].items()
        ]
        return self.page(rows, asked, 1000, "task_list")

    @api("POST", "/cgi-bin/externalcontact/get_moment_customer_list")
    def get_moment_customer_list(self, request: Request) -> dict[str, Any]:
        asked, moment = self._of_moment(request)
        userid = str(asked.get("userid"))
        seen = self.customers(moment["corpid"], userid, _tags(moment))
        rows = [{"userid": userid, "external_userid": one} for one in seen]
        return self.page(rows, asked, 1000, "customer_list")

    @api("POST", "/cgi-bin/externalcontact/get_moment_send_result")
    def get_moment_send_result(self, request: Request) -> dict[str, Any]:
        asked, moment = self._of_moment(request)
        userid = str(asked.get("userid"))
        is_live = moment["published"].get(userid)
        seen = self.customers(moment["corpid"], userid, _tags(moment)) if is_live else []
        rows = [{"external_userid": one} for one in seen if not self.book.get("unfriended", one)]
        return self.page(rows, asked, 5000, "customer_list")

    @api("POST", "/cgi-bin/externalcontact/get_moment_comments")
    def get_moment_comments(self, request: Request) -> dict[str, Any]:
        asked, moment = self._of_moment(request)
        userid = str(asked.get("userid"))
        published = moment["published"].get(userid, "nobody")
        if published == "nobody":
            raise Fault(41061, "not the moment of this user")
        if not published:
            raise Fault(41062, "not published yet")
        said = self._responses(str(asked["moment_id"]), moment, userid, float(published))
        return {"comment_list": said["comment"], "like_list": said["like"]}

    @api("POST", "/cgi-bin/externalcontact/cancel_moment_task")
    def cancel_moment_task(self, request: Request) -> dict[str, Any]:
        asked, moment = self._of_moment(request, at_once=True)
        self.book.put("moment", asked["moment_id"], moment | {"cancelled": True})
        return {}

    # --- what happens by itself

    def _job(self, jobid: str) -> dict[str, Any] | None:
        """The job as it is now: when its time has come it has made the post."""
        job: dict[str, Any] | None = self.book.get("job", jobid)
        lasts = float(self.book.get("flag", "jobs_last") or JOB_ENDS)
        if job is None or "result" in job or self.now() < job["created"] + lasts:
            return job
        moment_id = f"mom{jobid.removeprefix('job')}"
        senders, invalid = self._senders(job)
        strange = [one for one in _tags(job) if one not in TAGS]
        result: dict[str, Any] = {
            "errcode": 0 if senders else 40096,
            "errmsg": "ok" if senders else "no valid sender",
            "invalid_sender_list": invalid,
            "invalid_external_contact_list": {"tag_list": strange},
        }
        if senders:
            result["moment_id"] = moment_id
            moment = {
                "corpid": job["corpid"],
                "created": job["created"] + lasts,
                "asked": job["asked"],
                "published": dict.fromkeys(senders),
            }
            moment["visible_type"] = 0 if _tags(moment) else 1
            self.book.put("moment", moment_id, moment)
        self.book.put("job", jobid, job | {"result": result})
        return job | {"result": result}

    def _senders(self, job: dict[str, Any]) -> tuple[list[str], dict[str, list[Any]]]:
        """Who is to post, and what of the wish names nobody; without a wish everybody posts."""
        wanted = (job["asked"].get("visible_range") or {}).get("sender_list") or {}
        users, numbers = wanted.get("user_list") or [], wanted.get("department_list") or []
        everybody = self.employees(job["corpid"])
        members = {number: self.department(job["corpid"], number) for number in numbers}
        named = [one for one in users if one in everybody]
        named += [one for people in members.values() for one in people or []]
        invalid = {
            "user_list": [one for one in users if one not in everybody],
            "department_list": [number for number in numbers if members[number] is None],
        }
        return list(dict.fromkeys(named)) if users or numbers else list(everybody), invalid

    def moment(self, moment_id: str) -> Moment | None:
        """The post as it is now: whoever was due to publish meanwhile has done so."""
        moment: Moment | None = self.book.get("moment", moment_id)
        if moment is None or moment.get("cancelled"):
            return moment
        for userid, at in list(moment["published"].items()):
            due = None if at else self.auto_moment(moment["created"], moment_id, userid)
            if due is not None and due <= self.now():
                moment = self._publish(moment_id, moment, userid, due)
        return moment

    def _publish(self, moment_id: str, moment: Moment, userid: str, at: float) -> Moment:
        moment = moment | {"published": {**moment["published"], userid: at}}
        self.book.put("moment", moment_id, moment)
        self.book.show("moment_posted", at, {"moment_id": moment_id, "userid": userid})
        return moment

    def _responses(
        self, moment_id: str, moment: Moment, userid: str, published: float
    ) -> dict[str, list[dict[str, Any]]]:
        """Likes and comments given by control, and, while `auto` is on, those that came by themselves."""
        said = {}
        for kind, chance in (("like", 0.35), ("comment", 0.1)):
            came = list(self.book.get(kind, f"{moment_id}:{userid}") or [])
            for customer in self.customers(moment["corpid"], userid, _tags(moment)):
                dice = random.Random(f"{kind}{moment_id}{customer}")
                at = published + dice.uniform(30, 3600)
                if dice.random() < chance and at <= self.now() and self.book.get("flag", "auto"):
                    came.append({"external_userid": customer, "create_time": int(at)})
            said[kind] = came
        return said

    def _of_moment(
        self, request: Request, *, at_once: bool = False
    ) -> tuple[dict[str, Any], Moment]:
        corpid = self.caller(request)
        asked = self.body(request)
        moment = self.moment(str(asked.get("moment_id")))
        if moment is None or moment["corpid"] != corpid:
            raise Fault(40058, "moment_id")
        if not at_once and self.now() < moment["created"] + DISPATCH:
            raise Fault(41079, "being dispatched")
        return asked, moment

    def _judge(self, corpid: str, asked: dict[str, Any]) -> None:
        words = str((asked.get("text") or {}).get("content", ""))
        judge_tags(_tags({"asked": asked}))
        attachments = asked.get("attachments") or []
        kinds = {str(one.get("msgtype")) for one in attachments}
        if len(words) > 2000:
            raise Fault(40058, "invalid text size")
        if not words and not attachments:
            raise Fault(41089, "empty")
        if len(kinds) > 1 or not kinds <= {"image", "link"}:
            raise Fault(40058, "invalid attachments msgtype")
        if len(attachments) > (1 if kinds == {"link"} else 9):
            raise Fault(40058, "invalid attachments size")
        for one in attachments:
            content = one[str(one["msgtype"])]
            if one["msgtype"] == "link":
                judge_link(content, title=64, url=2048)
            self.media(corpid, content.get("media_id"), "moment")

    def control(self, verb: str, given: dict[str, Any]) -> Response:
        match verb:
            case "confirm":
                for moment_id, userid, moment in self._open(given):
                    self._publish(moment_id, moment, userid, self.now())
            case "jobs_last":  # how many seconds each job works
                self.book.put("flag", "jobs_last", given["seconds"])
                return self.json({"done": verb})
            case "like" | "comment":
                place = f"{given['moment_id']}:{given['employee']}"
                came = self.book.get(verb, place) or []
                row = {
                    "external_userid": given["customer"],
                    "create_time": int(given.get("at", self.now())),
                }
                self.book.put(verb, place, [*came, row])
                return self.json({"done": verb})
        return super().control(verb, given)

    def _open(self, given: dict[str, Any]) -> Any:
        """What the employee has not published yet, each time as the last one left it."""
        for jobid in self.book.all("job"):
            self._job(jobid)
        for moment_id in list(self.book.all("moment")):
            if given.get("task") not in (moment_id, None):
                continue
            for userid in (self.moment(moment_id) or {"published": {}})["published"]:
                moment = self.moment(moment_id)
                is_open = moment and not moment.get("cancelled") and not moment["published"][userid]
                if is_open and given.get("employee") in (userid, None):
                    yield moment_id, userid, moment


def _tags(moment: Moment) -> list[str]:
    range_ = moment["asked"].get("visible_range") or {}
    return list((range_.get("external_contact_list") or {}).get("tag_list", []))


def _attached(asked: dict[str, Any]) -> dict[str, Any]:
    attachments = asked.get("attachments") or []
    links = [one["link"] for one in attachments if one["msgtype"] == "link"]
    if links:
        return {"link": {"title": links[0].get("title", ""), "url": links[0]["url"]}}
    return {"image": [one["image"] for one in attachments]} if attachments else {}
