"""Whether this process can serve."""

from fastapi import APIRouter

from app.dependencies import Reading
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
def healthz(session: Reading) -> Health:
    """Answer 200 if the database does."""
    operations.ping(session)
    return Health(status="ok", database="ok")
