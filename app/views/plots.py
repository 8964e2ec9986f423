"""The numbers behind a submission's plots, as finely as the viewer may see them."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import access, plots, submissions
from app.charts import examples, histogram, roc
from app.charts.examples import ExamplesChart
from app.charts.histogram import Histogram
from app.charts.roc import RocChart
from app.competitions import Publish
from app.models import Evaluation, Score, Submission, User
from app.plots import Plots
from app.schemas.plots import EpsilonBar, PlotsOut, RocPoint, TellingExample
from app.schemas.submissions import SubmissionOut
from app.views.evaluations import publish_of

CAP = 50.0
NO_SCORE = "There are no plots before there is a score."
OLDER = "Plots are not available for scores made by a grader from before there were plots; they come with a rerun."
WITHHELD = "The organiser of this competition publishes no plots."
TOO_FEW = "The forget set is too small to show shares of it without telling single examples."


@dataclass(frozen=True)
class _Asked:
    """What is shown to whom."""

    submission: Submission
    publish: Publish
    fully: bool  # exact numbers, and single examples


def of_submission(session: Session, submission_id: str, viewer: User) -> PlotsOut:
    """Return the plots of a submission's published score. Raises NotFound unless it is the viewer's to see.

    Exact numbers, and examples of the hidden forget set, are the organisers' alone.
    """
    submission = submissions.get(session, submission_id, viewer)
    evaluation = submissions.published_evaluation(submission)
    fully = access.organises(viewer, submission.competition.slug)
    asked = _Asked(submission, publish_of(evaluation), fully=fully)
    found = _stored(session, evaluation)
    if isinstance(found, str):
        return _missing(asked, found)
    return _shown(asked, found)


@dataclass(frozen=True)
class Drawn:
    """The same as pictures, and why there are none."""

    missing: str | None
    step: float | None
    histogram: Histogram | None
    roc: RocChart | None
    examples_chart: ExamplesChart | None
    examples: list[TellingExample]


def drawn(session: Session, one: SubmissionOut, viewer: User) -> Drawn | None:
    """Return the pictures of a submission's page; None before there is a score."""
    if one.score is None:
        return None
    found = of_submission(session, one.id, viewer)
    names = ["Yours" if viewer.name == one.user else "Unlearned"]
    return Drawn(
        missing=found.missing,
        step=found.step,
        histogram=histogram.histogram(names, [found.epsilon]),
        roc=roc.roc(names, [found.roc]),
        examples_chart=examples.examples(found.examples),
        examples=found.examples,
    )


def _stored(session: Session, evaluation: Evaluation) -> Plots | str:
    row = session.execute(
        select(Score.plots).where(Score.evaluation_id == evaluation.id, Score.current)
    ).one_or_none()
    if row is None:
        return NO_SCORE
    return OLDER if row.plots is None else Plots.model_validate(row.plots)


def _missing(asked: _Asked, why: str) -> PlotsOut:
    return PlotsOut(
        submission_id=asked.submission.id,
        competition=asked.submission.competition.slug,
        models=None,
        step=None,
        missing=why,
        epsilon=[],
        roc=[],
        examples=[],
    )


def _shown(asked: _Asked, found: Plots) -> PlotsOut:
    if not asked.fully and not asked.publish.plots:
        return _missing(asked, WITHHELD)
    step = None if asked.fully else plots.step_of(found.examples, asked.publish)
    if step is None and not asked.fully:
        return _missing(asked, TOO_FEW)
    return PlotsOut(
        submission_id=asked.submission.id,
        competition=asked.submission.competition.slug,
        models=found.models,
        step=step,
        missing=None,
        epsilon=_bars(found, step),
        roc=_curve(found, step),
        examples=_examples(found) if asked.fully else [],
    )


def _bars(found: Plots, step: float | None) -> list[EpsilonBar]:
    one = found.epsilon
    unlearned = plots.shares(one.unlearned, found.examples, step)
    retrained = None if one.retrained is None else plots.shares(one.retrained, found.examples, step)
    lows, highs = [*one.edges, CAP], [*one.edges[1:], CAP, None]
    return [
        EpsilonBar(
            low=low,
            high=high,
            points=points,
            unlearned=unlearned[index],
            retrained=None if retrained is None else retrained[index],
        )
        for index, (low, high, points) in enumerate(zip(lows, highs, plots.points_of(one.edges), strict=True))
    ]


def _curve(found: Plots, step: float | None) -> list[RocPoint]:
    if found.roc is None:
        return []
    pairs = plots.curve(found.roc, step)
    return [RocPoint(false_positive_rate=rate, true_positive_rate=hits) for rate, hits in pairs]


def _examples(found: Plots) -> list[TellingExample]:
    if found.telling is None:
        return []
    one = found.telling
    columns = zip(one.example, one.epsilon, one.unlearned, one.retrained, strict=True)
    return [
        TellingExample(example=example, epsilon=epsilon, unlearned=ours, retrained=theirs)
        for example, epsilon, ours, theirs in columns
    ]
