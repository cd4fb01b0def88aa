"""Real SIGKILLs at random moments of writing and rebuilding."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from content_library.search import Index, SearchDocument

ROUNDS = 8

# Writes batch after batch; document n of a batch is told of on stdout only after its commit.
WRITER = """
import sys
from itertools import count
from pathlib import Path
from content_library.search import Index, IndexMissing, SearchDocument

index, first = Index(Path(sys.argv[1])), int(sys.argv[2])
known = [SearchDocument(n, "训练营 海报", body="社群 打卡 " * 20) for n in range(60)]
print("ready", flush=True)
for step in count():
    ids = [first + 3 * step + n for n in range(3)]
    documents = [SearchDocument(n, f"训练营 第{n}课") for n in ids]
    try:
        index.replace(documents)
        known += documents
        print("written", *ids, flush=True)
    except IndexMissing:
        pass
    if step % 4 == 3:
        index.rebuild(known, refresh=lambda touched: [])
        print("rebuilt", *(d.id for d in known), flush=True)
"""


@pytest.mark.chaos
def test_killed_writers_leave_a_usable_index_or_none(tmp_path: Path) -> None:
    dice = random.Random(5)
    usable = killed = 0
    for number in range(ROUNDS):
        present = tell_until_killed(tmp_path, 1_000 * (number + 1), dice.uniform(0.02, 0.45))
        killed += 1
        index = Index(tmp_path)
        state = index.status().state
        assert state in ("ready", "absent")
        if state == "ready":
            usable += 1
            assert set(index.matching_ids("训练营")) >= present
            index.replace([SearchDocument(1, "训练营 复活")], timeout=2)
            assert 1 in index.matching_ids("复活")
    assert killed == ROUNDS
    assert usable >= ROUNDS // 2
    index.rebuild([SearchDocument(7, "训练营")], refresh=lambda touched: [])
    assert index.matching_ids("训练营") == [7]
    assert len(list((tmp_path / "index").glob("g-*"))) == 1


def tell_until_killed(home: Path, first: int, after: float) -> set[int]:
    """Run a writer, kill it some time after it began, and give the ids it said were there."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(home), str(first)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(after)
        writer.send_signal(signal.SIGKILL)
        told, complaints = writer.communicate()
        assert writer.returncode == -signal.SIGKILL, complaints
    present: set[int] = set()
    for line in told.splitlines(keepends=True):
        words = line.split()
        if not line.endswith("\n"):
            continue  # the kill cut the line, not the index
        ids = {int(word) for word in words[1:]}
        present = ids if words[0] == "rebuilt" else present | ids
    return present
