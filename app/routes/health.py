"""Whether this process can serve."""

from anyio import to_thread
from fastapi import APIRouter
from sqlalchemy import Engine

from app.db import read_only
from app.dependencies import Ctx
from app.routes import examples
from app.schemas import Health
from app.views import operations

router = APIRouter()


@router.get(
    "/healthz",
    summary="Health",
    tags=["operations"],
    responses={200: examples.ok("It serves", examples.HEALTH), **examples.problems()},
)
async def healthz(context: Ctx) -> Health:
    """Answer 200 if the database does, however busy the pages' threads and connections are."""
    await to_thread.run_sync(_ping, context.health_engine, limiter=context.health_threads)
    return Health(status="ok", database="ok")


def _ping(engine: Engine) -> None:
    with read_only(engine) as session:
        operations.ping(session)
