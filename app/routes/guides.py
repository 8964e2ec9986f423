"""The documentation as pages that anybody may read."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from app.dependencies import Ctx, Visitor
from app.guides import INDEX

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def index(request: Request, context: Ctx, visitor: Visitor) -> Response:
    """List the guides."""
    return guide(request, INDEX, context, visitor)


@router.get("/docs/images/{name}")
def image(name: str, context: Ctx) -> Response:
    """Show an image of a guide."""
    headers = {"Cache-Control": "public, max-age=3600"}
    return FileResponse(context.guides.image(name), media_type="image/svg+xml", headers=headers)


@router.get("/docs/{slug:path}")
def guide(request: Request, slug: str, context: Ctx, visitor: Visitor) -> Response:
    """Show a guide."""
    guides = context.guides
    found, listed = guides.get(slug), guides.listed()
    whole = next((one for one in listed if one.slug == found.parent), None)
    shown = {"guide": found, "whole": whole, "guides": listed}
    return context.renderer.page(request, "guide.html", shown, viewer=visitor)
