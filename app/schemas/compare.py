"""What the API answers where two submissions are compared."""

from datetime import datetime

from pydantic import Field

from app.comparison import Method, Verdict
from app.competitions import Ranking
from app.schemas.base import Graded, Out, Seconds
from app.schemas.scores import DecimalsOut, SummaryOut


class SideOut(Out):
    """One of two submissions; what is null is not yours to see, or not known."""

    submission_id: str
    entrant: str = Field(description="the name of the person or the team")
    yours: bool = Field(description="whether all of it is shown, and not only what the leaderboard shows")
    note: str | None
    created_at: datetime | None
    score: Graded | None = Field(description="the one that ranks; see ranked_by")
    interval_low: Graded | None = Field(description="of that score, 95 %")
    interval_high: Graded | None
    official_score: Graded
    calibrated_score: Graded | None
    forgetting_quality: Graded
    retain_ratio: Graded
    test_ratio: Graded
    summary: SummaryOut | None = Field(description="what stands behind the score")
    flags: list[str]
    runs: int = Field(description="N, each with a seed of its own; seeds stay secret")
    median_seconds: Seconds | None
    slowest_seconds: Seconds | None
    grader_version: str
    reference_version: int


class DifferenceOut(Out):
    """The first's score less the second's."""

    value: Graded | None = Field(description="null where the scores do not compare")
    interval_low: Graded | None = Field(description="95 %; null where nothing is known of it")
    interval_high: Graded | None
    method: Method | None = Field(
        description="paired: on the same halves of the models, as ties on the board; published: from both intervals, "
        "where one is not yours; rather too wide"
    )


class ComparisonOut(Out):
    """Two submissions side by side."""

    competition: str
    ranked_by: Ranking
    decimals: DecimalsOut
    first: SideOut
    second: SideOut
    difference: DifferenceOut
    verdict: Verdict = Field(description="first or second is better, tied: cannot be told apart, or unknown")
    words: str = Field(description="why that is the verdict")
