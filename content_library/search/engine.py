"""The index itself: one writer, many readers, rebuilt beside and swapped while it is being read."""

import logging
import os
import pickle
import struct
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from whoosh import index as whoosh_index
from whoosh import query as ask
from whoosh.searching import Searcher

from content_library.search.asking import alternatives, exact_readings, ranked
from content_library.search.document import SearchDocument
from content_library.search.generations import Generations, IndexMissing, Pointer
from content_library.search.query import Query, parse
from content_library.search.schema import fields_of, index_schema

log = logging.getLogger(__name__)

Refresh = Callable[[Sequence[int]], Iterable[SearchDocument]]
Changes = Mapping[int, SearchDocument | None]
Answer = TypeVar("Answer")

_PROGRESS_EVERY = 100
_WRITE_MEMORY_MB = 64
_READ_TRIES = 5

# What reading damaged files was seen to raise: Whoosh checks little and falls over later.
_DAMAGE = (
    whoosh_index.IndexError,
    OSError,
    EOFError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    MemoryError,
    pickle.PickleError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class Hits:
    """Ids with scores, best first. `total` counts all matches; `complete`: all of them are here."""

    ids: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    total: int = 0
    complete: bool = True
    relaxed: bool = False


@dataclass(frozen=True)
class Matches:
    """All matching ids in no order; `relaxed` when no document holds all the words."""

    ids: tuple[int, ...] = ()
    relaxed: bool = False


@dataclass(frozen=True)
class IndexStatus:
    """What an operator wants to know: `state` is "ready" or the reason of IndexMissing."""

    state: str
    generation: int = 0
    documents: int = 0


@dataclass
class _Held:
    """A searcher belongs to one thread of one process: it has file positions of its own."""

    pid: int
    pointer: Pointer
    opened: whoosh_index.FileIndex
    commit: int
    searcher: Searcher


class Batch:
    """Changes gathered for one commit; the last word about an id counts."""

    def __init__(self) -> None:
        self.changes: dict[int, SearchDocument | None] = {}

    def replace(self, document: SearchDocument) -> None:
        self.changes[document.id] = document

    def delete(self, document_id: int) -> None:
        self.changes[document_id] = None


class Index:
    """The search index below a data directory. Cheap to make, safe to share between threads.

    Every method that needs an index raises IndexMissing when there is none that can be read.
    """

    def __init__(self, home: Path) -> None:
        self._generations = Generations(home / "index")
        self._schema = index_schema()
        self._local = threading.local()

    # Reading

    def search(self, query: str | Query, limit: int = 50) -> Hits:
        """The best `limit` matches by relevance."""
        parsed = parse(query) if isinstance(query, str) else query
        return self._read(lambda searcher: _search(searcher, parsed, limit))

    def matches(self, query: str | Query) -> Matches:
        """Every match, unscored: for filters, facets and orders which the database computes."""
        parsed = parse(query) if isinstance(query, str) else query
        return self._read(lambda searcher: _matches(searcher, parsed))

    def matching_ids(self, query: str | Query) -> list[int]:
        """The ids alone of `matches`."""
        return list(self.matches(query).ids)

    def status(self) -> IndexStatus:
        """The state of the index; never raises."""
        try:
            documents = self._read(lambda searcher: int(searcher.doc_count()))
            return IndexStatus("ready", self._generations.current().generation, documents)
        except IndexMissing as missing:
            return IndexStatus(missing.reason)

    # Writing

    def replace(self, documents: Iterable[SearchDocument], *, timeout: float = 60) -> None:
        """Add the documents, each instead of an earlier one with its id."""
        self.apply({document.id: document for document in documents}, timeout=timeout)

    def delete(self, ids: Iterable[int], *, timeout: float = 60) -> None:
        """Forget the ids; unknown ones do no harm."""
        self.apply(dict.fromkeys(ids), timeout=timeout)

    @contextmanager
    def writer(self, timeout: float = 60) -> Iterator[Batch]:
        """Gather many changes and write them in one commit at the end of the block."""
        batch = Batch()
        yield batch
        self.apply(batch.changes, timeout=timeout)

    def apply(self, changes: Changes, *, timeout: float = 60) -> None:
        """Write in one commit: a document replaces, None deletes. IndexBusy after `timeout` s."""
        if not changes:
            return
        with self._generations.writing(timeout):
            # Before anything can fail: a running rebuild must learn of the change even if there
            # is no index to write it to yet.
            self._generations.note_touched(changes)
            pointer = self._generations.current()
            try:
                self._write(pointer.folder, changes)
            except _DAMAGE as error:
                _warn("written", error)
                raise IndexMissing("broken") from error

    def rebuild(
        self,
        documents: Iterable[SearchDocument],
        *,
        refresh: Refresh,
        progress: Callable[[int], None] = lambda count: None,
    ) -> int:
        """Build a new generation beside the current one, swap, and tell how many were read.

        `documents` should be lazy, so that reading begins after writers have begun to note what
        they touch. `refresh` gets the ids touched meanwhile and returns their documents as they
        are now, read in a fresh transaction; an id it leaves out is deleted. A second rebuild at
        the same time raises IndexBusy. Until the swap the old generation answers and takes writes.
        """
        generations = self._generations
        with generations.rebuilding(), generations.noting_touched():
            pointer = generations.begin()
            count = self._fill(pointer, documents, progress)
            with generations.writing(timeout=60):
                touched = generations.touched()
                if touched:
                    fresh = {document.id: document for document in refresh(touched)}
                    self._write(pointer.folder, {number: fresh.get(number) for number in touched})
                generations.point_to(pointer)
                generations.drop_others(pointer)
        return count

    def drop(self) -> None:
        """Forget everything, as if the index had never been built."""
        with self._generations.writing(timeout=60):
            (self._generations.folder / "current").unlink(missing_ok=True)
            self._generations.drop_others(None)

    def _fill(
        self, pointer: Pointer, documents: Iterable[SearchDocument], progress: Callable[[int], None]
    ) -> int:
        storage = whoosh_index.create_in(str(pointer.folder), self._schema)
        writer = storage.writer(limitmb=_WRITE_MEMORY_MB)
        seen: set[int] = set()
        try:
            for document in documents:
                if document.id in seen:
                    continue
                seen.add(document.id)
                writer.add_document(**fields_of(document))
                if len(seen) % _PROGRESS_EVERY == 0:
                    progress(len(seen))
        except BaseException:
            writer.cancel()
            raise
        writer.commit()
        progress(len(seen))
        return len(seen)

    def _write(self, folder: Path, changes: Changes) -> None:
        opened = whoosh_index.open_dir(str(folder), schema=self._schema)
        writer = opened.writer(limitmb=_WRITE_MEMORY_MB)
        try:
            for number, document in changes.items():
                writer.delete_by_term("id", str(number))
                if document is not None:
                    writer.add_document(**fields_of(document))
        except BaseException:
            writer.cancel()
            raise
        writer.commit()

    def _read(self, question: Callable[[Searcher], Answer]) -> Answer:
        """Ask the current generation; again from scratch when it was swapped under our feet.

        Swaps may follow each other closely; an index that is damaged fails every time.
        """
        for tries_left in reversed(range(_READ_TRIES)):
            try:
                return question(self._searcher())
            except _DAMAGE as error:
                self._local.held = None
                if not tries_left:
                    _warn("read", error)
                    raise IndexMissing("broken") from error
        raise AssertionError("unreachable")

    def _searcher(self) -> Searcher:
        pointer = self._generations.current()
        held: _Held | None = getattr(self._local, "held", None)
        if held and held.pid == os.getpid() and held.pointer == pointer:
            commit = held.opened.latest_generation()
            if held.commit == commit:
                return held.searcher
            # Not searcher.refresh(): it keeps segments as they were, so what was deleted or
            # replaced since would still be found.
            held.searcher.close()
            opened = held.opened
        else:
            opened = whoosh_index.open_dir(str(pointer.folder), schema=self._schema)
            commit = opened.latest_generation()
        self._local.held = None
        searcher = opened.searcher()
        self._local.held = _Held(os.getpid(), pointer, opened, commit, searcher)
        return searcher


def _warn(verb: str, error: Exception) -> None:
    # As text: a kept error keeps its frames, and with them the damaged files open.
    log.warning("the search index cannot be %s: %s", verb, repr(error))


def _search(searcher: Searcher, query: Query, limit: int) -> Hits:
    if query.is_empty:
        return Hits()
    limit = max(1, limit)
    for reading in exact_readings(query, partial(_has_any, searcher)):
        found = searcher.search(ranked(reading, query), limit=limit).top_n
        if found:
            total = len(found) if len(found) < limit else _count(searcher, reading)
            return _hits(searcher, found, total)
    parts = alternatives(query)
    if not parts:
        return Hits()
    found = searcher.search(ranked(ask.Or(parts), query), limit=limit).top_n
    total = len(_any_of(searcher, parts))
    return replace(_hits(searcher, found, total), relaxed=bool(found))


def _hits(searcher: Searcher, found: Sequence[tuple[float, int]], total: int) -> Hits:
    numbers = _ids(searcher, (number for _score, number in found))
    scores = tuple(float(score) for score, _number in found)
    return Hits(numbers, scores, total, complete=len(numbers) == total)


def _count(searcher: Searcher, reading: ask.Query) -> int:
    return sum(1 for _ in searcher.docs_for_query(reading))


def _matches(searcher: Searcher, query: Query) -> Matches:
    if query.is_empty:
        return Matches()
    for reading in exact_readings(query, partial(_has_any, searcher)):
        numbers = list(searcher.docs_for_query(reading))
        if numbers:
            return Matches(_ids(searcher, numbers))
    found = _any_of(searcher, alternatives(query))
    return Matches(_ids(searcher, sorted(found)), relaxed=bool(found))


def _has_any(searcher: Searcher, reading: ask.Query) -> bool:
    return next(iter(searcher.docs_for_query(reading)), None) is not None


def _any_of(searcher: Searcher, readings: list[ask.Query]) -> set[int]:
    # Uniting sets is several times faster than letting Whoosh walk an Or of long lists.
    return set().union(*(searcher.docs_for_query(reading) for reading in readings))


def _ids(searcher: Searcher, numbers: Iterable[int]) -> tuple[int, ...]:
    wanted = list(numbers)
    if not wanted:
        return ()  # an index without documents has no columns to read
    column: Any = searcher.reader().column_reader("id")
    return tuple(int(column[number]) for number in wanted)
