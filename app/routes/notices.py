"""The forms of the account page about notices."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from app import mail, problems
from app.db import read_only, unit_of_work
from app.dependencies import AccountHolder, Ctx, Now, Reading, Writing
from app.errors import BadRequest
from app.notices import account
from app.text import PlainText
from app.views import notices as views

router = APIRouter(prefix="/account/notices", include_in_schema=False)
_PAGE = "/account/notices"


@router.get("")
def show(request: Request, context: Ctx, session: Reading, person: AccountHolder) -> Response:
    """Show how one is told, and what one was told lately."""
    shown = {
        "one": views.describe(session, person),
        "mail_set": mail.is_set(context.settings),
        "secret": None,
        "problem": None,
    }
    return context.renderer.page(request, "notices.html", shown, viewer=person)


@router.post("/letters")
def letters(
    session: Writing, person: AccountHolder, now: Now, *, wanted: Annotated[bool, Form()] = False
) -> Response:
    """Turn letters on or off."""
    account.set_letters(session, person.id, wanted=wanted, now=now)
    return RedirectResponse(_PAGE, status_code=303)


@router.post("/webhook")
def webhook(
    request: Request,
    context: Ctx,
    person: AccountHolder,
    url: Annotated[PlainText, Form(max_length=500)] = "",
) -> Response:
    """Set the webhook and show its secret, this once; without a URL, say what is missing."""
    now, secret, problem = context.clock(), None, None
    private = context.settings.webhook_private_networks
    try:
        with unit_of_work(context.engine) as session:
            secret = account.set_webhook(session, person, url.strip(), now, private=private).secret
    except BadRequest as error:
        problem = problems.describe(error)
    with read_only(context.engine) as session:
        shown = {
            "one": views.describe(session, person),
            "mail_set": mail.is_set(context.settings),
            "secret": secret,
            "problem": problem,
        }
    status = 201 if problem is None else 400
    return context.renderer.page(request, "notices.html", shown, viewer=person, status=status)


@router.post("/webhook/remove")
def remove(session: Writing, person: AccountHolder, now: Now) -> Response:
    """Remove the webhook."""
    account.remove_webhook(session, person, now)
    return RedirectResponse(_PAGE, status_code=303)


@router.post("/webhook/test")
def send_test(session: Writing, person: AccountHolder, now: Now) -> Response:
    """Send a test."""
    account.send_test(session, person, now)
    return RedirectResponse(_PAGE, status_code=303)
