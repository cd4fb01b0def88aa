"""A time limit on pure Python work in any thread, for libraries that some inputs make crawl."""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TookTooLong(BaseException):
    """Raised inside the late work; no Exception, so that no library's broad handler swallows it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TookTooLong from within the block once the time is up.

    The interpreter delivers it between two bytecodes: a single long call into C is not cut short.
    """
    thread = threading.get_ident()
    lock = threading.Lock()
    is_over = False

    def strike() -> None:
        with lock:
            if not is_over:
                _raise_in(thread, TookTooLong)

    timer = threading.Timer(seconds, strike)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            is_over = True
            # A strike that came just now must not surface later, in somebody else's work.
            _raise_in(thread, None)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )
