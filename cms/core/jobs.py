"""Background work: declares jobs, puts them on RQ queues after commit, carries ids only."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from cms.core.db import after_commit

log = structlog.get_logger(__name__)

FINISHED_JOB_SECONDS = 60
FAILED_JOB_SECONDS = 86_400


class QueueName(StrEnum):
    """One queue, one purpose; each worker process serves exactly one of them."""

    PUBLISH = "publish"
    MEDIA = "media"
    INDEX = "index"
    FEEDBACK = "feedback"


JOBS: dict[str, "Job"] = {}


@dataclass(frozen=True)
class Job:
    """A module-level function and the queue it runs on. Calling it runs it here and now."""

    function: Callable[..., Any]
    queue: QueueName
    timeout: int

    @property
    def name(self) -> str:
        return f"{self.function.__module__}.{self.function.__name__}"

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)

    def enqueue(self, *args: Any, key: str | None = None) -> None:
        """Ask for a run once the open transaction has committed.

        `key` (letters, digits, _ and -) keeps a second identical request out of the queue.
        A broker that cannot be reached loses only the hint: the clock finds the work in the database.
        """
        after_commit(lambda: self._send(args, key))

    def _send(self, args: tuple[Any, ...], key: str | None) -> None:
        try:
            queue(self.queue).enqueue_call(
                run_job,
                args=(self.name, *args),
                timeout=self.timeout,
                result_ttl=FINISHED_JOB_SECONDS if key is None else 0,
                failure_ttl=FAILED_JOB_SECONDS if key is None else 0,
                job_id=key,
                unique=key is not None,
                description=f"{self.name}{args}",
            )
        except DuplicateJobError:
            pass  # the same request is already waiting, which is all we wanted
        except RedisError as error:
            log.warning("hint_lost", job=self.name, error=str(error))


def job(queue: QueueName, timeout: int = 120) -> Callable[[Callable[..., Any]], Job]:
    """Declare a job: `@job(queue=QueueName.INDEX)` above a module-level function in a jobs.py."""

    def declare(function: Callable[..., Any]) -> Job:
        declared = Job(function, queue, timeout)
        JOBS[declared.name] = declared
        return declared

    return declare


def run_job(name: str, *args: Any) -> Any:
    """What every RQ worker executes: looks the declared job up by name, so no payload names code."""
    return JOBS[name].function(*args)


@cache
def _connection(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_connect_timeout=2,
        socket_timeout=5,
        health_check_interval=15,
        retry=Retry(NoBackoff(), 1),  # the usual three with pauses would hold up a page
    )


def connect(url: str) -> None:
    """Say which broker this process uses; called once by the factory."""
    global _url
    _url = url


_url = ""


def redis() -> Redis:
    """The process's broker connection pool."""
    return _connection(_url)


def queue(name: QueueName) -> Queue:
    """The RQ queue of that name, with the JSON serializer: a pickled payload is refused."""
    return Queue(name, connection=redis(), serializer=JSONSerializer)
