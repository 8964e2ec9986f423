"""A new password for whoever forgot theirs: by a link that an admin gave them or that came by mail."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.background import BackgroundTask

from app import auth, letters, mail, resets
from app.db import read_only
from app.dependencies import Ctx, Now, Reading, Visitor
from app.errors import LetheError, NotFound
from app.routes.forms import address_of, shown_again, signed_in
from app.text import PlainText

router = APIRouter(include_in_schema=False)


@router.get("/forgot")
def forgot_form(request: Request, context: Ctx, visitor: Visitor) -> Response:
    """Ask whose password was forgotten, or say whom to ask for a link."""
    shown = {"mails": mail.is_set(context.settings), "sent": False, "problem": None, "who": ""}
    return context.renderer.page(request, "forgot.html", shown, viewer=visitor)


@router.post("/forgot")
def forgot(
    request: Request,
    context: Ctx,
    who: Annotated[PlainText, Form(min_length=1, max_length=254)],
) -> Response:
    """Send a letter, if there is anybody to send one to: the answer is the same, and comes before anybody looks."""
    now = context.clock()
    shown = {"mails": mail.is_set(context.settings), "sent": True, "problem": None, "who": who}
    if not shown["mails"]:
        raise NotFound("No letters are sent here.", advice="Ask an admin for a link.")
    try:
        context.letters.begin(address_of(request), now)
    except LetheError as error:
        return shown_again(request, context, "forgot.html", shown | {"sent": False}, error)
    response = context.renderer.page(request, "forgot.html", shown, viewer=None)
    response.background = BackgroundTask(letters.send_reset_links, context, who.strip(), now)
    return response


@router.get("/reset")
def form(
    request: Request,
    context: Ctx,
    session: Reading,
    now: Now,
    link: Annotated[PlainText, Query(max_length=100)] = "",
) -> Response:
    """Ask for the new password."""
    user = resets.whose(session, link, now)
    shown = {"link": link, "name": user.name, "problem": None}
    return context.renderer.page(request, "reset.html", shown, viewer=None)


@router.post("/reset")
def reset(
    request: Request,
    context: Ctx,
    link: Annotated[PlainText, Form(max_length=100)] = "",
    password: Annotated[str, Form(max_length=auth.MAX_PASSWORD)] = "",
) -> Response:
    """Store the new password, end all sessions of the account, and begin one."""
    now = context.clock()
    address = address_of(request)
    context.failures_by_address.begin(address, now)
    with read_only(context.engine) as session:
        name = resets.whose(session, link, now).name
    context.failures_by_address.take_back(address, now)  # the link is good
    try:
        user = resets.redeem(context.engine, link, password, now)
    except LetheError as error:
        shown = {"link": link, "name": name}
        return shown_again(request, context, "reset.html", shown, error)
    return signed_in(request, context, user, now, "/account")
