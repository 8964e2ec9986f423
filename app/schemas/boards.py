"""The leaderboard."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.competitions import Ranking
from app.schemas.base import Graded, Out, Seconds
from app.schemas.scores import DecimalsOut, FlagOut, RetrainingOut


class LeaderboardRow(Out):
    """The best scored submission of a person or a team."""

    rank: int = Field(description="position in the list")
    public_rank: int | None = Field(description="the same on the public split; null there")
    rank_change: int | None = Field(
        description="places gained (lost, if negative) from the public split to the private"
    )
    band: int = Field(description="rows of one band are tied, as tie_rule says")
    band_first: int = Field(description="the band's first rank")
    band_last: int = Field(description="the band's last rank")
    entrant: str = Field(description="the name of the person or the team")
    kind: Literal["person", "team"]
    members: list[str] = Field(description="names of the team's members; a person's own")
    user: str = Field(description="who sent the submission")
    submission_id: str
    score: Graded = Field(description="the one that ranks; see ranked_by")
    interval_low: Graded | None = Field(description="of that score, 95 %; null where N is too small")
    interval_high: Graded | None
    official_score: Graded
    calibrated_score: Graded | None
    forgetting_quality: Graded
    retain_ratio: Graded
    test_ratio: Graded
    flags: list[str] = Field(description="codes; the board's flags say what they mean")
    entries: int
    last_at: datetime
    median_seconds: Seconds | None


class LeaderboardOut(Out):
    """A split's leaderboard at one moment."""

    competition: str
    split: str = Field(description="public, or private: there final entries alone are ranked, and it decides")
    as_of: datetime = Field(description="when it was put together; nothing in it has changed since")
    ranked_by: Ranking = Field(description="which score orders the rows")
    ranking: str = Field(description="the same in words")
    tie_rule: str
    decimals: DecimalsOut
    flags: list[FlagOut] = Field(description="what the flags mean that rows carry")
    retraining: RetrainingOut | None = Field(description="the row of retraining from scratch; not ranked")
    unranked: int = Field(
        description="submissions scored under an older reference: not ranked until an organiser reruns them"
    )
    without_score: int = Field(
        description="submissions without the score that ranks, made by an older grader: not ranked until regraded"
    )
    rows: list[LeaderboardRow]
