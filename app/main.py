"""create_app: wiring only."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI

from app import problems
from app.context import Context
from app.db import make_engine
from app.edge import Edge
from app.queue import doorbell
from app.rendering import STATIC, Renderer
from app.routes import (
    account,
    admin,
    api,
    api_admin,
    api_calibrations,
    api_competitions,
    health,
    pages,
    participant,
)
from app.settings import Settings, make_data_dir
from app.static_files import VersionedFiles
from app.storage import LocalStorage, sweep

PATIENCE_SECONDS = 10.0
"""How long a request waits for the database before it answers that it is busy."""


_ROUTES = (
    pages,
    account,
    participant,
    admin,
    api,
    api_admin,
    api_calibrations,
    api_competitions,
    health,
)
LEFT_BEHIND = timedelta(days=1)
"""Files of uploads that are older than this belong to a process that died."""


def utc_now() -> datetime:
    """Return the time; tests pass a clock of their own."""
    return datetime.now(UTC)


def create_app(settings: Settings, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """Build the web service: pages, API v1 and /healthz."""
    app = FastAPI(
        title="Lethe",
        version="1",
        summary="A grading service for machine unlearning",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # the bundled viewers load scripts from another host
        redoc_url=None,
    )
    make_data_dir(settings)
    storage = LocalStorage(settings.data_dir / "blobs")
    app.state.context = Context(
        settings=settings,
        engine=make_engine(settings.url, patience=PATIENCE_SECONDS),
        health_engine=make_engine(settings.url, patience=PATIENCE_SECONDS, pooled=False),
        storage=storage,
        clock=clock,
        renderer=Renderer(clock),
        bell=doorbell(settings),
    )
    for folder in (app.state.context.uploads, storage.incoming):
        sweep(folder, clock() - LEFT_BEHIND)
    app.add_middleware(Edge, secure=settings.environment == "production")
    problems.install(app)
    for module in _ROUTES:
        app.include_router(module.router)
    app.mount("/static", VersionedFiles(directory=STATIC))
    return app
