"""Everything the grader says about one submission."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader import VERSION, official, utility
from grader.types import ModelOutputs


@dataclass(frozen=True)
class Official:
    """The competition's own score, and what it is made of.

    `score` and the ratios are NaN while accuracies are unknown. An example without an epsilon is NaN, `reasons` says
    why, and forgetting quality and score are then NaN too.
    """

    score: float
    forgetting_quality: float
    retain_ratio: float
    test_ratio: float
    epsilon: tuple[float, ...]
    points: tuple[float, ...]
    reasons: tuple[str | None, ...]


@dataclass(frozen=True)
class Report:
    """One panel for each question; a panel that could not be made is None, and `missing` says what it needs."""

    grader_version: str
    n_models: int
    n_examples: int
    official: Official
    missing: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers for JSON, with None in place of NaN and infinities."""
        plain = _plain(self)
        assert isinstance(plain, dict)
        return plain


def grade(U: ModelOutputs, R: ModelOutputs) -> Report:
    """Grade unlearned models U against retrained models R, of equal N and S.

    With retrained models in both places it gives retraining's own score, the ceiling at this N.
    Raises GradeError if the sizes differ, or if the retrained models get nothing right.

    >>> rng = np.random.default_rng(0)
    >>> U, R = (ModelOutputs(rng.normal(size=(8, 2)), np.full(8, a), np.full(8, a)) for a in (0.5, 1.0))
    >>> grade(U, R).official.test_ratio
    0.5
    >>> len(grade(U, R).to_dict()["official"]["epsilon"])
    2
    """
    return Report(
        grader_version=VERSION,
        n_models=U.n_models,
        n_examples=U.n_examples,
        official=_official(U, R),
        missing={},
    )


def _official(U: ModelOutputs, R: ModelOutputs) -> Official:
    found = official.epsilons(U.confidence, R.confidence)
    awarded = official.points(found.epsilon, U.n_models)
    quality = official.forgetting_quality(awarded)
    retain = _ratio(U.retain_accuracy, R.retain_accuracy)
    test = _ratio(U.test_accuracy, R.test_accuracy)
    return Official(
        score=utility.score(quality, retain, test),
        forgetting_quality=quality,
        retain_ratio=retain,
        test_ratio=test,
        epsilon=tuple(found.epsilon.tolist()),
        points=tuple(awarded.tolist()),
        reasons=found.reasons,
    )


def _ratio(unlearned: object | None, retrained: object | None) -> float:
    if unlearned is None or retrained is None:
        return math.nan
    return utility.ratio(unlearned, retrained)


def _plain(value: Any) -> Any:
    """Return a dataclass, array or number as JSON has it."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
