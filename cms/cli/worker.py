"""`flask worker QUEUE`: runs the jobs of one queue until told to stop."""

import os

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

from cms.cli.begin import begin, on_stop
from cms.core import threads
from cms.core.config import Settings
from cms.core.jobs import QueueName
from cms.core.threads import Crew
from cms.core.workers import QueueWorker, broker_connection
from schedules import carrier_jobs
from schedules.jobs import THREADS


@click.command()
@click.argument("queue", type=click.Choice([name.value for name in QueueName]))
@pass_script_info
def worker(info: ScriptInfo, queue: str) -> None:
    """Run the jobs of one QUEUE.

    SIGTERM finishes what has begun and ends. A broker that is away is waited for.
    """
    # Matrices here are small: threads of the numerics library would only fight for the same cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    app: Flask = info.load_app()
    settings: Settings = app.config["SEEDBED"]
    beat = begin(app, f"worker:{queue}")
    server = QueueWorker(
        QueueName(queue),
        connection=broker_connection(settings.redis_url),
        context=app.app_context,
        touch=beat.touch,
    )
    crew = Crew(THREADS, aside=carrier_jobs.THREADS)

    def stop() -> None:
        server.stop()
        crew.stop()

    on_stop(stop)
    if queue == QueueName.PUBLISH:
        threads.employ(crew)
    server.serve()
    crew.finish()
    beat.stop()
