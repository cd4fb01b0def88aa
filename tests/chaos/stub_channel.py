"""A carrier in a process of its own, with its own ledger on disk: the only judge of what happened.

Endpoints /K (honours keys), /Q (can be asked by GET ?key=) and /N (neither). `?script=` holds one
word for each request of a key, the last one for ever; `?seed=` makes the word `mixed` repeatable.
"""

import argparse
import json
import os
import random
import struct
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

MIXED = {"ok": 80, "slow": 8, "hang": 0.5, "reset": 4, "429": 3, "500": 2.5, "html": 2}


class Ledger:
    """Every effect, on disk before anybody is told of it."""

    def __init__(self, path: Path) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.lock = threading.Lock()
        self.ids: dict[str, str] = {}
        self.asked: Counter[str] = Counter()

    def request(self, key: str) -> int:
        with self.lock:
            self.asked[key] += 1
            return self.asked[key]

    def effect(self, kind: str, body: dict) -> str:
        with self.lock:
            key = body["key"]
            if kind == "K" and key in self.ids:
                return self.ids[key]
            made = f"{kind}-{len(self.ids)}-{self.asked[key]}"
            self.ids[key] = made
            entry = {"class": kind, "key": key, "post": body["post"], "id": made}
            os.write(self.file, (json.dumps(entry | {"at": time.time()}) + "\n").encode())
            os.fsync(self.file)
            return made


class Stub(BaseHTTPRequestHandler):
    ledger: Ledger

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        key = parse_qs(address.query).get("key", [""])[0]
        with self.ledger.lock:
            made = self.ledger.ids.get(key)
        self.answer(200, {"found": made is not None, "id": made})

    def do_POST(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = self.ledger.request(body["key"])
        words = query.get("script", "ok").split(",")
        word = words[min(number, len(words)) - 1]
        if word == "mixed":
            dice = random.Random(f"{query.get('seed')}-{body['post']}-{number}")
            word = dice.choices(list(MIXED), list(MIXED.values()))[0]
        self.play(word, address.path.strip("/"), body, query)

    def play(self, word: str, kind: str, body: dict, query: dict[str, str]) -> None:
        if word == "429":
            wait = query.get("retry_after")
            return self.answer(429, {}, **({"Retry-After": wait} if wait else {}))
        if word in ("500", "401", "400"):
            return self.answer(int(word), {})
        if word == "redirect":
            return self.answer(302, {}, Location="http://127.0.0.1:1/")
        made = self.ledger.effect(kind, body)
        if word == "slow":
            time.sleep(float(query.get("seconds", "1.0")))
        if word == "hang":
            return time.sleep(30)
        if word == "reset":
            self.connection.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER 0: a real reset
            return self.connection.close()
        if word == "html":
            return self.raw(200, b"<html>Welcome</html>")
        if word == "huge":
            return self.raw(200, b"[" + b" " * 3_000_000)
        return self.answer(200, {"id": made})

    def answer(self, status: int, body: dict, **headers: str) -> None:
        self.raw(status, json.dumps(body).encode(), **headers)

    def raw(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Silence: the ledger is the record."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_about: object) -> None:
        """Clients that are killed break their connections; that is the point."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("ledger", type=Path)
    parser.add_argument("port_file", type=Path)
    chosen = parser.parse_args()
    Stub.ledger = Ledger(chosen.ledger)
    server = Server((os.environ.get("STUB_BIND", "127.0.0.1"), 0), Stub)
    draft = chosen.port_file.with_suffix(".draft")
    draft.write_text(str(server.server_address[1]))
    draft.rename(chosen.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
