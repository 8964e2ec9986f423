"""Settings, read once from the environment (LETHE_*) and passed on."""

from datetime import timedelta
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.secret_files import read_secret, with_password


class Settings(BaseSettings):
    """Everything a process of Lethe can be told from outside."""

    model_config = SettingsConfigDict(
        env_prefix="LETHE_",
        env_ignore_empty=True,  # as Compose hands on what .env leaves out
        frozen=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    environment: Literal["development", "production"] = "development"
    data_dir: Path = Path("var")
    """Where the database (when it is SQLite), blobs, caches and half-made references live."""
    competitions_dir: Path = Path("competitions")
    database_password_file: Path | None = None
    """Holds the password that database_url leaves out."""
    database_url: str = Field(default="", repr=False)
    """An SQLAlchemy URL; empty means SQLite in data_dir."""
    storage_url: str = ""
    """Where blobs are: s3://bucket or s3://bucket/prefix; empty means a folder in data_dir."""
    storage_endpoint: str = ""
    """For S3: the address of a store that is not Amazon's."""
    storage_access_key_file: Path | None = None
    storage_secret_key_file: Path | None = None
    """For S3: files that hold the two halves of the credentials; without, the usual AWS_* variables count."""
    broker_password_file: Path | None = None
    """Holds the password that broker_url leaves out."""
    broker_url: str = Field(default="", repr=False)
    """Redis, which wakes workers; empty on one machine, where they look by themselves."""
    metrics_token_file: Path | None = None
    """Holds the token that /metrics asks for; without it, only this machine may read them."""
    metrics_address: str = ""
    """Where a worker shows its own metrics and health, such as 127.0.0.1:9101; empty for nowhere."""
    lease_seconds: float = Field(default=60.0, gt=0, le=86_400)
    """A worker that is silent for this long loses its runs to others."""
    poll_seconds: float = Field(default=1.0, gt=0, le=3600)
    """How often an idle worker looks for queued runs."""
    reap_seconds: float = Field(default=15.0, ge=0, le=3600)
    calibration_check_hours: float = Field(default=24.0, ge=0, le=100_000)
    """How long after its last look a worker measures a retraining again, to see whether its device has drifted."""
    queue_due_hours: float = Field(default=24.0, gt=0, le=100_000)
    """A queued or running evaluation with no progress for this long ends as stalled."""
    fresh_seconds: float = Field(default=0.2, ge=0, le=10)
    """How old may be what a web process knows of changes that others have made."""
    drain_seconds: float = Field(default=0.0, ge=0, le=1_000_000)
    """How long a run may go on after its worker was told to stop, before it is killed and given back."""
    registration: Literal["closed", "invitation", "open"] = "closed"
    """Who may make an account: nobody but operators, whoever was invited, or everybody."""
    base_url: str = ""
    """Where people reach this service, such as https://lethe.example.org: for links in letters, and for sign-in elsewhere."""
    smtp_password_file: Path | None = None
    """Holds the password that smtp_url leaves out."""
    smtp_url: str = Field(default="", repr=False)
    """By which server letters go: smtp://user@host:587 (encrypted by STARTTLS) or smtps://user@host; empty for none."""
    mail_from: str = ""
    """Whose letters they are, such as Lethe <lethe@example.org>."""
    oidc_issuer: str = ""
    """An OpenID Connect provider by which people may sign in too; empty for none. It needs base_url."""
    oidc_client_id: str = ""
    oidc_client_secret: str = Field(default="", repr=False)
    oidc_client_secret_file: Path | None = None
    """What the provider knows this service by; the secret itself, or a file that holds it."""
    oidc_name: str = "your organisation"
    """What the button says: Sign in with ..."""
    webhook_private_networks: bool = False
    """Whether people's webhooks may lie in this machine's own networks, and speak HTTP without TLS: for intranets."""
    notice_seconds: float = Field(default=2.0, gt=0, le=3600)
    """How often a web process looks for notices to deliver."""
    session_hours: float = Field(default=24.0 * 14, gt=0, le=100_000)
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

    @field_validator("database_url", "broker_url", "smtp_url")
    @classmethod
    def _complete(cls, url: str, info: ValidationInfo) -> str:
        name = str(info.field_name).removesuffix("_url")
        path = info.data.get(f"{name}_password_file")
        return with_password(url, path)

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in {"smtp", "smtps"} or not parts.hostname):
            raise ValueError("must be smtp://host or smtps://host, with user and port where they are needed")
        return url

    @field_validator("base_url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/")):
            raise ValueError("must be http://host or https://host, without a path")
        return url.rstrip("/")

    @field_validator("metrics_token_file")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        if path is not None:
            read_secret(path)
        return path

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        if self.oidc_issuer and not (self.base_url and self.oidc_client_id and self.oidc_secret):
            raise ValueError(
                "LETHE_OIDC_ISSUER needs LETHE_BASE_URL, LETHE_OIDC_CLIENT_ID and LETHE_OIDC_CLIENT_SECRET_FILE"
            )
        return self

    @property
    def oidc_secret(self) -> str:
        """What this service shows to the provider."""
        path = self.oidc_client_secret_file
        return self.oidc_client_secret if path is None else read_secret(path)

    @property
    def metrics_token(self) -> str | None:
        """The token that /metrics asks for."""
        return None if self.metrics_token_file is None else read_secret(self.metrics_token_file)

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
