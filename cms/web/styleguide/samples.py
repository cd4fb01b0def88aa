"""Invented words and a full week for the style guide; nothing here reaches a database."""

from typing import Any

Row = dict[str, Any]

TITLES = (
    ("三十岁转行学 Java，还来得及吗？", "zh-CN"),
    ("学员小周：从销售到后端，只用了 11 个月", "zh-CN"),
    ("5 月开班前的最后一次直播答疑", "zh-CN"),
    ("What a junior Java developer really does all day", "en"),
    ("英语弱，也能读懂报错的三个办法", "zh-CN"),
    ("2026 春季就业报告：83 位同学去了哪里", "zh-CN"),
    ("一张图看懂 Spring 里的依赖注入", "zh-CN"),
    ("Salary, honestly: offers of our last class", "en"),
    ("下班后每天 90 分钟怎么排", "zh-CN"),
    ("面试官最爱问的五个集合问题", "zh-CN"),
    ("立夏小福利：试听课免费一周", "zh-CN"),
    ("How to read a stack trace without fear", "en"),
)
THEMES = ("行业前景", "信任", "欲望调动", "干货", "活动", "优惠")
KINDS = ("article", "poster", "video", "article")
PERSONAS = ("林老师", "小禾顾问", "服务号")
CHANNELS = (
    {"icon": "aperture", "label": "Moments"},
    {"icon": "messages-square", "label": "Group"},
)
TIMES = ("08:00", "10:00", "12:30", "18:30", "20:30", "21:30")
TODAY = 2
STATES = {
    "past": "published published handed_over published published missed published uncertain",
    "today": "published handed_over sending scheduled scheduled held",
    "coming": "scheduled approved submitted draft scheduled planned rejected cancelled",
}
STAGES = (
    ("New 新用户", (("新人 1 群", 64), ("朋友圈·新", 210)), (3, 5), (4, 4, 5, 4, 4, 4, 2)),
    (
        "Active 活跃",
        (("Java 1 群", 186), ("Java 2 群", 173), ("林老师朋友圈", 1240)),
        (5, 5),
        (5, 4, 5, 5, 5, 4, 5),
    ),
    ("Silent 沉默", (("沉默唤醒群", 412),), (2, 3), (4, 4, 4, 4, 4, 4, 3)),
    ("Dormant 休眠", (("顾问朋友圈", 2860),), (1, 2), (4, 4, 4, 3, 4, 3, 3)),
    ("Churned 流失", (("顾问朋友圈", 903),), (2, 1), (3, 3, 4, 3, 3, 3, 3)),
    ("Paying 在读", (("5 班学员群", 58),), (4, 7), (4, 5, 5, 4, 5, 4, 4)),
)
REPEAT = ("“就业报告” went to this pool 9 days ago.", "#", "Choose another asset")
SHEET: tuple[Row, ...] = (
    {
        "hue": 2,
        "time": "08:00",
        "icon": "aperture",
        "where": "Moments · 林老师",
        "stage": "Active 活跃",
        "frame": "moments",
        "persona": {"name": "林老师"},
        "text": "早。昨晚班里小周收到 offer 了，11 个月前他还在跑客户。\n"
        "把他每天 90 分钟怎么排的，写成了一张表，怕坚持不下来的先看看。",
        "images": [("/static/img/mark.svg", "表")] * 3,
        "link": {"title": TITLES[1][0]},
        "lang": "zh-CN",
        "warning": REPEAT[0],
    },
    {
        "hue": 4,
        "time": "12:30",
        "icon": "messages-square",
        "where": "Java 1 群",
        "stage": "Active 活跃",
        "frame": "group",
        "persona": {"name": "小禾顾问"},
        "pool": {"name": "Java 1 群", "size": 186},
        "text": "中午好～ 今天的 5 分钟干货：报错看不懂英文怎么办？三个办法，收藏备用。",
        "link": {"title": TITLES[4][0], "detail": "先认 200 个词，再看这三行"},
        "lang": "zh-CN",
    },
    {
        "hue": 1,
        "time": "20:30",
        "icon": "book-open",
        "where": "Reader page · Java 入门",
        "stage": "New 新用户",
        "frame": "article",
        "title": TITLES[3][0],
        "by": "Teacher Lin",
        "lead": "Not what the adverts show. We asked 31 graduates in their first year.",
        "html": "They kept a diary for one week, hour by hour.",
        "lang": "en",
    },
)


def days() -> list[Row]:
    """The week of the mock; Wednesday is today."""
    festivals = {1: "立夏 · Start of summer", 6: "母亲节"}
    return [
        {
            "weekday": weekday,
            "date": str(4 + at),
            "iso": f"2026-05-{4 + at:02}",
            "href": f"?day={at + 1}",
            "festival": festivals.get(at),
            "is_today": at == TODAY,
            "is_past": at < TODAY,
            "count": sum(stage[3][at] for stage in STAGES),
        }
        for at, weekday in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
    ]


def week() -> list[Row]:
    """Six stages by seven days, about 150 posts and a few empty slots."""
    rows = []
    for at, (name, pools, (used, allowed), counts) in enumerate(STAGES):
        rows.append(
            {
                "name": name,
                "pools": [_pool(pool, size) for pool, size in pools],
                "used": used,
                "allowed": allowed,
                "cells": [_cell(at, day, count) for day, count in enumerate(counts)],
            }
        )
    return rows


def _pool(name: str, size: int) -> Row:
    return {
        "name": name,
        "size": size,
        "icon": "aperture" if "朋友圈" in name else "messages-square",
    }


def _cell(stage: int, day: int, count: int) -> Row:
    past = day < TODAY
    return {
        "id": f"{stage}-{day}",
        "slot": None if past else f"{stage}-{day}",
        "label": f"{STAGES[stage][0]}, {days()[day]['weekday']}",
        "entries": [_entry(stage, day, at) for at in range(count)],
        "add_href": None if past else "#plan",
        "warning": "No dry goods for 3 days" if (stage, day) == (2, 4) else None,
    }


def _entry(stage: int, day: int, at: int) -> Row:
    time = TIMES[at]
    if day >= TODAY and (stage + day + at) % 11 == 5:
        slot = f"{stage}-{day}-{at}"
        return {"slot": slot, "time": time, "wants": "trust wanted", "href": "#plan"}
    number = stage * 49 + day * 7 + at
    title, lang = TITLES[(number * 5 + stage) % len(TITLES)]
    states = STATES["past" if day < TODAY else "today" if day == TODAY else "coming"].split()
    return {
        "id": number,
        "href": f"#post-{number}",
        "time": time,
        "kind": KINDS[number % 4],
        "title": title,
        "lang": lang,
        "hue": (number * 5 + day) % 6 + 1,
        "channel": CHANNELS[(number + at) % 2],
        "persona": PERSONAS[number % 3],
        "state": states[(number * 3 + at) % len(states)],
        "move_url": f"/styleguide/move/{number}",
        "warnings": [REPEAT] if number % 17 == 3 else [],
    }


def assets() -> list[Row]:
    """Six assets for the library's cards."""
    return [
        {
            "href": "#",
            "title": TITLES[at][0],
            "lang": TITLES[at][1],
            "kind": KINDS[at % 4],
            "tags": [(theme, at + 1), ("decide", None)],
            "state": "ready" if at % 3 else "draft",
        }
        for at, theme in enumerate(THEMES)
    ]


def tray() -> list[Row]:
    """Ten assets for the tray."""
    return [
        {
            "id": at,
            "href": "#",
            "title": title,
            "lang": lang,
            "kind": KINDS[at % 4],
            "hue": at % 6 + 1,
            "detail": f"{THEMES[at % 6]} · 4.{at} % · n {120 * at + 80}",
        }
        for at, (title, lang) in enumerate(TITLES[:10])
    ]
