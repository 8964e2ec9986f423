"""What the API answers for plots: the numbers that the pages draw."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.schemas.base import Out


class EpsilonBar(Out):
    """One bar of the histogram of epsilon over the forget set's examples."""

    low: float
    high: float | None = Field(description="not included; null for the bar of the cap, 50")
    points: float = Field(description="what each example in it earns")
    unlearned: float = Field(description="share of the examples, by this submission's models")
    retrained: float | None = Field(
        description="the same of retrained models against other retrained models: the ceiling"
    )


class RocPoint(Out):
    """How many unlearned models an attack finds while it takes so many retrained ones for unlearned."""

    false_positive_rate: float
    true_positive_rate: float


class TellingExample(Out):
    """An example of the hidden forget set by which the models are told apart; quantiles at 5, 25, 50, 75 and 95 %."""

    example: int = Field(description="its place in the forget set, from 0")
    epsilon: float
    unlearned: list[float]
    retrained: list[float]


class PlotsOut(Out):
    """A score's plots as numbers."""

    submission_id: str
    competition: str
    models: int | None = Field(description="N; null where there are no plots")
    step: float | None = Field(
        description="shares are rounded to multiples of it, so that no few examples can be told; null where exact"
    )
    missing: str | None = Field(description="why there are no plots, in words; null where there are")
    epsilon: list[EpsilonBar]
    roc: list[RocPoint]
    examples: list[TellingExample] = Field(description="for admins alone; empty for everybody else")


class StepOut(Out):
    """A moment at which an entry's best score rose."""

    at: datetime = Field(description="when that submission was sent")
    score: float = Field(description="as the board publishes it")


class EntrantProgressOut(Out):
    """How one entry came to its place."""

    entrant: str = Field(description="the name of the person or the team")
    kind: Literal["person", "team"]
    rank: int
    steps: list[StepOut]


class BoardProgressOut(Out):
    """Best published score over time, of the first ten places and of one's own."""

    competition: str
    split: str
    ranked_by: str
    entrants: list[EntrantProgressOut]
