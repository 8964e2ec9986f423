"""Pages of a person who takes part: submit, my submissions, one submission."""

import uuid
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from app import logs, problems, submissions, uploads
from app.charts import runs
from app.context import Context
from app.db import read_only
from app.dependencies import Ctx, Now, Person, Reading, Writing
from app.errors import LetheError, NotAuthenticated
from app.models import User
from app.routes.door import Door, FormKey, form_door
from app.schemas.submissions import SubmissionOut
from app.views import competitions as competition_views
from app.views import plots as plot_views
from app.views import submissions as submission_views

router = APIRouter(include_in_schema=False)


@router.get("/competitions/{slug}/submit")
def submit_form(
    request: Request, slug: str, context: Ctx, session: Reading, person: Person, now: Now
) -> Response:
    """Show the form, with format, limits and quota before anything is sent."""
    shown = {
        "competition": competition_views.describe(session, slug, person, now),
        "tab": "submit",
        "key": f"form-{uuid.uuid4().hex}",
        "problem": None,
    }
    return context.renderer.page(request, "submit.html", shown, viewer=person)


async def received_form(
    request: Request, context: Ctx, person: Person, door: Annotated[Door, Depends(form_door)]
) -> AsyncIterator[uploads.FormUpload]:
    """Yield what the form brought; who is asking, and whether they may, was settled before it was read."""
    with context.uploads_under_way.hold(person.id):
        form = await uploads.save_form(request, context.uploads, door.max_bytes)
        try:
            yield form
        finally:
            uploads.discard(form.path)


@router.post("/competitions/{slug}/submit")
def submit(
    request: Request,
    slug: str,
    context: Ctx,
    person: Person,
    form: Annotated[uploads.FormUpload, Depends(received_form, scope="function")],
    now: Now,
    key: FormKey = None,
) -> Response:
    """Take the form's upload; a bundle that is refused shows the form again with the reason."""
    try:
        accepted = submissions.accept(
            context.engine,
            context.storage,
            user_id=person.id,
            slug=slug,
            upload=form.path,
            note=form.note,
            idempotency_key=key,
            now=context.clock(),  # the body has arrived, which may have taken minutes
            begun=now,
            queue_due=context.settings.queue_due,
            bell=context.bell,
        )
    except NotAuthenticated:
        raise
    except LetheError as error:
        return _again(request, slug, context, person, error)
    return RedirectResponse(f"/submissions/{accepted.submission_id}", status_code=303)


def _again(request: Request, slug: str, context: Ctx, person: Person, error: LetheError) -> Response:
    problem = problems.describe(error)
    with read_only(context.engine) as session:
        now = context.clock()
        shown = {
            "competition": competition_views.describe(session, slug, person, now),
            "tab": "submit",
            "key": f"form-{uuid.uuid4().hex}",
            "problem": problem,
        }
    response = context.renderer.page(request, "submit.html", shown, viewer=person, status=error.status)
    response.headers.update(dict(problem.headers))
    return response


@router.get("/submissions")
def mine(
    request: Request,
    context: Ctx,
    session: Reading,
    person: Person,
    now: Now,
    competition: Annotated[str | None, Query()] = None,
    cursor: Annotated[str | None, Query()] = None,
) -> Response:
    """List one's own submissions; those to one competition with what is left of the quota."""
    shown = {
        "page": submission_views.mine(session, person, competition, cursor),
        "competition": competition,
        "chosen": competition_views.describe(session, competition, person, now) if competition else None,
        "cursor": cursor,
    }
    return context.renderer.page(request, "submissions.html", shown, viewer=person)


@router.get("/submissions/{submission_id}")
def submission(
    request: Request, submission_id: str, context: Ctx, session: Reading, person: Person, now: Now
) -> Response:
    """Show one submission: where it is, and how it fared."""
    detail = submission_views.detail(session, submission_id, person, now, context.queues.get)
    one = detail.submission
    shown = {
        "detail": detail,
        "one": one,
        "chart": runs.run_times(one.run_details, one.cutoff_seconds),
        "drawn": plot_views.drawn(session, one, person),
        "log": _log(context, session, one, person),
    }
    return context.renderer.page(request, "submission.html", shown, viewer=person)


def _log(context: Context, session: Session, one: SubmissionOut, person: User) -> str | None:
    """Return what a smoke run has printed, if there is one that has begun."""
    if one.smoke is None or one.smoke.log is None:
        return None
    found = logs.find(session, submissions.get(session, one.id, person))
    session.close()  # the store may take its time, and no transaction waits for it
    return found.read(context.storage)


@router.post("/submissions/{submission_id}/cancel")
def cancel(submission_id: str, session: Writing, person: Person, now: Now) -> Response:
    """Cancel, then show the submission."""
    submissions.cancel(session, submission_id, person, now)
    return RedirectResponse(f"/submissions/{submission_id}", status_code=303)
