"""create_app: wiring only."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, FastAPI
from starlette.types import Scope

from app import problems
from app.changes import Changes
from app.compression import Compressed
from app.context import Context
from app.db import make_engine
from app.edge import SAFE_METHODS, Answered, Edge
from app.from_memory import FromMemory
from app.metrics import Metrics
from app.oidc import Provider
from app.people import People
from app.public_data import PublicFiles
from app.queue import doorbell
from app.readiness import Readiness
from app.rendering import STATIC, Renderer
from app.routes import (
    account,
    admin,
    admin_entrants,
    admin_reruns,
    admin_users,
    api,
    api_admin,
    api_bundle,
    api_calibrations,
    api_competitions,
    api_data,
    api_entrants,
    api_events,
    api_finals,
    api_notices,
    api_organisers,
    api_plots,
    api_reruns,
    api_teams,
    api_users,
    compare,
    event_log,
    finals,
    guides,
    health,
    notices,
    oidc,
    organise,
    pages,
    participant,
    registration,
    resets,
    sign_in,
    teams,
)
from app.settings import Settings, make_data_dir
from app.static_files import VersionedFiles
from app.storage import Storage, open_storage, sweep
from app.views.boards import Boards
from app.views.polls import Polls
from app.views.queue import Queues
from app.workers import lost_after

PATIENCE_SECONDS = 10.0
"""How long a request waits for the database or the store before it answers that it is busy."""


# made once: FastAPI builds a router's routes at its first request, and keeps them with it.
# An application's dependency_overrides do not reach routes that it shares.
_ROUTES = APIRouter(
    generate_unique_id_function=lambda route: route.name  # an operation is named as its function is
)
for _module in (
    pages,
    compare,
    sign_in,
    notices,
    teams,
    oidc,
    registration,
    resets,
    account,
    participant,
    finals,
    admin,
    admin_entrants,
    admin_users,
    organise,
    admin_reruns,
    event_log,
    api,
    api_admin,
    api_bundle,
    api_calibrations,
    api_competitions,
    api_data,
    api_entrants,
    api_finals,
    api_organisers,
    api_notices,
    api_teams,
    api_events,
    guides,
    api_reruns,
    api_users,
    api_plots,
    health,
):
    _ROUTES.include_router(_module.router)
LEFT_BEHIND = timedelta(days=1)
"""Files of uploads that are older than this belong to a process that died."""


def utc_now() -> datetime:
    """Return the time; tests pass a clock of their own."""
    return datetime.now(UTC)


def create_app(settings: Settings, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """Build the web service: pages, API v1, health and metrics."""
    app = FastAPI(
        title="Lethe",
        version="1",
        summary="A grading service for machine unlearning",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # the bundled viewers load scripts from another host
        redoc_url=None,
    )
    make_data_dir(settings)
    storage = open_storage(settings, timedelta(seconds=PATIENCE_SECONDS))
    context = app.state.context = _context(settings, storage, clock)
    sweep(context.uploads, clock() - LEFT_BEHIND)
    storage.sweep(clock() - LEFT_BEHIND)
    app.add_middleware(Compressed)
    app.add_middleware(FromMemory, context=context)
    app.add_middleware(Edge, secure=settings.environment == "production", answered=_answered(context))
    problems.install(app)
    app.router.routes.extend(_ROUTES.routes)
    app.mount("/static", VersionedFiles(directory=STATIC))
    return app


def _answered(context: Context) -> Answered:
    def answered(scope: Scope, status: int, seconds: float) -> None:
        context.metrics.requests.answered(scope, status, seconds)
        if scope["method"] not in SAFE_METHODS:
            context.changes.wrote()

    return answered


def _context(settings: Settings, storage: Storage, clock: Callable[[], datetime]) -> Context:
    engine = make_engine(settings.url, patience=PATIENCE_SECONDS)
    health_engine = make_engine(settings.url, patience=PATIENCE_SECONDS, pooled=False)
    changes = Changes(engine, settings.fresh_seconds)
    queues = Queues(lost_after(settings))
    return Context(
        settings=settings,
        engine=engine,
        changes=changes,
        people=People(engine, changes),
        queues=queues,
        polls=Polls(changes, queues),
        boards=Boards(changes),
        public_files=PublicFiles(storage, settings.data_dir / "public"),
        health_engine=health_engine,
        readiness=Readiness(health_engine, storage, settings.data_dir / "uploads", settings.broker_url),
        metrics=Metrics(health_engine, clock),
        metrics_token=settings.metrics_token,
        storage=storage,
        clock=clock,
        renderer=Renderer(clock),
        bell=doorbell(settings),
        oidc=Provider(settings) if settings.oidc_issuer else None,
    )
