"""What one worker shows Prometheus of itself, on a port of its own: claims, runs, how busy it is, leases lost."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Thread
from typing import Any

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, Counter, Histogram, generate_latest

from app.metrics_access import is_loopback, may_read

CLAIM_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class WorkerMetrics:
    """A worker's own counts since it started."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.claims = Histogram(
            "lethe_claim_seconds",
            "Seconds that taking work from the queue took, whether or not there was any.",
            buckets=CLAIM_BUCKETS,
            registry=self.registry,
        )
        self.runs = Counter(
            "lethe_worker_runs", "Runs that this worker recorded.", ("outcome",), registry=self.registry
        )
        self.leases_lost = Counter(
            "lethe_leases_lost",
            "Results dropped because the lease had gone to another.",
            registry=self.registry,
        )
        self.faults = Counter(
            "lethe_faults", "Runs and calibrations that failed on our side.", registry=self.registry
        )
        self._busy = Counter(
            "lethe_busy_seconds",
            "Seconds spent on runs, calibrations and scoring; its rate is the device's busy share.",
            ("work",),
            registry=self.registry,
        )

    @contextmanager
    def busy(self, work: str) -> Iterator[None]:
        """Count the seconds of a block."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._busy.labels(work).inc(time.monotonic() - began)

    def text(self) -> bytes:
        """Return them in Prometheus's text format."""
        return generate_latest(self.registry)


class _Few(ThreadingHTTPServer):
    """Serves a few connections at once and closes the rest: strangers must not take the worker's descriptors."""

    _MOST = 8

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._room = BoundedSemaphore(self._MOST)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()


def parse_address(address: str, token: str | None) -> tuple[str, int]:
    """Return host and port of "127.0.0.1:9101". Raises ValueError; other machines' addresses want a token."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{address!r} is no address and port such as 127.0.0.1:9101")
    if token is None and not is_loopback(host):
        raise ValueError(f"{address} can be reached from elsewhere: that wants LETHE_METRICS_TOKEN_FILE")
    return host, int(port)


def serve(metrics: WorkerMetrics, address: tuple[str, int], token: str | None) -> ThreadingHTTPServer:
    """Answer /metrics and /healthz from a thread until `shutdown()`. Raises OSError for an address that is taken."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # seconds of silence

        def do_GET(self) -> None:
            if self.path == "/healthz":
                self._answer(200, b"ok\n")
            elif self.path != "/metrics":
                self._answer(404, b"There is nothing at this address.\n")
            elif not may_read(token, self.client_address[0], self._headers()):
                self._answer(401, b"Metrics are the operator's.\n")
            else:
                self._answer(200, metrics.text())

        def _headers(self) -> dict[str, str]:
            return {name.lower(): value for name, value in self.headers.items()}

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write no line for each look."""

    server = _Few(address, Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
