"""Sign in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from app import auth
from app.context import Context
from app.dependencies import Ctx, Now, Visitor, Writing, session_cookie
from app.errors import Busy, Forbidden, NotAuthenticated, TooManyAttempts
from app.routes.forms import shown_again, signed_in
from app.routes.passwords import verified
from app.text import PlainText

router = APIRouter(include_in_schema=False)


def local_path(target: str) -> str:
    r"""Return where to go after signing in: a path on this host, never another host.

    >>> local_path("/submissions?x=1"), local_path("//evil.example"), local_path("/\\evil.example")
    ('/submissions?x=1', '/', '/')
    """
    safe = (
        target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    )
    return target if safe else "/"


@router.get("/sign-in")
def sign_in_form(
    request: Request, context: Ctx, visitor: Visitor, target: Annotated[str, Query(alias="next")] = "/"
) -> Response:
    """Show the sign-in form."""
    shown = {"target": local_path(target), "problem": None, "name": "", **_ways(context)}
    return context.renderer.page(request, "sign_in.html", shown, viewer=visitor)


@router.post("/sign-in")
def sign_in(
    request: Request,
    context: Ctx,
    name: Annotated[PlainText, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=auth.MAX_PASSWORD)] = "",
    target: Annotated[str, Form(alias="next", max_length=2000)] = "/",
) -> Response:
    """Check name and password, and set the cookie."""
    now = context.clock()
    try:
        user = verified(request, context, name, password, now)
    except (NotAuthenticated, Forbidden, TooManyAttempts, Busy) as error:
        shown = {"target": local_path(target), "name": name, **_ways(context)}
        return shown_again(request, context, "sign_in.html", shown, error)
    return signed_in(request, context, user, now, local_path(target))


def _ways(context: Context) -> dict[str, object]:
    """Return what else the sign-in page offers."""
    oidc = None if context.oidc is None else context.oidc.name
    return {"registration": context.settings.registration, "oidc": oidc}


@router.post("/sign-out")
def sign_out(request: Request, context: Ctx, session: Writing, now: Now) -> Response:
    """Forget this browser's session, here and in the browser."""
    name = session_cookie(context)
    if secret := request.cookies.get(name):
        auth.end_session(session, secret, now)
    response = RedirectResponse("/", status_code=303)
    response.delete_cookie(
        name, httponly=True, samesite="lax", secure=context.settings.environment == "production"
    )
    return response
