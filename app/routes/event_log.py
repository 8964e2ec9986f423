"""The event log: the admin's page, and the same for programs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.dependencies import Admin, Ctx, Reading
from app.routes.answers import ok, problems
from app.routes.csv_table import events_csv
from app.routes.examples.common import EVENTS
from app.routes.security import SIGNED_IN
from app.schemas.operations import EventPage
from app.views import event_log
from app.views.event_log import EventsAfter, EventsBefore

router = APIRouter()
_CSV = events_csv(EventPage.model_validate(EVENTS).items)


@router.get("/admin/events", include_in_schema=False)
def page(
    request: Request,
    context: Ctx,
    session: Reading,
    admin: Admin,
    wanted: Annotated[EventsBefore, Query()],
) -> Response:
    """Show the event log, newest first."""
    found, older = event_log.before(session, wanted)
    kinds = event_log.kinds(session)
    shown = {
        "events": found,
        "wanted": wanted,
        "older": older,
        "kinds": kinds,
        "groups": sorted({f"{one.partition('.')[0]}." for one in kinds}),
        "tab": "events",
    }
    return context.renderer.page(request, "admin/events.html", shown, viewer=admin)


@router.get(
    "/api/v1/admin/events",
    tags=["admin"],
    dependencies=SIGNED_IN,
    summary="Read the event log",
    responses={200: ok("Events, oldest first", EVENTS), **problems(401, 403)},
)
def list_events(session: Reading, _admin: Admin, wanted: Annotated[EventsAfter, Query()]) -> EventPage:
    """Read every transition and decision in order; follow `next` for more, or later for new ones."""
    return event_log.after(session, wanted)


@router.get(
    "/api/v1/admin/events.csv",
    response_class=Response,
    tags=["admin"],
    dependencies=SIGNED_IN,
    summary="Read the event log as CSV",
    responses={200: ok("Events, newest first", _CSV, "text/csv"), **problems(401, 403)},
)
def read_events_csv(session: Reading, _admin: Admin, wanted: Annotated[EventsBefore, Query()]) -> Response:
    """Read the newest 20,000 events that match, newest first; ask for more with `before`."""
    text = events_csv(event_log.rows(session, wanted))
    headers = {
        "Content-Disposition": 'attachment; filename="lethe-events.csv"',
        "Cache-Control": "private, no-store",
    }
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
