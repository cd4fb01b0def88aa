"""What a check found is said in the reader's language, the names of processes as well."""

from functools import partial

from cms.core import health
from cms.core.beats import ProcessBeat
from cms.core.clock import now
from cms.core.db import session, transaction
from cms.core.i18n import said_in
from cms.core.sentences import sentence, worded


def test_a_missing_process_is_named_in_chinese(app):
    with transaction():
        beat = {"kind": "clock", "host": "host", "pid": 1, "started_at": now(), "beat_at": now()}
        session.add(ProcessBeat(id="host:clock:1", **beat))
    found = health.examine()["processes"]
    chinese = worded(found.message, found.params, partial(said_in, "zh"))
    assert chinese.startswith("以下进程没有动静：1 × 网页 · 1 × 工作进程：")
    assert "worker" not in chinese


def test_a_number_in_an_inner_sentence_stays_its_own():
    inner = sentence("%(count)s posts", {"count": 7})
    assert worded("%(count)s × %(what)s", {"count": 2, "what": inner}, str) == "2 × 7 posts"
