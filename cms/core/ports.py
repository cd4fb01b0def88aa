"""Ports of this machine: taking one before anything is started, or finding one that is free."""

import socket
import time

HOST = "127.0.0.1"
_NEIGHBOURS = 100


class PortBusy(Exception):
    """Somebody else listens on the port."""

    def __init__(self, port: int, other: int | None) -> None:
        advice = (
            f"; port {other} is free: PORT={other} make run" if other else "; choose another PORT"
        )
        super().__init__(f"Port {port} is in use by another program{advice}")


def listen(port: int, *, host: str = HOST, patience: float = 0.0) -> socket.socket:
    """A listening socket, kept open across restarts of the web server, so callers wait, not fail.

    `patience` is how many seconds a predecessor that was killed may still need to let go.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return _bound(port, host)
        except OSError:
            if time.monotonic() >= deadline:
                raise PortBusy(port, _free_near(port, host)) from None
            time.sleep(0.1)


def free(host: str = HOST) -> int:
    """A port nobody listens on at this moment; somebody else may still take it."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _bound(port: int, host: str = HOST) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def _free_near(port: int, host: str) -> int | None:
    for candidate in range(port + 1, min(port + _NEIGHBOURS, 65_536)):
        try:
            _bound(candidate, host).close()
        except OSError:
            continue
        return candidate
    return None
