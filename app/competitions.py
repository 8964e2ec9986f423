"""The organiser's format: a folder with competition.toml, model.py, data.py and pages/*.md.

This module reads what needs no torch: the configuration and the pages.
"""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from app.errors import LetheError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SPLITS = ("public", "private")
"""Scored while the competition is open; decides in the end."""
Split = Literal["public", "private"]
Ranking = Literal["official", "calibrated"]
"""Which score orders the leaderboard."""
Reveal = Literal["manual", "automatic"]
"""Whether the private leaderboard waits for an organiser, or for nothing but the last evaluation."""
DeviceClass = Literal["cpu", "cuda"]
"""What a worker's models run on."""
LEAST_MODELS = 3
LEAST_CALIBRATED_MODELS = 6
"""Halves of three models are the least that have points, and only halves show how far a score may be off."""


class InvalidCompetition(LetheError):  # noqa: N818 - named like its siblings in app.errors
    """The competition folder is not as it must be."""

    code = "invalid_competition"
    title = "The competition folder is not valid"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bundle(_Section):
    """Limits on an upload."""

    max_bytes: int = Field(default=10_000_000, gt=0)
    max_unpacked_bytes: int = Field(default=50_000_000, gt=0)
    max_files: int = Field(default=200, gt=0)
    per_day: int = Field(default=5, gt=0, description="submissions per participant or team and UTC day")


class Sandbox(_Section):
    """Limits on one run."""

    memory_mb: int = Field(default=3000, ge=1500)
    processes: int = Field(default=64, gt=0)
    tmp_mb: int = Field(default=64, gt=0)
    threads: int = Field(default=1, gt=0)


class Evaluation(_Section):
    """How a submission is run and ranked."""

    models: int = Field(
        default=32, ge=LEAST_MODELS, le=4096, description="N: runs per submission, and references per split"
    )
    cutoff_fraction: float = Field(
        default=0.2,
        gt=0,
        le=100,
        description="a run's cutoff over the seconds of one retraining; above 1 only where retraining takes no time",
    )
    ranking: Ranking = "official"
    device: Literal["any", "cpu", "cuda"] = Field(
        default="any", description="the class of devices whose workers take its runs"
    )

    @model_validator(mode="after")
    def _can_be_calibrated(self) -> "Evaluation":
        if self.ranking == "calibrated" and self.models < LEAST_CALIBRATED_MODELS:
            raise ValueError(
                f"ranking = 'calibrated' needs models = {LEAST_CALIBRATED_MODELS} or more, not {self.models}"
            )
        return self


class Batches(_Section):
    """What a loader yields: (image, label) tuples, or dicts under these names."""

    size: int = Field(default=64, gt=0)
    kind: Literal["tuple", "dict"] = "tuple"
    fields: dict[str, str] = Field(
        default_factory=dict,
        description="for dicts: name in the batch -> 'images', 'labels', 'ids' or an extra array of data.py",
    )

    @model_validator(mode="after")
    def _dicts_have_fields(self) -> "Batches":
        if self.kind == "dict" and not {"images", "labels"} <= set(self.fields.values()):
            raise ValueError(
                "kind = 'dict' needs [batches.fields] with a name for 'images' and one for 'labels'"
            )
        return self


class Publish(_Section):
    """How finely what comes from hidden data is published: each digit more carries more of that data out."""

    score_decimals: int = Field(default=4, ge=1, le=6)
    seconds_decimals: int = Field(default=2, ge=0, le=3)
    plots: bool = Field(
        default=True,
        description="whether participants see coarse plots of their own scores: app.plots says what they carry",
    )

    def score(self, value: float) -> float:
        """Return a score, or anything else that was measured on hidden data, as it is published and ranked.

        >>> Publish().score(0.07124999), Publish(score_decimals=2).score(0.07124999)
        (0.0712, 0.07)
        """
        return round(value, self.score_decimals)

    def seconds(self, value: float) -> float:
        """Return seconds of a run or of a training as they are published."""
        return round(value, self.seconds_decimals)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("give a time zone, for example 2026-01-01T00:00:00Z")
    return value.astimezone(UTC)


class Teams(_Section):
    """Who may take part together."""

    max_size: int = Field(default=5, ge=1, le=100, description="people in a team; 1 allows no teams")
    merge_deadline: datetime | None = Field(
        default=None, description="teams are as they are from then on; closes_at if left out"
    )

    @field_validator("merge_deadline")
    @classmethod
    def _utc(cls, value: datetime | None) -> datetime | None:
        return None if value is None else _in_utc(value)


class CompetitionConfig(_Section):
    """competition.toml."""

    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    title: str = Field(min_length=1, max_length=200)
    summary: str = ""
    opens_at: datetime
    closes_at: datetime
    final_entries: int = Field(
        default=2, ge=1, le=10, description="submissions of each entrant that the private split decides by"
    )
    reveal: Reveal = "manual"
    entry_function: str = Field(default="unlearning", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    bundle: Bundle = Bundle()
    sandbox: Sandbox = Sandbox()
    evaluation: Evaluation = Evaluation()
    batches: Batches = Batches()
    publish: Publish = Publish()
    teams: Teams = Teams()

    @field_validator("opens_at", "closes_at")
    @classmethod
    def _utc(cls, value: datetime) -> datetime:
        return _in_utc(value)

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> "CompetitionConfig":
        if self.opens_at >= self.closes_at:
            raise ValueError("opens_at must be before closes_at")
        return self

    @model_validator(mode="after")
    def _teams_merge_before_it_closes(self) -> "CompetitionConfig":
        deadline = self.teams.merge_deadline
        if deadline is not None and not self.opens_at <= deadline <= self.closes_at:
            raise ValueError("teams.merge_deadline must be between opens_at and closes_at")
        return self

    @property
    def teams_until(self) -> datetime:
        """When teams stop changing."""
        return self.teams.merge_deadline or self.closes_at


def load_config(folder: Path) -> CompetitionConfig:
    """Read and check competition.toml. Raises InvalidCompetition naming the file, the key and what it needs."""
    path = folder / "competition.toml"
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InvalidCompetition(f"{path} is missing") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidCompetition(f"{path}: {error}") from error
    try:
        return CompetitionConfig.model_validate(raw)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {_needs(e)}" for e in error.errors())
        raise InvalidCompetition(f"{path}: {problems}") from error


def _needs(error: "ErrorDetails") -> str:
    match error["type"]:
        case "missing":
            return "this key is required"
        case "extra_forbidden":
            return "there is no such key"
        case _:
            return error["msg"].removeprefix("Value error, ")


def load_pages(folder: Path) -> dict[str, str]:
    """Read pages/*.md as {name: Markdown}; 'overview' is required."""
    pages = {path.stem: path.read_text(encoding="utf-8") for path in sorted((folder / "pages").glob("*.md"))}
    if "overview" not in pages:
        raise InvalidCompetition(f"{folder / 'pages' / 'overview.md'} is missing")
    return pages
