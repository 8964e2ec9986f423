"""A small real HTTP server that speaks the API's shapes, and a clock that does not wait."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cli.clock import Clock


@dataclass
class Answer:
    """What the server says to one request; `hang_up` closes the connection instead."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Service:
    """Answers each "METHOD /path" with its queue of answers; the last of them stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.seen: list[Seen] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body in one packet: no wait for a delayed ACK

            def do_GET(self) -> None:
                service._handle(self)

            def do_PUT(self) -> None:
                service._handle(self)

            def do_PATCH(self) -> None:
                service._handle(self)

            def do_POST(self) -> None:
                service._handle(self)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def on(self, request: str, *answers: Answer) -> None:
        self.answers[request] = list(answers)

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        self.seen.append(Seen(handler.command, handler.path, dict(handler.headers), body))
        queue = self.answers.get(f"{handler.command} {handler.path.removeprefix('/api/v1')}")
        answer = problem(404, "not_found", "No such thing.") if queue is None else queue[0]
        if queue is not None and len(queue) > 1:
            queue.pop(0)
        if answer.hang_up:
            handler.close_connection = True
            return
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        content = b"" if answer.status == 304 else content
        handler.send_response(answer.status)
        for name, value in {"Content-Length": str(len(content)), **answer.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)


def problem(status: int, code: str, detail: str, advice: str = "", **headers: str) -> Answer:
    body = {
        "type": f"/problems#{code}",
        "title": "A title",
        "status": status,
        "detail": detail,
        "code": code,
        "advice": advice,
        "request_id": "req-1",
        "instance": "/",
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, body, {"Content-Type": "application/problem+json", **named})


def submission(
    status: str = "queued", verdict: str | None = None, succeeded: int = 0, **more: Any
) -> dict[str, Any]:
    return {
        "id": "abc123",
        "competition": "digits",
        "user": "ada",
        "note": "first try",
        "created_at": "2026-03-01T12:34:56Z",
        "bundle_digest": "0" * 64,
        "bundle_bytes": 100,
        "status": status,
        "verdict": verdict,
        "reason": None,
        "runs": {"total": 4, "succeeded": succeeded, "running": 0, "queued": 4 - succeeded, "failed": 0},
        "cutoff_seconds": 1.5,
        "generation": 1,
        "score": None,
        "run_details": [],
        "links": {"self": "/api/v1/submissions/abc123", "html": "/submissions/abc123"},
    } | more


def scored() -> dict[str, Any]:
    score = {
        "score": 0.0812,
        "forgetting_quality": 0.0901,
        "retain_ratio": 0.98,
        "test_ratio": 0.97,
        "retraining_score": 0.092,
        "grader_version": "1",
        "reference_digest": "1" * 64,
    }
    runs = [
        {"seed_index": i, "status": "succeeded", "seconds": 1.0 + i / 10, "reason": None} for i in range(4)
    ]
    return submission("done", "scored", 4, score=score, run_details=runs)


def ended(verdict: str, fault: str, code: str, cause: str, advice: str) -> dict[str, Any]:
    reason = {"code": code, "cause": cause, "advice": advice, "fault": fault}
    return submission("done", verdict, 2, reason=reason)


def timed_out() -> dict[str, Any]:
    return ended("timed_out", "participant", "over_cutoff", "A run was late.", "Do less work.")


def stalled() -> dict[str, Any]:
    return ended("stalled", "lethe", "worker_lost", "Workers were lost.", "Nothing to change.")


def cancelled() -> dict[str, Any]:
    return ended("cancelled", "nobody", "cancelled_on_request", "It was cancelled.", "Submit again.")


class FakeTime:
    """A clock that jumps instead of waiting, and remembers how long it was asked to wait."""

    today = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep, lambda: self.today)
