"""Work on several things at once: a few threads, each with an application context of its own."""

import threading
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog
from flask import Flask, current_app

log = structlog.get_logger(__name__)

Item = TypeVar("Item")

WAITING_ASIDE = 10  # things a thread aside, of which one is being done

_running: set[str] = set()
_lock = threading.Lock()
Result = TypeVar("Result")


def each_in_a_thread(
    function: Callable[[Item], object], items: Iterable[Item], *, threads: int
) -> None:
    """Call the function once an item, waiting for all; what it raises comes out at the end.

    A context of its own gives every call its own database session; sharing one corrupts it.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def call(item: Item) -> None:
        with app.app_context():
            function(item)

    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="job") as pool:
        calls = [pool.submit(call, item) for item in items]
    for one in calls:
        one.result()


class Crew:
    """Threads of this process that carry out one thing after the other, whoever asked for it.

    Asking waits until a thread is free, never until the work is done: what takes long holds up
    nobody while other threads are free. `aside` threads more are for what must never hold up the
    rest; a few times as many things may wait for them.
    """

    def __init__(self, threads: int, *, aside: int = 0) -> None:
        self._free = threading.Semaphore(threads)
        self._free_aside = threading.Semaphore(aside * WAITING_ASIDE)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="crew")
        self._pool_aside = ThreadPoolExecutor(max(1, aside), thread_name_prefix="aside")
        self._is_ending = threading.Event()

    def begin(self, function: Callable[[Item], object], items: Iterable[Item]) -> None:
        """Have each item begun; what is left when the crew is told to stop is not."""
        for item in items:
            self._free.acquire()
            if self._is_ending.is_set():
                self._free.release()
                return
            self._give(function, item, self._pool, self._free)

    def begin_aside(self, function: Callable[[Item], object], items: Iterable[Item]) -> None:
        """Take on what there is room for right now; whoever asked asks again for the rest."""
        for item in items:
            if self._is_ending.is_set() or not self._free_aside.acquire(blocking=False):
                return
            self._give(function, item, self._pool_aside, self._free_aside)

    def _give(
        self,
        function: Callable[[Item], object],
        item: Item,
        pool: ThreadPoolExecutor,
        free: threading.Semaphore,
    ) -> None:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

        def call() -> None:
            try:
                with app.app_context():
                    function(item)
            except Exception:  # a thread's door: nobody waits for what it raises
                log.exception("crew_stumbled", item=item)
            finally:
                free.release()

        pool.submit(call)

    def stop(self) -> None:
        """Begin nothing more. Safe to call from a signal handler."""
        self._is_ending.set()

    def finish(self) -> None:
        """Wait for what has begun."""
        self.stop()
        self._pool_aside.shutdown(wait=True, cancel_futures=True)
        self._pool.shutdown(wait=True)


_crew: Crew | None = None


def employ(crew: Crew | None) -> None:
    """Give this process a crew, or none; called once by a worker that has one."""
    global _crew
    _crew = crew


def begin_each(
    function: Callable[[Item], object], items: Collection[Item], *, threads: int
) -> None:
    """Leave the items to the process's crew; where there is none, do them and wait for all."""
    if _crew:
        _crew.begin(function, items)
    else:
        each_in_a_thread(function, items, threads=min(threads, len(items)))


def begin_aside(
    function: Callable[[Item], object], items: Collection[Item], *, threads: int
) -> None:
    """The same for what waits for nobody's minute: no thread that sends is taken for it.

    The crew takes on no more than it has room for; what is left has to be asked for again.
    """
    if _crew:
        _crew.begin_aside(function, items)
    else:
        each_in_a_thread(function, items, threads=min(threads, len(items)))


def within(seconds: float, function: Callable[[Item], Result], item: Item) -> Result:
    """What the function answers, or TimeoutError when it takes longer; it then ends alone, unheard."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def call() -> Result:
        with app.app_context():
            return function(item)

    pool = ThreadPoolExecutor(1, thread_name_prefix="limited")
    try:
        return pool.submit(call).result(seconds)
    finally:
        pool.shutdown(wait=False)


def in_background(name: str, step: Callable[[], object]) -> bool:
    """Have it done beside the caller's own work; False while one of that name still runs.

    For calls to other servers out of a process that must not stand still.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    with _lock:
        if name in _running:
            return False
        _running.add(name)

    def run() -> None:
        try:
            with app.app_context():
                step()
        except Exception:  # a thread's door
            log.exception("background_step_failed", step=name)
        finally:
            with _lock:
                _running.discard(name)

    threading.Thread(target=run, name=name, daemon=True).start()
    return True
