"""Carries TCP from a local port to another address, byte for byte: `PORT HOST PORT`."""

import socket
import sys
import threading
from contextlib import suppress


def main() -> None:
    near, host, far = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    with socket.create_server(("127.0.0.1", near), backlog=128) as listener:
        while True:
            caller, _address = listener.accept()
            threading.Thread(target=_join, args=(caller, host, far), daemon=True).start()


def _join(caller: socket.socket, host: str, port: int) -> None:
    try:
        called = socket.create_connection((host, port), 10)
    except OSError:
        caller.close()
        return
    called.settimeout(None)
    threading.Thread(target=_pump, args=(called, caller), daemon=True).start()
    _pump(caller, called)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    main()
