"""What the API says of a competition's public data."""

from pydantic import Field

from app.competitions import Batches, Bundle, Evaluation, Publish, Sandbox
from app.schemas.base import Out


class ArrayOut(Out):
    """One array of an npz file."""

    name: str
    dtype: str = Field(description="NumPy's name of it")
    shape: list[int]


class DataFileOut(Out):
    """One public file."""

    name: str
    bytes: int
    sha256: str
    what: str = Field(description="what is in it, in words")
    arrays: list[ArrayOut] = Field(description="of an npz file; empty for others")
    url: str = Field(description="where to download it: ranges and If-None-Match are understood")


class FullSizeOut(Out):
    """How many images the hidden public split has, for estimates of time; not which."""

    retain: int
    forget: int


class DataRulesOut(Out):
    """What a run of a submission is held to, as the organiser's competition.toml has it."""

    title: str
    entry_function: str
    bundle: Bundle
    sandbox: Sandbox
    evaluation: Evaluation
    batches: Batches
    publish: Publish


class PublicDataOut(Out):
    """A competition's public data: files that anybody may have, and the rules to try a bundle by."""

    competition: str = Field(description="slug")
    reference_version: int
    reference_digest: str = Field(
        description="names these very files; another one after the data have changed"
    )
    retrain_seconds: float = Field(
        description="median of one retraining on the hidden split when it was prepared"
    )
    full_size: FullSizeOut | None = Field(description="null where it was not noted")
    rules: DataRulesOut
    files: list[DataFileOut]
    total_bytes: int
