"""Asks over many connections at once, each as soon as it has its answer, and times every answer."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

CONNECTIONS = 64


@dataclass(frozen=True)
class Measured:
    """Answers a second, their times in milliseconds, how many of each status, and the asker's own share of a core."""

    rate: float
    p50: float
    p99: float
    statuses: Counter[int]
    asker: float


class _Asker(asyncio.Protocol):
    """One connection. An answer is over when its head and as many bytes as it announces are there."""

    def __init__(self, make: Callable[[], bytes], until: float, ended: "asyncio.Future[None]") -> None:
        self._make, self._until, self._ended = make, until, ended
        self._left = 0
        self._head = b""
        self.times: list[float] = []
        self.statuses: Counter[int] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._began = time.perf_counter()
        if self._began >= self._until:
            self._transport.close()
            return
        self._transport.write(self._make())

    def data_received(self, data: bytes) -> None:
        if self._left:
            self._left -= len(data)
        else:
            self._head += data
            head, found, rest = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            self._head = b""
            self._status = int(head[9:12])
            self._left = _length(head, self._status) - len(rest)
        if self._left == 0:
            self.times.append(time.perf_counter() - self._began)
            self.statuses[self._status] += 1
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(None) if exc is None else self._ended.set_exception(exc)


def _length(head: bytes, status: int) -> int:
    if status == 304:
        return 0
    _, found, rest = head.lower().partition(b"content-length:")
    if not found:
        raise ValueError(f"an answer does not say how long it is: {head!r}")
    return int(rest.partition(b"\r\n")[0])


async def _ask_all(port: int, makers: list[Callable[[], bytes]], seconds: float) -> list[_Asker]:
    loop = asyncio.get_running_loop()
    until = time.perf_counter() + seconds
    askers = [_Asker(make, until, loop.create_future()) for make in makers]
    for asker in askers:
        await loop.create_connection(lambda asker=asker: asker, "127.0.0.1", port)
    await asyncio.gather(*(asker._ended for asker in askers))  # noqa: SLF001
    return askers


def measure(port: int, makers: list[Callable[[], bytes]], seconds: float) -> Measured:
    """Ask for so long, one connection for each maker of requests."""
    began, busy = time.perf_counter(), os.times()
    askers = asyncio.run(_ask_all(port, makers, seconds))
    took, used = time.perf_counter() - began, os.times()
    times = sorted(one for asker in askers for one in asker.times)
    return Measured(
        rate=len(times) / took,
        p50=1000 * times[len(times) // 2],
        p99=1000 * times[min(len(times) - 1, int(len(times) * 0.99))],
        statuses=sum((asker.statuses for asker in askers), Counter()),
        asker=(used.user + used.system - busy.user - busy.system) / took,
    )


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return the bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
