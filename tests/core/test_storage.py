"""Files at rest: same bytes kept once, whole or not at all, and no key leads elsewhere."""

import hashlib
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cms.core import storage
from cms.core.errors import Invalid, NotFound
from cms.core.storage import StorageFull, Store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "media")


def everything(store: Store) -> list[Path]:
    return [path for path in store.folder.rglob("*") if path.is_file()]


def test_what_is_put_comes_back(store: Store) -> None:
    stored = store.put(b"picture", ".webp")
    digest = hashlib.sha256(b"picture").hexdigest()
    assert stored.key == f"{digest[:2]}/{digest[2:4]}/{digest}.webp"
    assert (stored.sha256, stored.size) == (digest, 7)
    assert store.read(stored.key) == b"picture"
    with store.open(stored.key) as file:
        assert file.read(3) == b"pic"
    assert stored.key in store


def test_only_the_owner_can_read_it(store: Store) -> None:
    path = store.path(store.put(b"x").key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_same_bytes_are_kept_once(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = {stored.key for stored in pool.map(lambda _: store.put(b"same" * 9_999), range(40))}
    assert len(keys) == 1
    assert len(everything(store)) == 1


def test_a_file_cut_short_by_a_broken_disk_is_written_anew(store: Store) -> None:
    stored = store.put(b"whole")
    (store.folder / stored.key).write_bytes(b"wh")
    store.put(b"whole")
    assert store.read(stored.key) == b"whole"


def test_deleting_twice_is_no_fault_and_then_it_is_gone(store: Store) -> None:
    key = store.put(b"x").key
    store.delete(key)
    store.delete(key)
    assert key not in store
    with pytest.raises(NotFound):
        store.path(key)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "../../etc/passwd",
        "/etc/passwd",
        "aa/bb/../../x",
        "aa/bb/" + "c" * 64,
        "aa/bb/aabb" + "c" * 60 + ".webp\n",
        "aa/bb/aabb" + "c" * 60 + "/x",
        "AA/BB/AABB" + "C" * 60,
        "aa/bb/aabb" + "c" * 60 + "\x00",
    ],
)
def test_no_key_leads_elsewhere(store: Store, key: str) -> None:
    for use in (store.path, store.open, store.delete):
        with pytest.raises(NotFound):
            use(key)
    assert key not in store


@pytest.mark.parametrize("suffix", ["webp", "./../x", ".a/b", ".PNG", "." + "x" * 9])
def test_no_suffix_leads_elsewhere(store: Store, suffix: str) -> None:
    with pytest.raises(ValueError):
        store.put(b"x", suffix)


FILL = """
import resource, signal, sys
from pathlib import Path
from cms.core.storage import Store, StorageFull
store = Store(Path(sys.argv[1]))
kept = store.put(b"small")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    store.put(b"x" * 300_000)
except StorageFull as error:
    print(error.fields["file"].code, store.read(kept.key))
"""


def test_a_disk_without_room_keeps_nothing_half_written(store: Store) -> None:
    """The kernel cuts the write at 100 kB, in a child since such a limit cannot be lifted again."""
    told = subprocess.run(
        [sys.executable, "-c", FILL, str(store.folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout == "storage_full b'small'\n", told.stderr
    assert [path.read_bytes() for path in everything(store)] == [b"small"]


def test_a_really_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        store = Store(disk / "media")
        with pytest.raises(StorageFull):
            store.put(b"x" * 200_000)
        assert everything(store) == []
        assert store.read(store.put(b"fits").key) == b"fits"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_told_beside_the_file() -> None:
    assert isinstance(StorageFull(), Invalid)
    assert "no room" in str(StorageFull())


def test_the_process_says_once_where_its_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_media", None)
    with pytest.raises(RuntimeError):
        storage.media()
    storage.connect(tmp_path)
    assert storage.media().folder == tmp_path
