"""create_app: wiring only."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app import problems
from app.context import Context
from app.db import make_engine
from app.edge import Edge
from app.rendering import STATIC, Renderer
from app.routes import account, admin, api, api_admin, health, pages, participant
from app.settings import Settings, make_data_dir
from app.storage import LocalStorage

PATIENCE_SECONDS = 10.0
"""How long a request waits for the database before it answers that it is busy."""


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
    app.state.context = Context(
        settings=settings,
        engine=make_engine(settings.url, patience=PATIENCE_SECONDS),
        health_engine=make_engine(settings.url, patience=PATIENCE_SECONDS, pooled=False),
        storage=LocalStorage(settings.data_dir / "blobs"),
        clock=clock,
        renderer=Renderer(clock),
    )
    app.add_middleware(Edge, secure=settings.environment == "production")
    problems.install(app)
    for module in (pages, account, participant, admin, api, api_admin, health):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=STATIC))
    return app
