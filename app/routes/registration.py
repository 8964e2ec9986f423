"""Making an account for oneself."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response

from app import accounts, auth, registration
from app.dependencies import Ctx, Now, Visitor
from app.errors import LetheError
from app.registration import Wanted
from app.routes.forms import address_of, shown_again, signed_in
from app.text import PlainText

router = APIRouter(include_in_schema=False)
Secret = Annotated[PlainText, Query(alias="invitation", max_length=100)]


@router.get("/register")
def form(request: Request, context: Ctx, visitor: Visitor, now: Now, secret: Secret = "") -> Response:
    """Show the form to whoever may make an account; to others, why they may not."""
    invitation = registration.invitation_of(context.engine, secret, now)
    registration.check_open(context, invitation)
    shown = {
        "name": "",
        "email": "" if invitation is None else invitation.email or "",
        "invitation": secret,
        "problem": None,
    }
    return context.renderer.page(request, "register.html", shown, viewer=visitor)


@router.post("/register")
def register(
    request: Request,
    context: Ctx,
    name: Annotated[PlainText, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=auth.MAX_PASSWORD)] = "",
    email: Annotated[PlainText, Form(max_length=accounts.MAX_EMAIL)] = "",
    invitation: Annotated[PlainText, Form(max_length=100)] = "",
) -> Response:
    """Make the account and sign in; what will not do shows the form again."""
    now = context.clock()
    try:
        context.registrations.begin(address_of(request), now)
        user = registration.register(context, Wanted(name.strip(), password, email, invitation), now)
    except LetheError as error:
        shown = {"name": name, "email": email, "invitation": invitation}
        return shown_again(request, context, "register.html", shown, error)
    return signed_in(request, context, user, now, "/")
