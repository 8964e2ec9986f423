"""What comes of grading."""

from pydantic import Field

from app.competitions import Ranking
from app.schemas.base import Graded, Out, Seconds


class DecimalsOut(Out):
    """How finely a competition publishes."""

    score: int = Field(description="of scores and of whatever else was measured on hidden data")
    seconds: int


class RetrainingOut(Out):
    """Retraining from scratch, scored like a submission: what a perfect method gets on average."""

    score: Graded = Field(description="the official score")
    interval_low: Graded | None = Field(default=None, description="of the official score, 95 %")
    interval_high: Graded | None = None
    calibrated_score: Graded | None = Field(
        default=None, description="1 by definition; null where it was not taken"
    )
    forgetting_quality: Graded
    retain_ratio: Graded
    test_ratio: Graded
    median_seconds: Seconds | None = Field(default=None, description="wall seconds of one retraining")


class FlagOut(Out):
    """Something about outputs that honest, independent runs rarely show; it changes no score."""

    code: str = Field(description="stable; safe to match on")
    name: str
    meaning: str


class SummaryOut(Out):
    """What stands behind a score, over the forget set; null where it could not be taken."""

    forget_accuracy: Graded | None = Field(
        default=None, description="mean of the unlearned models on the forget set"
    )
    retrained_forget_accuracy: Graded | None = Field(
        default=None,
        description="the same of retrained models: above it forgets too little, below it too much",
    )
    median_epsilon: Graded | None = Field(default=None, description="of the examples; lower is better")
    share_without_points: Graded | None = Field(default=None, description="examples that earn no points")
    median_attack_auc: Graded | None = Field(
        default=None, description="of a likelihood-ratio attack on each example; 0.5 is no better than chance"
    )
    share_proved: Graded | None = Field(
        default=None,
        description="examples whose epsilon is above 0 by an attack judged on models that it was not chosen on; "
        "up to 0.05 by chance",
    )
    share_rejected: Graded | None = Field(
        default=None,
        description="examples that a Kolmogorov-Smirnov test tells apart, after Benjamini and Hochberg at 5 %",
    )


class ScoreOut(Out):
    """A score, with what it was computed under."""

    ranked_by: Ranking = Field(description="which of the two scores orders the leaderboard")
    score: Graded = Field(description="the official one: forgetting quality x retain ratio x test ratio")
    interval_low: Graded | None = Field(description="of the official score, 95 %; null where N is too small")
    interval_high: Graded | None
    calibrated_score: Graded | None = Field(
        description="with forgetting quality over that of retraining: 1 means as good as retraining"
    )
    calibrated_low: Graded | None = Field(description="of the calibrated score, 95 %")
    calibrated_high: Graded | None
    forgetting_quality: Graded
    retain_ratio: Graded = Field(description="retain accuracy over that of retraining")
    test_ratio: Graded = Field(description="test accuracy over that of retraining")
    flags: list[FlagOut]
    summary: SummaryOut | None = Field(
        description="what stands behind the score; null where an older grader scored it"
    )
    retraining_score: Graded | None = Field(
        description="the official score of retraining from scratch under the same reference"
    )
    grader_version: str
    reference_digest: str
