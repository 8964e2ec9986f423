"""Pages and static files travel compressed; what is kept in memory as bytes, what streams, and secrets do not.

Who can make a browser ask for a page and watch how long the answers are could guess a secret in it, if compressed. Pages
hold no standing secret: requests from other sites are refused by where they come from, without a token in the form.
Secrets that are shown once are answers to POST, and the account's pages stay as they are too.
"""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

SMALLEST = 1000
"""Bytes under which compressing saves nothing."""
LEVEL = 5
"""Of 9: most of what there is to gain, in half the time."""
_AS_THEY_ARE = ("/api/", "/account", "/healthz", "/readyz", "/metrics")


class Compressed:
    """Compresses what GET answers outside the API, for clients that ask for it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressed = GZipMiddleware(app, minimum_size=SMALLEST, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a request one way or the other."""
        plain = scope["type"] != "http" or scope["method"] != "GET" or scope["path"].startswith(_AS_THEY_ARE)
        await (self.app if plain else self.compressed)(scope, receive, send)
