"""What processes write about themselves: structured, one line per fact, never a secret."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars
from structlog.typing import Processor

bound = bound_contextvars  # `with logs.bound(request_id=...)`: every line inside carries it

MASK = "***"
_SECRET_KEY = re.compile(
    r"passw|secret|token|cookie|authorization|api_?key|private_?key|signature|csrf|session_id|sign_in_link",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@/\s]+@")
_QUERY_SECRET = re.compile(
    r"([?&](?:token|key|sign|signature|secret|access_token)=)[^&\s\"']+", re.IGNORECASE
)


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_PATH_TOKEN = re.compile(r"(/(?:enter|set-up|f|u|callbacks)/)[^/?#\s\"'<>]+")
_PHONE = re.compile(r"(?<![\w.-])((?:\+?86[ -]?)?1[3-9]\d)[ -]?\d{4}[ -]?(\d{4})(?![\w.-])")


def configure(*, process: str, level: int = logging.INFO) -> None:
    """Set up logging for a whole process: readable on a terminal, JSON lines everywhere else.

    Standard-library loggers (gunicorn, alembic, rq, werkzeug) go through the same pipe.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _Named(process),
                *_endings(is_terminal=sys.stderr.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("rq.worker", "rq.job", "rq.queue", "alembic", "PIL"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def mask(text: str) -> str:
    """The text without passwords, without tokens in addresses, without people's phone numbers."""
    text = _QUERY_SECRET.sub(rf"\1{MASK}", _URL_PASSWORD.sub(rf"\1{MASK}@", text))
    return _PHONE.sub(rf"\1{MASK}\2", _PATH_TOKEN.sub(rf"\1{MASK}", text))


def without_secrets(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Blank every value whose name promises a secret, and secrets inside other texts."""
    return {
        key: MASK if _SECRET_KEY.search(key) else _masked(value) for key, value in event.items()
    }


def without_terminal_codes(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Show control characters instead of obeying them; JSON lines escape them anyway."""
    return {
        key: _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", value)
        if isinstance(value, str)
        else value
        for key, value in event.items()
    }


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {
            key: MASK if _SECRET_KEY.search(str(key)) else _masked(part)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [_masked(part) for part in value]
    return value


class _Named:
    """Adds the process's name to each line."""

    def __init__(self, process: str) -> None:
        self.process = process

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        event.setdefault("process", self.process)
        return event


def _endings(*, is_terminal: bool) -> list[Any]:
    """Tracebacks become text before masking, since an exception may quote what it was given."""
    if is_terminal:
        return [
            structlog.processors.format_exc_info,
            without_secrets,
            without_terminal_codes,
            structlog.dev.ConsoleRenderer(colors=True),
        ]
    return [
        structlog.processors.format_exc_info,
        without_secrets,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]
