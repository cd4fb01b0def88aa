"""The life of an index: writing, rebuilding, swapping, ageing, breaking."""

import gc
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from content_library.search import Index, IndexBusy, IndexMissing, SearchDocument
from content_library.search.generations import Generations
from content_library.search.schema import SCHEMA_VERSION


def document(number: int, title: str = "训练营") -> SearchDocument:
    return SearchDocument(number, title)


def nothing(ids: object) -> list[SearchDocument]:
    return []


@pytest.fixture
def index(tmp_path: Path) -> Index:
    made = Index(tmp_path)
    made.rebuild([document(1), document(2, "公开课")], refresh=nothing)
    return made


def pointer(home: Path) -> Path:
    return home / "index" / "current"


def test_replacing_and_deleting(index: Index) -> None:
    index.replace([document(2, "海报"), document(3, "海报")])
    index.delete([1, 99])
    assert index.matching_ids("训练营") == []
    assert index.matching_ids("公开课") == []
    assert set(index.matching_ids("海报")) == {2, 3}
    assert index.status().documents == 2


def test_the_last_word_of_a_batch_counts(index: Index) -> None:
    with index.writer() as batch:
        batch.replace(document(5, "海报"))
        batch.delete(5)
        batch.delete(1)
        batch.replace(document(1, "视频"))
    assert index.matching_ids("海报") == []
    assert index.matching_ids("视频") == [1]


def test_writing_twice_changes_nothing_more(index: Index) -> None:
    for _ in range(3):
        index.replace([document(7, "海报")])
    assert index.matching_ids("海报") == [7]
    assert index.search("海报").total == 1


def test_many_small_writes_keep_every_document(index: Index) -> None:
    for number in range(100, 140):
        index.replace([document(number, "海报")])
    assert sorted(index.matching_ids("海报")) == list(range(100, 140))
    assert index.search("海报", limit=3).total == 40


def test_without_an_index(tmp_path: Path) -> None:
    index = Index(tmp_path)
    with pytest.raises(IndexMissing) as missing:
        index.search("训练营")
    assert missing.value.reason == "absent"
    with pytest.raises(IndexMissing):
        index.replace([document(1)])
    assert index.status().state == "absent"


def test_an_empty_library_is_an_index(tmp_path: Path) -> None:
    index = Index(tmp_path)
    assert index.rebuild([], refresh=nothing) == 0
    assert index.search("训练营").ids == ()
    assert index.search("-训练营").ids == ()


def test_another_schema_version_is_no_index_until_rebuilt(index: Index, tmp_path: Path) -> None:
    content = json.loads(pointer(tmp_path).read_text())
    pointer(tmp_path).write_text(json.dumps(content | {"schema": SCHEMA_VERSION + 1}))
    with pytest.raises(IndexMissing) as missing:
        index.matches("训练营")
    assert missing.value.reason == "other_version"
    with pytest.raises(IndexMissing):
        index.delete([1])
    index.rebuild([document(4)], refresh=nothing)
    assert index.matching_ids("训练营") == [4]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"generation": "x", "schema": 1}', "\x00\xff"]
)
def test_a_damaged_pointer(index: Index, tmp_path: Path, content: str) -> None:
    pointer(tmp_path).write_text(content)
    assert index.status().state == "broken"
    index.rebuild([document(4)], refresh=nothing)
    assert index.matching_ids("训练营") == [4]


# Whoosh leaves the file open when it cannot read it; Python closes it a moment later.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("damage", ["emptied", "cut", "scribbled", "removed"])
@pytest.mark.parametrize("ending", [".toc", ".seg"])
def test_damaged_files_never_crash(index: Index, tmp_path: Path, damage: str, ending: str) -> None:
    for path in (tmp_path / "index" / "g-1").glob(f"*{ending}"):
        content = path.read_bytes()
        changed = {
            "emptied": b"",
            "cut": content[: len(content) // 2],
            "scribbled": b"\xff" * len(content),
            "removed": None,
        }[damage]
        path.unlink()
        if changed is not None:
            path.write_bytes(changed)
    fresh = Index(tmp_path)
    assert fresh.status().state == "broken"
    for read in (fresh.search, fresh.matches):
        with pytest.raises(IndexMissing):
            read("训练营")
    gc.collect()
    fresh.rebuild([document(4)], refresh=nothing)
    assert fresh.matching_ids("训练营") == [4]


def test_a_rebuild_replaces_everything_and_keeps_one_generation(
    index: Index, tmp_path: Path
) -> None:
    heard: list[int] = []
    many = (document(number, "海报") for number in range(250))
    assert index.rebuild(many, refresh=nothing, progress=heard.append) == 250
    assert heard == [100, 200, 250]
    assert index.matching_ids("训练营") == []
    assert index.search("海报").total == 250
    assert [path.name for path in (tmp_path / "index").glob("g-*")] == ["g-2"]


def test_a_failing_rebuild_leaves_the_old_index(index: Index, tmp_path: Path) -> None:
    def broken() -> Iterator[SearchDocument]:
        yield document(9)
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        index.rebuild(broken(), refresh=nothing)
    assert index.matching_ids("训练营") == [1]
    index.replace([document(3)])
    index.rebuild([document(5)], refresh=nothing)
    assert index.matching_ids("训练营") == [5]
    assert [path.name for path in (tmp_path / "index").glob("g-*")] == ["g-3"]


def test_changes_during_a_rebuild_survive_it(index: Index) -> None:
    truth = {number: document(number) for number in range(1, 6)}

    def read_slowly() -> Iterator[SearchDocument]:
        for number in sorted(truth):
            yield truth[number]
            if number == 3:  # both an id already read and ids still to come
                truth[1] = document(1, "海报")
                index.replace([truth[1]])
                truth[8] = document(8, "视频")
                index.replace([truth[8]])
                index.delete([2])

    def refresh(ids: object) -> list[SearchDocument]:
        assert sorted(ids) == [1, 2, 8]  # type: ignore[call-overload]
        return [truth[1], truth[8]]

    index.rebuild(read_slowly(), refresh=refresh)
    assert index.matching_ids("海报") == [1]
    assert index.matching_ids("视频") == [8]
    assert sorted(index.matching_ids("训练营")) == [3, 4, 5]


def test_changes_during_the_first_rebuild_survive_it(tmp_path: Path) -> None:
    index = Index(tmp_path)

    def read() -> Iterator[SearchDocument]:
        yield document(1)
        with pytest.raises(IndexMissing):
            index.replace([document(1, "海报")])

    index.rebuild(read(), refresh=lambda ids: [document(1, "海报")])
    assert index.matching_ids("海报") == [1]
    assert index.matching_ids("训练营") == []


def test_two_rebuilds_at_once_are_one_too_many(index: Index) -> None:
    def read() -> Iterator[SearchDocument]:
        with pytest.raises(IndexBusy):
            index.rebuild([document(9)], refresh=nothing)
        yield document(3)

    index.rebuild(read(), refresh=nothing)
    assert index.matching_ids("训练营") == [3]


def test_a_second_writer_waits_then_gives_up(index: Index, tmp_path: Path) -> None:
    with Generations(tmp_path / "index").writing(timeout=1), pytest.raises(IndexBusy):
        index.replace([document(3)], timeout=0.1)
    index.replace([document(3)], timeout=0.1)
    assert sorted(index.matching_ids("训练营")) == [1, 3]


def test_four_threads_write_and_nothing_is_lost(index: Index) -> None:
    def write(first: int) -> None:
        for number in range(first, first + 5):
            index.replace([document(number, "海报")])

    threads = [threading.Thread(target=write, args=(first,)) for first in (100, 200, 300, 400)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert index.search("海报").total == 20


READER = """
import sys
from pathlib import Path
from content_library.search import Index
index = Index(Path(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    print(*sorted(index.matching_ids(line.strip())), flush=True)
"""


def test_another_process_sees_writes_and_swaps(index: Index, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None

        def ask(question: str) -> str:
            reader.stdin.write(question + "\n")  # type: ignore[union-attr]
            reader.stdin.flush()  # type: ignore[union-attr]
            return reader.stdout.readline().strip()  # type: ignore[union-attr]

        assert reader.stdout.readline() == "ready\n"
        assert ask("训练营") == "1"
        index.replace([document(3)])
        assert ask("训练营") == "1 3"
        index.rebuild([document(4), document(5)], refresh=nothing)
        assert ask("训练营") == "4 5"
        reader.stdin.close()
        assert reader.wait(timeout=10) == 0


def test_readers_never_notice_a_rebuild(tmp_path: Path) -> None:
    index = Index(tmp_path)
    library = [document(number) for number in range(200)]
    index.rebuild(library, refresh=nothing)
    faults: list[object] = []
    questions = 0
    done = threading.Event()

    def read() -> None:
        nonlocal questions
        while not done.is_set():
            try:
                total, ids = index.search("训练营", limit=5).total, index.matching_ids("训练营")
                if total != 200 or sorted(ids) != list(range(200)):
                    faults.append((total, len(ids)))
            except Exception as error:
                faults.append(error)
            questions += 1

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        index.rebuild(library, refresh=nothing)
        index.replace(library[:3])
    done.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert questions > 20
