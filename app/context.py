"""What every request needs, made once by create_app and passed on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from app.rendering import Renderer
from app.settings import Settings
from app.storage import Storage


@dataclass(frozen=True)
class Context:
    """Settings, database, blobs, clock and templates of one web process."""

    settings: Settings
    engine: Engine
    storage: Storage
    clock: Callable[[], datetime]
    renderer: Renderer

    @property
    def uploads(self) -> Path:
        """Where half-received uploads live; on the same disk as everything else of Lethe."""
        return self.settings.data_dir / "uploads"
