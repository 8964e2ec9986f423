"""Settings, read once from the environment (LETHE_*) and passed on."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything a process of Lethe can be told from outside."""

    model_config = SettingsConfigDict(env_prefix="LETHE_", frozen=True)

    environment: Literal["development", "production"] = "development"
    data_dir: Path = Path("var")
    """Where the database (when it is SQLite), blobs, caches and half-made references live."""
    competitions_dir: Path = Path("competitions")
    database_url: str = ""
    """An SQLAlchemy URL; empty means SQLite in data_dir."""
    lease_seconds: float = 60.0
    """A worker that is silent for this long loses its runs to others."""
    poll_seconds: float = 1.0
    """How often an idle worker looks for queued runs."""
    reap_seconds: float = 15.0
    calibration_check_hours: float = 24.0
    """How long after its last look a worker measures a retraining again, to see whether its device has drifted."""
    queue_due_hours: float = 24.0
    """A queued or running evaluation with no progress for this long ends as stalled."""
    broker_url: str = ""
    """Redis, by which workers are woken and watched; empty means that they poll the database."""
    drain_seconds: float = 0.0
    """How long a run may go on after its worker was told to stop, before it is killed and given back."""
    session_hours: float = 24.0 * 14
    sandbox: Literal["bubblewrap", "docker"] = "bubblewrap"
    """What isolates participants' code. There is no way to run it without."""
    sandbox_image: str = ""
    """For Docker: the image by digest, as worker/build-image prints it."""
    sandbox_runtime: str = "runc"
    """For Docker: the daemon's runtime, such as runc or runsc."""
    sandbox_uid_base: int = 210_000
    """First of the unprivileged uids that sandboxes get when the worker runs as root, one per slot."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where models run."""
    gpu: str = "0"
    """For cuda: the index or UUID of the one GPU or MIG instance that this worker has for itself."""

    @property
    def queue_due(self) -> timedelta:
        """How long an evaluation may wait without progress."""
        return timedelta(hours=self.queue_due_hours)

    @property
    def url(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'lethe.db'}"


def make_data_dir(settings: Settings) -> None:
    """Make the data folder if it is not there. Others may pass through, to the sandbox's material, and not list it."""
    settings.data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
