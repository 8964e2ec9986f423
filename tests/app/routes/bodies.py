"""Bodies that know how much of them was read; they are handed to the application chunk by chunk, as it asks."""

from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
import httpx
from fastapi import FastAPI

Step = Callable[[], Awaitable[None] | None]


class Body:
    """Chunks; before each but the first, `between` happens."""

    def __init__(self, *chunks: bytes, between: Step = lambda: None) -> None:
        self._chunks = chunks
        self._between = between
        self.chunks_read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            if self.chunks_read:
                waited = self._between()
                if waited is not None:
                    await waited
            self.chunks_read += 1
            yield chunk


async def asend(
    app: FastAPI, url: str, body: Body, headers: dict[str, str], cookies: dict[str, str] | None = None
) -> httpx.Response:
    """Post a body straight to the application: nothing between reads ahead."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://testserver", cookies=cookies
    ) as client:
        return await client.post(url, content=body, headers=headers)


def send(
    app: FastAPI, url: str, body: Body, headers: dict[str, str], cookies: dict[str, str] | None = None
) -> httpx.Response:
    """Do the same, and wait for the answer."""
    return anyio.run(asend, app, url, body, headers, cookies)
