"""The web server's settings, read by gunicorn: `gunicorn -c python:cms.cli.web_server wsgi:app`."""

import logging
import os
from typing import Any

from cms.cli.begin import arm_faults
from cms.core import logs
from cms.core.beats import Beat
from cms.core.db import db
from cms.core.processes import die_with_parent

worker_class = "gthread"
workers = 2
threads = 4
preload_app = True  # imported once, then forked: half the start-up time and less memory
control_socket_disable = True
accesslog = None
graceful_timeout = 4
timeout = 60
keepalive = 5
max_requests = 0
forwarded_allow_ips = ""  # proxies are trusted by the application's own setting alone
proc_name = "seedbed-web"
bind = os.environ.get(
    "SEEDBED_LISTEN",
    f"{os.environ.get('SEEDBED_BIND') or '127.0.0.1'}:{os.environ.get('PORT') or 8000}",
)

_beats: list[Beat] = []


def on_starting(_server: Any) -> None:
    die_with_parent()
    logs.configure(process="web")
    for name in ("gunicorn.error", "gunicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def post_fork(_server: Any, worker: Any) -> None:
    die_with_parent(worker.ppid)


def post_worker_init(worker: Any) -> None:
    app = worker.app.callable
    with app.app_context():
        db.engine.dispose(close=False)  # connections made before the fork are the parent's
    arm_faults(app.config["SEEDBED"])
    _beats.append(Beat(app, "web").start())


def worker_exit(_server: Any, _worker: Any) -> None:
    for beat in _beats:
        beat.stop()
