"""Style sheets and scripts, which a browser may keep as long as their address names their content."""

from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope


class VersionedFiles(StaticFiles):
    """Static files; those asked for with ?v=, as our pages do, never change under that address."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer as StaticFiles does, with Cache-Control where the address names a version."""
        response = await super().get_response(path, scope)
        if scope["query_string"].startswith(b"v=") and response.status_code in {200, 304}:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
