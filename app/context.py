"""What every request needs, made once by create_app and passed on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from anyio import CapacityLimiter
from sqlalchemy import Engine

from app import streams, uploads
from app.changes import Changes
from app.guides import Guides
from app.limits import FailureLimit, Turns
from app.metrics import Metrics
from app.oidc import Provider
from app.people import People
from app.public_data import PublicFiles
from app.queue import Doorbell, Silent
from app.readiness import Readiness
from app.rendering import Renderer
from app.settings import Settings
from app.storage import Storage
from app.views.boards import Boards
from app.views.polls import Polls
from app.views.queue import Queues

_WINDOW = timedelta(minutes=5)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Context:
    """Settings, database, blobs, clock, templates and bounds of one web process."""

    settings: Settings
    engine: Engine
    storage: Storage
    clock: Callable[[], datetime]
    renderer: Renderer
    health_engine: Engine
    """Opens a connection for each use, so that health does not depend on the pool."""
    readiness: Readiness
    metrics: Metrics
    metrics_token: str | None
    changes: Changes
    people: People
    queues: Queues
    polls: Polls
    boards: Boards
    public_files: PublicFiles
    guides: Guides = field(default_factory=Guides)
    health_threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(2))
    """Threads that are not the pages', so that health does not depend on those either."""
    operators_threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(2))
    """For readiness and metrics, which may wait for a store: health does not wait behind them."""
    failures_by_name: FailureLimit = field(default_factory=lambda: FailureLimit(10, _WINDOW))
    """For a name from one address: a stranger elsewhere cannot keep its owner out."""
    failures_by_address: FailureLimit = field(default_factory=lambda: FailureLimit(50, _WINDOW))
    oidc: Provider | None = None
    """Signs people in too, where the operator has named one."""
    registrations: FailureLimit = field(
        default_factory=lambda: FailureLimit(
            30, _HOUR, words="Too many accounts were asked for from this address."
        )
    )
    """Counts whatever an address asks for, whether it comes to anything or not."""
    letters: FailureLimit = field(
        default_factory=lambda: FailureLimit(
            10, _HOUR, words="Too many letters were asked for from this address."
        )
    )
    uploads_under_way: Turns = field(default_factory=lambda: Turns(uploads.AT_ONCE, uploads.too_many))
    streams: Turns = field(
        default_factory=lambda: Turns(
            streams.PER_PERSON, streams.too_many, most_of_all=streams.PER_PROCESS, full=streams.full
        )
    )
    bell: Doorbell = field(default_factory=Silent)
    """Rung when there is work for workers."""

    @property
    def uploads(self) -> Path:
        """Where half-received uploads live; on the same disk as everything else of Lethe."""
        return self.settings.data_dir / "uploads"
