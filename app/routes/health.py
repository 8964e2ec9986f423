"""Whether this process can serve, and what it has to do. Answered however busy the pages' threads and connections are."""

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import Engine

from app.db import read_only
from app.dependencies import Ctx
from app.errors import NotAuthenticated, NotReady
from app.metrics_access import may_read
from app.routes import answers
from app.routes.examples import common as examples
from app.schemas.problems import Health, Ready
from app.views import operations

router = APIRouter()


@router.get(
    "/healthz",
    summary="Ask whether it serves",
    tags=["operations"],
    responses={200: answers.ok("It serves", examples.HEALTH), **answers.problems()},
)
async def read_health(context: Ctx) -> Health:
    """Answer 200 if the database does."""
    await to_thread.run_sync(_ping, context.health_engine, limiter=context.health_threads)
    return Health(status="ok", database="ok")


def _ping(engine: Engine) -> None:
    with read_only(engine) as session:
        operations.ping(session)


@router.get(
    "/readyz",
    summary="Ask whether it can do all of its work",
    tags=["operations"],
    responses={
        200: answers.ok("It can do all of its work", examples.READY),
        **answers.problems(s503=answers.NOT_READY),
    },
)
async def read_readiness(context: Ctx) -> Ready:
    """Answer 200 if the database answers and has this version's tables, and the storage takes a blob.

    A broker is told of and never makes it unready: without one, workers look for work by themselves.
    """
    checks = await to_thread.run_sync(context.readiness.checks, limiter=context.operators_threads)
    missing = [f"The {one.name} {one.found}." for one in checks if one.needed and not one.ok]
    if missing:
        raise NotReady(" ".join(missing), advice="The service's log has the cause.", retry_after=5)
    return Ready(status="ready", checks={one.name: one.found for one in checks})


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request, context: Ctx) -> Response:
    """Show this process to Prometheus: with the operator's token, or where none is set, to this machine alone."""
    peer = request.client.host if request.client else ""
    if not may_read(context.metrics_token, peer, request.headers):
        raise NotAuthenticated(
            "Metrics are the operator's.",
            advice="Send 'Authorization: Bearer ...' with the token that LETHE_METRICS_TOKEN_FILE holds.",
        )
    body = await to_thread.run_sync(context.metrics.text, limiter=context.operators_threads)
    return Response(body, media_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"})
