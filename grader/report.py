"""Everything the grader says about one submission."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from grader import (
    VERSION,
    distribution,
    heldout,
    integrity,
    intervals,
    membership,
    official,
    telling,
    timing,
    utility,
)
from grader import ceiling as ceilings
from grader import uncertainty as uncertainties
from grader.ceiling import Ceiling, Draws
from grader.checks import GradeError
from grader.distribution import Distribution
from grader.draws import comparable
from grader.heldout import HeldOut
from grader.integrity import Integrity
from grader.membership import Membership
from grader.telling import Telling
from grader.timing import Timing
from grader.types import ModelOutputs
from grader.uncertainty import Uncertainty
from grader.utility import Utility

Panel = TypeVar("Panel")


@dataclass(frozen=True)
class Official:
    """The competition's own score, and what it is made of.

    `score` and the ratios are NaN while accuracies are unknown. An example without an epsilon is NaN, `reasons` says
    why, and forgetting quality and score are then NaN too. `separable` counts examples whose samples a threshold or
    band parts perfectly, whether the official grid finds it or not.
    """

    score: float
    forgetting_quality: float
    retain_ratio: float
    test_ratio: float
    epsilon: tuple[float, ...]
    points: tuple[float, ...]
    reasons: tuple[str | None, ...]
    separable: int


@dataclass(frozen=True)
class Report:
    """One panel for each question; a panel that could not be made is None, and `missing` says what it needs."""

    grader_version: str
    n_models: int
    n_examples: int
    official: Official
    ceiling: Ceiling | None
    uncertainty: Uncertainty | None
    held_out: HeldOut | None
    membership: Membership | None
    distribution: Distribution | None
    utility: Utility | None
    telling: Telling | None
    integrity: Integrity
    time: Timing | None
    missing: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers for JSON, with None in place of NaN and infinities."""
        written = plain(self)
        assert isinstance(written, dict)
        return written


def grade(
    U: ModelOutputs,
    R: ModelOutputs,
    *,
    second: ModelOutputs | None = None,
    original: object = None,
    seconds: object = None,
    cutoff: object = None,
    draws: int = intervals.DRAWS,
) -> Report:
    """Grade unlearned models U against retrained models R, of equal N and S.

    `second` holds N more retrained models, for the ceiling. `original` is the confidences [S] of the model before
    unlearning, for the flags. `seconds` [N] are wall seconds of the runs, `cutoff` is
    their limit, one for all or one for each [N]. `draws` is the number of half-subsamples behind the intervals.
    Raises GradeError if sizes or units differ, if there are fewer than two draws, or if the retrained models get nothing right;
    what only one panel cannot work with is told in `missing`.

    >>> rng = np.random.default_rng(0)
    >>> U, R = (ModelOutputs(rng.normal(size=(8, 2)), np.full(8, a), np.full(8, a)) for a in (0.5, 1.0))
    >>> found = grade(U, R)
    >>> found.official.test_ratio
    0.5
    >>> sorted(found.missing)
    ['held_out', 'time']
    >>> len(found.to_dict()["official"]["epsilon"])
    2
    """
    _check(U, R, second, draws)
    panels = _Panels()
    scored = _official(U, R)
    drawn = panels.make("ceiling", lambda: _drawn(U, R, second, draws, scored))
    ceiling = None if drawn is None else ceilings.ceiling(drawn)
    time = _time(seconds, cutoff, U.n_models)
    if time is None:
        panels.missing["time"] = "the runs' seconds and their cutoff are not known"
    return Report(
        grader_version=VERSION,
        n_models=U.n_models,
        n_examples=U.n_examples,
        official=scored,
        ceiling=ceiling,
        uncertainty=panels.make("uncertainty", lambda: _uncertainty(drawn, ceiling, scored)),
        held_out=panels.make("held_out", lambda: heldout.held_out(U.confidence, R.confidence)),
        membership=panels.make("membership", lambda: membership.attack(U.confidence, R.confidence)),
        distribution=panels.make(
            "distribution", lambda: distribution.compare(U.confidence, R.confidence, U.logits, R.logits)
        ),
        utility=panels.make("utility", lambda: _utility(U, R)),
        telling=panels.make(
            "telling", lambda: telling.telling(U.confidence, R.confidence, np.array(scored.epsilon))
        ),
        integrity=integrity.inspect(U.confidence, R.confidence, original),
        time=time,
        missing=panels.missing,
    )


def _official(U: ModelOutputs, R: ModelOutputs) -> Official:
    found = official.epsilons(U.confidence, R.confidence)
    awarded = official.points(found.epsilon, U.n_models)
    quality = official.forgetting_quality(awarded)
    retain, test = (_ratio(U, R, name) for name in ("retain_accuracy", "test_accuracy"))
    return Official(
        score=utility.score(quality, retain, test),
        forgetting_quality=quality,
        retain_ratio=retain,
        test_ratio=test,
        epsilon=tuple(found.epsilon.tolist()),
        points=tuple(awarded.tolist()),
        reasons=found.reasons,
        separable=int(official.separable(U.confidence, R.confidence).sum()),
    )


class _Panels:
    """Makes panels one by one, and keeps what those that cannot be made need."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}

    def make(self, name: str, panel: Callable[[], Panel]) -> Panel | None:
        try:
            return panel()
        except GradeError as error:
            self.missing[name] = str(error)
            return None


def _check(U: ModelOutputs, R: ModelOutputs, second: ModelOutputs | None, draws: int) -> None:
    """Refuse what no panel could compare, so that a panel that refuses has needs of its own."""
    comparable(U, R, second)
    intervals.enough(draws)
    if U.logits is not None and R.logits is not None and U.logits.shape != R.logits.shape:
        raise GradeError(
            f"U has logits {U.logits.shape} and R has {R.logits.shape}; they must have one shape"
        )


def _drawn(
    U: ModelOutputs, R: ModelOutputs, second: ModelOutputs | None, draws: int, scored: Official
) -> Draws:
    if math.isnan(scored.forgetting_quality):
        raise GradeError("every example must have an epsilon")
    return ceilings.draw(U, R, second, draws)


def _uncertainty(drawn: Draws | None, ceiling: Ceiling | None, scored: Official) -> Uncertainty:
    if drawn is None or ceiling is None:
        raise GradeError("intervals come from the draws behind the ceiling")
    return uncertainties.uncertainty(
        drawn, ceiling, scored.forgetting_quality, scored.retain_ratio, scored.test_ratio
    )


def _utility(U: ModelOutputs, R: ModelOutputs) -> Utility:
    found = utility.panel(U, R)
    if found is None:
        raise GradeError("no accuracy is known of both unlearned and retrained models")
    return found


def _time(seconds: object | None, cutoff: object | None, n_models: int) -> Timing | None:
    if seconds is None or cutoff is None:
        return None
    return timing.timing(seconds, cutoff, n_models)


def _ratio(U: ModelOutputs, R: ModelOutputs, name: str) -> float:
    unlearned, retrained = getattr(U, name), getattr(R, name)
    if unlearned is None or retrained is None:
        return math.nan
    return utility.ratio(unlearned, retrained, name)


def plain(value: Any) -> Any:
    """Return a dataclass, array or number as JSON has it: None for NaN and infinities.

    >>> plain({"seconds": np.array([1.5, np.nan])})
    {'seconds': [1.5, None]}
    """
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
