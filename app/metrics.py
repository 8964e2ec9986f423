"""What the web service shows Prometheus: requests as this process counts them, and the queue as the database has it."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from threading import Lock

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import Engine
from starlette.types import Scope

from app.db import DATABASE_AWAY, read_only
from app.views import figures
from app.views.figures import Figures

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Requests:
    """Counts and times requests by method, route and status. An unknown path has no route, so that strangers make no series."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "lethe_request_seconds",
            "Seconds until the answer began.",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=registry,
        )

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Count one request."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._seconds.labels(method, route_of(scope), status).observe(seconds)


def route_of(scope: Scope) -> str:
    """Return the route that took a request as it was declared, the folder of static files, or "none"."""
    return getattr(scope.get("route"), "path", None) or scope.get("root_path") or "none"


class Database:
    """Reads the figures when they are asked for.

    They are kept for five seconds, or for twenty times as long as reading them took: however often somebody asks, and
    however large the tables are, that costs a twentieth of one connection's time.
    """

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = Lock()
        self._kept: Figures | None = None
        self._until = float("-inf")

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: the database need not be there yet when this is registered."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield the figures, or only that there is no database."""
        found = self._read()
        yield GaugeMetricFamily(
            "lethe_database_up", "Whether the database answers.", float(found is not None)
        )
        if found is not None:
            yield from families(found, self._clock())

    def _read(self) -> Figures | None:
        with self._lock:
            start = time.monotonic()
            if start >= self._until:
                self._kept = self._ask()
                now = time.monotonic()
                self._until = now + max(5.0, 20 * (now - start))
            return self._kept

    def _ask(self) -> Figures | None:
        try:
            with read_only(self._engine) as session:
                return figures.read(session)
        except DATABASE_AWAY:
            return None


def families(found: Figures, now: datetime) -> Iterable[Metric]:
    """Yield the database's figures in Prometheus's terms; what has ended only grows, and is a counter."""
    open_ = GaugeMetricFamily("lethe_evaluations", "Evaluations that are not done.", labels=("status",))
    for status, count in found.evaluations.items():
        open_.add_metric((status,), count)
    yield open_
    runs = GaugeMetricFamily("lethe_runs", "Runs that have not ended.", labels=("status",))
    for run_status, count in found.runs.items():
        runs.add_metric((run_status,), count)
    yield runs
    oldest = found.oldest_queued_at
    age = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
    yield GaugeMetricFamily("lethe_oldest_queued_run_seconds", "Age of the run that waits longest.", age)
    done = CounterMetricFamily("lethe_evaluations_done", "Evaluations that ended.", labels=("verdict",))
    for verdict, count in found.verdicts.items():
        done.add_metric((verdict,), count)
    yield done
    yield from _ended(found)
    yield CounterMetricFamily(
        "lethe_losses", "Times that a worker or sandbox was lost under work.", found.losses
    )


def _ended(found: Figures) -> Iterable[Metric]:
    labels = ("status", "device")
    count = CounterMetricFamily("lethe_runs_ended", "Runs that succeeded or failed.", labels=labels)
    seconds = CounterMetricFamily(
        "lethe_run_seconds", "What the clocks of ended runs measured.", labels=labels
    )
    for (status, device), ended in found.ended.items():
        count.add_metric((status, device), ended.count)
        seconds.add_metric((status, device), ended.seconds)
    return count, seconds


class Metrics:
    """Everything that one web process shows."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._registry = CollectorRegistry()
        self.requests = Requests(self._registry)
        self._registry.register(Database(engine, clock))

    def text(self) -> bytes:
        """Return them in Prometheus's text format."""
        return generate_latest(self._registry)
