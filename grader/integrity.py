"""What a person should look at before believing a score.

A flag is not a verdict. Each compares one property of the unlearned models with the retrained ones and says in a
sentence what it saw. Flags by comparison fire by chance with a probability of about LEVEL.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from grader import checks, shape
from grader.checks import GradeError
from grader.closeness import closeness
from grader.shape import Over, Samples, Values

TIES = "ties"
CLIPPED = "clipped"
TOO_ALIKE = "too_alike"
TOO_EVEN = "too_even"
TOO_CLOSE = "too_close"
SAME_AS_ORIGINAL = "same_as_original"
LEVEL = 0.01

# What is too little to matter, whatever the number of models that could prove it.
_TIED = 0.005  # share of values
_REACH = 0.1  # in log(range / distance between the quartiles)
_EVEN = 0.01  # in the mean ratio of adjacent gaps

_ALIKE = 0.02  # spread over retraining's
_SAME = 0.05  # distance to the original, in retraining's spread
_SAME_EXAMPLES = 0.9
_SAME_RUNS = 0.5

_EQUAL = 1e-5  # values this close, in units of the sample's spread, count as tied
_FLOAT32_LIMIT = 87.0  # beyond it a float32 exponential has few digits left, and ties are natural
_COARSE = 0.05  # retrained samples with more ties than this are too coarse to compare shapes with
_MIN_MODELS = {TIES: 3, TOO_ALIKE: 3, CLIPPED: 8, TOO_EVEN: 8, TOO_CLOSE: 8}
_NO_EXAMPLE = "no example has finite confidences that vary smoothly enough between the retrained models"


@dataclass(frozen=True)
class Measure:
    """One property: `value` of the unlearned models, and the `threshold` beyond which it is flagged."""

    code: str
    value: float
    threshold: float
    flagged: bool


@dataclass(frozen=True)
class Flag:
    """Something to look at: `value` lies beyond `threshold`, and `message` says in a sentence what that means."""

    code: str
    value: float
    threshold: float
    message: str


@dataclass(frozen=True)
class Integrity:
    """The flags, the measures behind them, and why a property could not be judged, by code."""

    flags: tuple[Flag, ...]
    measures: tuple[Measure, ...]
    not_judged: dict[str, str]


MESSAGES = {
    TIES: "{value:.1%} of the unlearned confidences equal another run's in values that no retrained model takes "
    "(up to {threshold:.1%} is usual): outputs may have been cut off, rounded or copied.",
    CLIPPED: "The unlearned models' tails reach {value:.2f} times as far as the retrained models', for equal spread "
    "in the middle (above {threshold:.2f} is usual): outputs may have been clipped or squashed.",
    TOO_ALIKE: "The unlearned runs spread {value:.4f} times as widely as the retrained models (above {threshold:.2f} "
    "is usual): the code may ignore its seed.",
    TOO_EVEN: "Neighbouring gaps between the unlearned runs have a mean ratio of {value:.3f} (up to {threshold:.3f} is "
    "usual): the runs are spread too evenly to be independent.",
    TOO_CLOSE: "The unlearned runs lie {value:.2f} times as far from the retrained models as random halves of both lie "
    "from each other (above {threshold:.2f} is usual): independent runs do not agree so well.",
    SAME_AS_ORIGINAL: "{value:.0%} of the unlearned runs give the original model's confidences (up to {threshold:.0%} is "
    "tolerated): the code may do nothing.",
}


def inspect(U: object, R: object, original: object | None = None) -> Integrity:
    """Compare unlearned with retrained confidences, both [N, S], for signs of other things than unlearning.

    `original` is the confidences [S] of the model before unlearning. Examples with a value that is not finite are
    left out. No value changes when models or examples change places, or when both groups are moved or stretched
    together; thresholds are estimated from groups and shuffles of models, and can move a little. The same
    arguments always give the same answer. Raises GradeError for bad shapes and types.

    >>> rng = np.random.default_rng(0)
    >>> U, R = rng.normal(size=(2, 64, 20))
    >>> inspect(U, R).flags
    ()
    >>> [flag.code for flag in inspect(np.clip(U, -1.5, 1.5), R).flags]
    ['ties', 'clipped']
    """
    unlearned, retrained = checks.confidence_pair(U, R)
    before = _original(original, unlearned.shape[1])
    finite = np.isfinite(unlearned).all(axis=0) & np.isfinite(retrained).all(axis=0)
    if not finite.any():
        return Integrity((), (), dict.fromkeys(MESSAGES, _NO_EXAMPLE))
    pair = _Pair(unlearned[:, finite].astype(np.float64), retrained[:, finite].astype(np.float64))
    found: dict[str, Measure | str] = {code: _judge(code, judge, pair) for code, judge in _JUDGES.items()}
    found[SAME_AS_ORIGINAL] = (
        "the original model's outputs are not known"
        if before is None
        else _same_as_original(pair, before[finite])
    )
    measures = tuple(one for one in found.values() if isinstance(one, Measure))
    not_judged = {code: one for code, one in found.items() if isinstance(one, str)}
    return Integrity(tuple(_flag(one) for one in measures if one.flagged), measures, not_judged)


class _Pair:
    """Both groups' confidences [N, S], finite, as given and sorted."""

    def __init__(self, U: Values, R: Values) -> None:
        self.U, self.R = U, R
        self.unlearned, self.retrained = Samples.of(U), Samples.of(R)
        self.u_spread, self.r_spread = (
            shape.spread(self.unlearned.values),
            shape.spread(self.retrained.values),
        )
        self.u_shared = _occurs_in(self.unlearned.values, self.retrained.values)
        self.r_shared = _occurs_in(self.retrained.values, self.unlearned.values)

    def smooth(self) -> NDArray[np.bool_]:
        """Say which examples [S] vary smoothly between retrained models, and stay clear of values they pile up at."""
        coarse = shape.tied(self.retrained.values, _EQUAL * self.r_spread).mean(axis=1)
        shared = self.u_shared.mean(axis=1)
        varied = (self.u_spread > 0) & (self.r_spread > 0)
        smooth: NDArray[np.bool_] = varied & (coarse <= _COARSE) & (shared <= _COARSE)
        return smooth


def _judge(code: str, judge: Callable[[_Pair], Measure | str], pair: _Pair) -> Measure | str:
    needed = _MIN_MODELS[code]
    if len(pair.U) < needed:
        return f"it takes at least {needed} models, and there are {len(pair.U)}"
    return judge(pair)


def _ties(pair: _Pair) -> Measure:
    """Compare the shares of tied values, leaving out those at values that both groups take."""
    groups = (
        (pair.unlearned, pair.u_shared, pair.u_spread),
        (pair.retrained, pair.r_shared, pair.r_spread),
    )
    (found, _, _), (usual, error, freedom) = (_tied_share(*group) for group in groups)
    # On a grid of values a narrower sample has more ties, in proportion.
    varied = (pair.u_spread > 0) & (pair.r_spread > 0)
    ratio = float(np.median(pair.r_spread[varied] / pair.u_spread[varied])) if varied.any() else 1.0
    grown = max(1.0, ratio)
    # Both errors are taken to be retraining's: ties in a few runs alone would make the unlearned models' own large.
    threshold = usual * grown + _TIED + _margin(error * grown, error, freedom)
    return Measure(TIES, found, threshold, found > threshold)


def _tied_share(samples: Samples, shared: NDArray[np.bool_], spread: Values) -> tuple[float, float, int]:
    natural = shared | (np.abs(samples.values) > _FLOAT32_LIMIT)
    own = Samples(np.where(natural, np.nan, samples.values), samples.group)
    return own.jackknife(lambda values: shape.tied(values, _EQUAL * spread).mean(axis=1))


def _clipped(pair: _Pair) -> Measure | str:
    """Compare how far the tails reach, for equal spread of the middle, in the mean and in the median example.

    The mean sees more; a few wild examples among the unlearned models' would restore it, but not the median.
    """
    smooth = pair.smooth()
    if not smooth.any():
        return _NO_EXAMPLE
    measures = [_reach(pair, smooth, over) for over in (np.mean, np.median)]
    return min(measures, key=lambda one: one.value - one.threshold)


def _reach(pair: _Pair, smooth: NDArray[np.bool_], over: Over) -> Measure:
    """Compare with retraining, whose error is taken for both: wild examples would make the unlearned models' large."""
    found, _, _ = pair.unlearned.take(smooth).jackknife(shape.reach, over)
    usual, error, freedom = pair.retrained.take(smooth).jackknife(shape.reach, over)
    threshold = -_REACH - _margin(error, error, freedom, LEVEL / 2)
    return Measure(CLIPPED, float(np.exp(found - usual)), float(np.exp(threshold)), found - usual < threshold)


def _too_even(pair: _Pair) -> Measure | str:
    """Compare the evenness of the runs, in the examples or in their means over them, with independent runs'."""
    smooth = pair.smooth()
    if not smooth.any():
        return _NO_EXAMPLE
    measures = _even_examples(pair, smooth), _even_means(pair, smooth)
    return max(measures, key=lambda one: one.value - one.threshold)


def _even_examples(pair: _Pair, smooth: NDArray[np.bool_]) -> Measure:
    """Compare with theory, or with the retrained models if theirs is more even."""
    width = shape.gap_width(len(pair.U))
    found, error, freedom = pair.unlearned.take(smooth).jackknife(lambda x: shape.gap_ratio(x, width))
    usual, other, _ = pair.retrained.take(smooth).jackknife(lambda x: shape.gap_ratio(x, width))
    margin = _EVEN + _margin(error, other, freedom, LEVEL / 2)
    threshold = max(usual, shape.independent_gap_ratio(width)) + margin
    return Measure(TOO_EVEN, found, threshold, found > threshold)


def _even_means(pair: _Pair, smooth: NDArray[np.bool_]) -> Measure:
    """Look at one number a run, its standardised mean: even if each run holds the same place in all examples."""
    width = shape.gap_width(len(pair.U))
    known = pair.U[:, smooth]
    means = ((known - np.median(known, axis=0)) / pair.u_spread[smooth]).mean(axis=1)
    found = float(shape.gap_ratio(np.sort(means)[None, :], width)[0])
    threshold = shape.gap_ratio_limit(len(pair.U), width, LEVEL / 2)
    return Measure(TOO_EVEN, found, threshold, found > threshold)


def _too_close(pair: _Pair) -> Measure:
    """Compare the distance between the groups with that of random halves of both."""
    found = closeness(pair.U, pair.R, LEVEL)
    return Measure(TOO_CLOSE, found.distance, found.lowest, found.distance < found.lowest)


def _too_alike(pair: _Pair) -> Measure | str:
    varied = pair.r_spread > 0
    if not varied.any():
        return _NO_EXAMPLE
    value = float(np.median(pair.u_spread[varied] / pair.r_spread[varied]))
    return Measure(TOO_ALIKE, value, _ALIKE, value < _ALIKE)


_JUDGES: dict[str, Callable[[_Pair], Measure | str]] = {
    TIES: _ties,
    CLIPPED: _clipped,
    TOO_ALIKE: _too_alike,
    TOO_EVEN: _too_even,
    TOO_CLOSE: _too_close,
}


def _same_as_original(pair: _Pair, original: Values) -> Measure | str:
    known = np.isfinite(original)
    if not known.any():
        return "the original model's outputs are not finite"
    near = np.abs(pair.U[:, known] - original[known]) <= _SAME * pair.r_spread[known]
    share = float((near.mean(axis=1) >= _SAME_EXAMPLES).mean())
    return Measure(SAME_AS_ORIGINAL, share, _SAME_RUNS, share > _SAME_RUNS)


def _margin(first: float, second: float, freedom: int, level: float = LEVEL) -> float:
    """Return how far apart two means with these standard errors may lie by chance, on one side."""
    return float(stats.t.ppf(1 - level, freedom) * np.hypot(first, second))


def _occurs_in(values: Values, others: Values) -> NDArray[np.bool_]:
    """Say which entries of sorted samples [S, N] are found, exactly, in the other sorted sample of their example."""
    rows = zip(values, others, strict=True)
    places = np.array([np.searchsorted(other, own) for own, other in rows])
    nearest = np.take_along_axis(others, np.minimum(places, others.shape[1] - 1), axis=1)
    found: NDArray[np.bool_] = nearest == values
    return found


def _original(values: object | None, n_examples: int) -> Values | None:
    if values is None:
        return None
    original = checks.floats("original", values, 1)
    if original.size != n_examples:
        raise GradeError(f"original holds {original.size} examples; it must hold {n_examples}, as U does")
    return original.astype(np.float64)


def _flag(measure: Measure) -> Flag:
    message = MESSAGES[measure.code].format(value=measure.value, threshold=measure.threshold)
    return Flag(measure.code, measure.value, measure.threshold, message)
