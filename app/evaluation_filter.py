"""By what organisers and admins look for evaluations."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.status import Status, Verdict

Words = Annotated[str | None, Field(max_length=200)]
Day = Annotated[date | None, Field(ge=date(2000, 1, 1), le=date(9998, 12, 31))]


class EvaluationFilter(BaseModel):
    """What is asked for; None, or an empty text, asks for everything."""

    model_config = ConfigDict(frozen=True)
    competition: Words = Field(default=None, description="slug")
    person: Words = Field(default=None, description="whose submissions, by name")
    status: Status | None = Field(default=None, description="where it is")
    verdict: Verdict | None = Field(default=None, description="how it fared")
    reason: Words = Field(default=None, description="reason code")
    split: Literal["public", "private"] | None = Field(default=None, description="on which split")
    worker: Words = Field(default=None, description="name of a worker that has or had a run of it")
    device: Words = Field(default=None, description="name or digest of a device that a run of it was lent to")
    since: Day = Field(default=None, description="UTC day: made on it or later")
    until: Day = Field(default=None, description="UTC day: made on it or earlier")
    shown: Literal["yes", "no"] | None = Field(default=None, description="whether it is the published one")
    cursor: Words = Field(default=None, description="from `next_cursor`")

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_all(cls, value: object) -> object:
        return None if value == "" else value

    def query(self) -> dict[str, str]:
        """Return what is asked for as a URL's query has it, without the cursor and what was chosen one by one."""
        return self.model_dump(mode="json", exclude_none=True, exclude={"cursor", "evaluation", "all"})


class Chosen(EvaluationFilter):
    """Evaluations that were chosen one by one, or all that match."""

    evaluation: list[Annotated[str, Field(max_length=32)]] = Field(default=[])
    all: Literal["yes"] | None = None
