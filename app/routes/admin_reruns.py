"""The pages about reruns of many, for admins and organisers: choose, make, look at what would change, apply or drop."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from app import reruns
from app.dependencies import Admin, Ctx, Now, Organiser, Reading, Writing
from app.text import PlainText, Reason
from app.views import competitions
from app.views import reruns as views

router = APIRouter(prefix="/admin/reruns", include_in_schema=False)


@router.get("")
def listing(
    request: Request,
    context: Ctx,
    session: Reading,
    admin: Admin,
    cursor: Annotated[str | None, Query()] = None,
) -> Response:
    """List reruns, newest first."""
    found = views.listing(session, admin, "", cursor)
    shown = {"page": found, "competition": None, "base": "/admin", "tab": "reruns"}
    return context.renderer.page(request, "admin/reruns.html", shown, viewer=admin)


@router.post("")
def make(
    context: Ctx,
    session: Writing,
    organiser: Organiser,
    now: Now,
    reason: Annotated[Reason, Form()],
    evaluation: Annotated[list[PlainText], Form(max_length=reruns.MOST)],
) -> Response:
    """Grade what was chosen again, then show how far it is."""
    made = reruns.make(
        session,
        evaluation,
        reason,
        organiser,
        now,
        queue_due=context.settings.queue_due,
        bell=context.bell,
    )
    left = f"?left={len(made.left_out)}" if made.left_out else ""
    return RedirectResponse(f"/admin/reruns/{made.id}{left}", status_code=303)


@router.get("/{rerun_id}")
def rerun(
    request: Request,
    rerun_id: str,
    context: Ctx,
    session: Reading,
    organiser: Organiser,
    now: Now,
    left: Annotated[int, Query(ge=0, le=reruns.MOST)] = 0,
) -> Response:
    """Show a rerun: how far it is, and who would move."""
    one = views.describe(session, rerun_id, organiser, now)
    shown = {
        "one": one,
        "competition": competitions.describe(session, one.evaluations[0].competition, organiser, now),
        "left": left,
        "tab": "reruns",
    }
    return context.renderer.page(request, "admin/rerun.html", shown, viewer=organiser)


@router.post("/{rerun_id}/apply")
def apply(rerun_id: str, session: Writing, organiser: Organiser, now: Now) -> Response:
    """Publish all of it, then show it."""
    reruns.apply(session, rerun_id, organiser, now)
    return RedirectResponse(f"/admin/reruns/{rerun_id}", status_code=303)


@router.post("/{rerun_id}/drop")
def drop(rerun_id: str, session: Writing, organiser: Organiser, now: Now) -> Response:
    """Publish nothing of it, then show it."""
    reruns.drop(session, rerun_id, organiser, now)
    return RedirectResponse(f"/admin/reruns/{rerun_id}", status_code=303)
