"""What pages and API show of one grading: its score, its reason, its stages."""

from collections.abc import Iterable

from app import registry
from app.competitions import Publish, Ranking
from app.flags import flags_of
from app.models import Evaluation
from app.reasons import REASONS
from app.schemas.operations import EvaluationOut
from app.schemas.scores import FlagOut, ScoreOut, SummaryOut
from app.schemas.submissions import Links, ReasonOut
from app.views.competitions import retraining_of


def evaluation_out(evaluation: Evaluation) -> EvaluationOut:
    """Return one grading as the API answers it."""
    return EvaluationOut(
        id=evaluation.id,
        submission_id=evaluation.submission_id,
        split=evaluation.split,
        generation=evaluation.generation,
        status=evaluation.status,
        verdict=evaluation.verdict,
        reason=reason_of(evaluation),
        published=evaluation.published,
        cancel_requested=evaluation.cancel_requested,
        score=score_of(evaluation),
        created_at=evaluation.created_at,
        links=Links(
            self=f"/api/v1/evaluations/{evaluation.id}", html=f"/submissions/{evaluation.submission_id}"
        ),
    )


def reason_of(evaluation: Evaluation) -> ReasonOut | None:
    """Return why an evaluation ended without a score, in the words of app.reasons."""
    if evaluation.reason is None:
        return None
    reason = REASONS[evaluation.reason]
    return ReasonOut(code=reason.code, cause=reason.cause, advice=reason.advice, fault=reason.fault)


def score_of(evaluation: Evaluation) -> ScoreOut | None:
    """Return an evaluation's score beside that of retraining, or None while there is none."""
    score = evaluation.score
    if score is None:
        return None
    retraining, publish = retraining_of(evaluation.reference), publish_of(evaluation)
    return ScoreOut.rounded(
        publish,
        ranked_by=ranking_of(evaluation),
        score=score.score,
        interval_low=score.interval_low,
        interval_high=score.interval_high,
        calibrated_score=score.calibrated_score,
        calibrated_low=score.calibrated_low,
        calibrated_high=score.calibrated_high,
        forgetting_quality=score.forgetting_quality,
        retain_ratio=score.retain_ratio,
        test_ratio=score.test_ratio,
        flags=flags_out(score.flags),
        summary=None if score.summary is None else SummaryOut.rounded(publish, **score.summary),
        retraining_score=None if retraining is None else retraining.score,
        grader_version=score.grader_version,
        reference_digest=score.reference_digest,
    )


def ranking_of(evaluation: Evaluation) -> Ranking:
    """Return which score orders the leaderboard of an evaluation's competition."""
    return registry.config_of(evaluation.submission.competition).evaluation.ranking


def publish_of(evaluation: Evaluation) -> Publish:
    """Return how finely an evaluation's competition publishes."""
    return registry.config_of(evaluation.submission.competition).publish


def ranked_score(evaluation: Evaluation) -> float | None:
    """Return the score by which an evaluation ranks, if it has one."""
    score = evaluation.score
    if score is None:
        return None
    return score.score if ranking_of(evaluation) == "official" else score.calibrated_score


def flags_out(codes: Iterable[str]) -> list[FlagOut]:
    """Return flags with their words, each once."""
    return [FlagOut(code=one.code, name=one.name, meaning=one.meaning) for one in flags_of(codes)]
