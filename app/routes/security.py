"""How programs say who they are, as the OpenAPI document describes it; app.dependencies is what checks it."""

from typing import Any

from fastapi import Depends
from fastapi.security import APIKeyCookie, HTTPBearer

from app.dependencies import DEVELOPMENT_COOKIE, PRODUCTION_COOKIE

BEARER = "bearerToken"
BROWSER = "browserSession"
_scheme = HTTPBearer(
    scheme_name=BEARER,
    description="A token from your account page. The site's own pages send their cookie instead.",
    auto_error=False,  # app.dependencies answers, in Lethe's words
)
SIGNED_IN = [Depends(_scheme)]
"""For operations that need to know who asks."""

_session = APIKeyCookie(
    name=PRODUCTION_COOKIE,
    scheme_name=BROWSER,
    description=f"What a browser that has signed in sends; in development it is named {DEVELOPMENT_COOKIE}.",
    auto_error=False,
)
IN_BROWSER = [Depends(_session)]
"""For operations that ask for an AccountHolder, which refuse tokens."""

OPTIONAL: dict[str, Any] = {"security": [{}, {BEARER: []}]}
"""For operations that say more to whom they know."""
