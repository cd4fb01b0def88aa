"""The process that runs the jobs of one queue: outlives its broker, refuses what is not ours."""

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any, cast

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.exceptions import DequeueTimeout, DeserializationError, NoSuchJobError
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer
from rq.utils import now as rq_now

from cms.core import logs
from cms.core.faults import declare, fault
from cms.core.jobs import JOBS, QueueName, run_job
from cms.core.processes import is_running

log = structlog.get_logger(__name__)

WORKER_TTL = 30
MAINTENANCE_SECONDS = 15
TIDY_SECONDS = 5.0
LISTEN_SECONDS = 1  # also how soon an idle worker notices that it shall stop
LONGEST_BACK_OFF = 8.0
ENTRANCE = f"{run_job.__module__}.{run_job.__qualname__}"

declare("worker.dequeued", "worker.done")


def broker_connection(url: str) -> Redis:
    """The worker's own connection: a frozen broker is noticed before a returning one is missed."""
    return Redis.from_url(
        url,
        socket_connect_timeout=2,
        socket_timeout=LISTEN_SECONDS + 4,
        retry=Retry(NoBackoff(), 1),  # for the stale connection a restarted broker leaves behind
    )


def objection(job: RqJob) -> str | None:
    """Why this payload did not come from `Job.enqueue`, or None when it did.

    RQ would import and call any function a payload names; ours may name declared jobs only.
    """
    try:
        if job.func_name != ENTRANCE or job.instance is not None or job.kwargs:
            return "names a function that is no job of ours"
        name, *values = job.args
    except (DeserializationError, ValueError, TypeError):
        return "is not JSON of the expected shape"
    if not isinstance(name, str) or name not in JOBS:
        return "names no declared job"
    if not all(value is None or isinstance(value, str | int | float) for value in values):
        return "carries more than ids"
    if _extras(job):
        return "asks for callbacks, webhooks or repeats"
    return None


class QueueWorker(SimpleWorker):
    """Runs jobs in its own process, one after the other, each in a fresh application context.

    No fork: see docs/decisions/0002-workers-do-not-fork.md. RQ's own loop is not used, because it
    ends the process on a broker error, and its command channel is not subscribed to.
    """

    def __init__(
        self,
        queue_name: QueueName,
        *,
        connection: Redis,
        context: Callable[[], AbstractContextManager[Any]],
        touch: Callable[..., None] = lambda **_detail: None,
    ) -> None:
        self._context = context
        self._touch = touch
        self._ending = threading.Event()
        self._failure: BaseException | None = None
        self._pending_before: set[bytes] = set()
        self._tidied = -TIDY_SECONDS
        super().__init__(
            [Queue(queue_name, connection=connection, serializer=JSONSerializer)],
            name=f"{queue_name}@{socket.gethostname()}:{os.getpid()}:{time.time_ns()}",
            connection=connection,
            worker_ttl=WORKER_TTL,
            maintenance_interval=MAINTENANCE_SECONDS,
            serializer=JSONSerializer,
            log_job_description=False,
            prepare_for_work=False,  # would ask the broker before we can catch its absence
        )
        self.hostname, self.pid = socket.gethostname(), os.getpid()

    @property
    def queue(self) -> Queue:
        return self.queues[0]

    def stop(self) -> None:
        """Finish the job in hand, take no other. Safe to call from a signal handler."""
        self._ending.set()

    def serve(self) -> None:
        """Work until told to stop; while the broker is away, wait and try again."""
        back_off, is_registered = 0.0, False
        while not self._ending.is_set():
            try:
                if not is_registered:
                    self._register()
                    is_registered = True
                self._take_one()
                back_off = 0.0
            except RedisError as error:
                back_off = min(back_off * 2 or 0.5, LONGEST_BACK_OFF)
                is_registered = False
                log.warning("broker_unreachable", error=str(error), retry_in=back_off)
                self._touch(broker="unreachable")
                self._ending.wait(back_off)
        self._say_goodbye()

    def _register(self) -> None:
        """Said again after each outage: the broker may have come back empty."""
        self.connection.delete(self.key)
        self.register_birth()
        self._touch(broker="ok")
        log.info("worker_listening", queue=self.queue.name, pid=os.getpid())

    def _say_goodbye(self) -> None:
        with suppress(RedisError):  # nobody is there to be told: the entry expires by itself
            self.register_death()
        log.info("worker_ended", queue=self.queue.name, pid=os.getpid())

    def _take_one(self) -> None:
        self._touch()
        if time.monotonic() - self._tidied > TIDY_SECONDS:
            self._maintain()
        try:
            found = self.queue_class.dequeue_any(
                self.queues,
                LISTEN_SECONDS,
                connection=self.connection,
                job_class=self.job_class,
                serializer=self.serializer,
                death_penalty_class=self.death_penalty_class,
            )
        except DequeueTimeout:
            self.heartbeat()
            return
        except Exception as error:  # whatever somebody else wrote into the broker must not end us
            if isinstance(error, RedisError) and not _is_about_one_job(error):
                raise
            self._discard_unreadable(error)
            return
        if found is not None:
            self.execute_job(*found)

    def execute_job(self, job: RqJob, queue: Queue) -> None:
        """Run one job to its end, whatever that is; only a missing broker is raised."""
        fault("worker.dequeued")
        if reason := objection(job):
            self._discard(job.id, reason)
            return
        name, *values = job.args
        self._failure = None
        started = time.monotonic()
        self._touch(job=name, since=time.time())
        with logs.bound(job=name, job_id=job.id), self._context():
            try:
                super().execute_job(job, queue)
                fault("worker.done")
            finally:
                self._report(values, time.monotonic() - started)
                self._touch(job=None, since=None)

    def handle_exception(self, job: RqJob, *exc_info: Any) -> None:
        """RQ calls this for a job that raised; its own text would not be structured."""
        self._failure = exc_info[1]

    def _report(self, values: list[Any], seconds: float) -> None:
        spent = round(seconds * 1000)
        if self._failure is None:
            log.info("job_done", args=values, ms=spent)
        else:
            log.error("job_failed", args=values, ms=spent, exc_info=self._failure)

    def _set_connection(self, connection: Redis) -> Redis:
        """Keep our timeouts: RQ would lengthen them beyond what an outage may cost."""
        return connection

    def _maintain(self) -> None:
        """Clean up after workers that were killed, so that their hints can be given again."""
        self._tidied = time.monotonic()
        try:
            self._return_undelivered()
            self._forget_runs_of_the_dead()
            if self.should_run_maintenance_tasks:
                self.clean_registries()
        except RedisError:
            raise
        except Exception:  # foreign entries in the broker must not end us
            log.exception("maintenance_failed")
            self.last_cleaned_at = rq_now()  # type: ignore[assignment]

    def _return_undelivered(self) -> None:
        """Put back what a worker took but never began: seen twice, it is in nobody's hands."""
        pending = set(self._between())
        for raw in pending & self._pending_before:
            with self.connection.pipeline() as pipeline:
                pipeline.lpush(self.queue.key, raw)
                pipeline.lrem(self.queue.intermediate_queue_key, 1, raw)  # type: ignore[arg-type]
                was_there = pipeline.execute()[1]
            if not was_there:  # another worker put it back at the same moment
                self.connection.lrem(self.queue.key, 1, raw)  # type: ignore[arg-type]
                continue
            log.warning("hint_returned", job_id=raw.decode(errors="replace"))
        self._pending_before = pending - self._pending_before

    def _between(self) -> list[bytes]:
        """Ids taken from the queue by some worker that has not begun with them."""
        found = self.connection.lrange(self.queue.intermediate_queue_key, 0, -1)
        return cast("list[bytes]", found)

    def _forget_runs_of_the_dead(self) -> None:
        """Delete jobs whose worker on this host is gone: their id would block the next hint."""
        for job_id in self.queue.started_job_registry.get_job_ids(cleanup=False):
            try:
                job = RqJob.fetch(job_id, connection=self.connection, serializer=JSONSerializer)
            except NoSuchJobError:
                continue
            if self._has_no_runner(job.worker_name or ""):
                job.delete(remove_from_queue=True)
                log.warning("abandoned_job_forgotten", job_id=job_id, worker=job.worker_name)

    def _has_no_runner(self, worker_name: str) -> bool:
        """Ourselves count too: we are idle here, so what stands under our name lost its ending."""
        host, pid = _home_of(worker_name)
        return worker_name == self.name or (host == self.hostname and not is_running(pid))

    def _discard(self, job_id: str, reason: str) -> None:
        log.critical("foreign_job_refused", job_id=job_id, queue=self.queue.name, reason=reason)
        with self.connection.pipeline() as pipeline:
            pipeline.lrem(self.queue.intermediate_queue_key, 0, job_id)
            pipeline.delete(RqJob.key_for(job_id))
            pipeline.execute()

    def _discard_unreadable(self, error: Exception) -> None:
        if job_id := getattr(error, "job_id", None):
            self._discard(job_id, f"cannot be read: {error!r}")
            return
        log.critical("foreign_job_refused", queue=self.queue.name, reason=repr(error))
        for raw in self._between():
            try:
                raw.decode()
            except UnicodeDecodeError:
                self.connection.lrem(self.queue.intermediate_queue_key, 0, raw)  # type: ignore[arg-type]


def _is_about_one_job(error: RedisError) -> bool:
    """Whether the broker answered that what stands under a job's key is no job at all."""
    return isinstance(error, ResponseError) and hasattr(error, "job_id")


def _extras(job: RqJob) -> bool:
    callbacks = (job._success_callback_name, job._failure_callback_name, job._stopped_callback_name)
    return bool(any(callbacks) or job.webhooks or job.repeats_left or job.retries_left)


def _home_of(worker_name: str) -> tuple[str, int]:
    """Host and process number out of a name given by QueueWorker; ("", 0) for any other name."""
    _queue, _, place = worker_name.partition("@")
    host, _, rest = place.rpartition(":")[0].rpartition(":")
    return (host, int(rest)) if rest.isdigit() else ("", 0)
