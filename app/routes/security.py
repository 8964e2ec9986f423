"""How programs say who they are, as the OpenAPI document describes it; app.dependencies is what checks it."""

from typing import Any

from fastapi import Depends
from fastapi.security import HTTPBearer

BEARER = "bearerToken"
_scheme = HTTPBearer(
    scheme_name=BEARER,
    description="A token from your account page. The site's own pages send their cookie instead.",
    auto_error=False,  # app.dependencies answers, in Lethe's words
)
SIGNED_IN = [Depends(_scheme)]
"""For operations that need to know who asks."""

OPTIONAL: dict[str, Any] = {"security": [{}, {BEARER: []}]}
"""For operations that say more to whom they know."""
