"""A worker's process from its back end on: pool, device, loop, presence and whoever lets the loop go on."""

import logging
import os
import signal
import socket
from datetime import timedelta

import torch
from sqlalchemy import Engine

from app.queue import doorbell
from app.settings import Settings
from app.storage import Storage
from worker.device import Device
from worker.material import sweep
from worker.metrics import WorkerMetrics
from worker.pipeline import Worker, utc_now
from worker.presence import identity, present
from worker.sandbox.base import Backend
from worker.sandbox.pool import Pool

log = logging.getLogger("lethe.worker")
LEFT_BEHIND = timedelta(days=1)
"""What was half-fetched before that belongs to a worker that died."""


def serve(
    settings: Settings,
    engine: Engine,
    backend: Backend,
    storage: Storage,
    name: str = "",
    cores: int | None = None,
    metrics: WorkerMetrics | None = None,
) -> None:
    """Work until SIGTERM or SIGINT; the second one stops at once. Called from the main thread.

    At most `cores` sandboxes get ready at once; by default as many as there are.
    """
    torch.set_num_threads(1)  # inference beside starting sandboxes: more threads only wait for each other
    name = (name or f"{socket.gethostname()[:50]}:{os.getpid()}")[:64]  # as long as the database takes
    sweep(settings.data_dir / "cache", utc_now() - LEFT_BEHIND)
    pool = Pool(backend, cores)
    device = Device(storage, pool, settings)
    loop = Worker(
        engine, device, settings, name, probe=backend.probe, bell=doorbell(settings), metrics=metrics
    )
    who = identity(name, settings, pool.identity, utc_now())
    log.info("%s is at work: %s, sandboxes by %s", who.name, who.device_name, who.sandboxes)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: loop.stop())
    try:
        with present(engine, who, loop, loop.reaper, settings, utc_now):
            _work(loop, name, settings)
    finally:
        pool.close()
        backend.close()


def _work(loop: Worker, name: str, settings: Settings) -> None:
    if not settings.broker_url:
        loop.run_forever()
        return
    from worker.celery import run  # noqa: PLC0415 - costs time and memory that one machine does not need

    run(loop, name, settings)
