"""Simulated outputs of retrained and unlearned models, for measuring what the grader says about known cases.

Each example has a law of its own (place, spread, heavy tails); models differ from each other by an effect that all
their examples share, as networks do.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Samples = NDArray[np.float64]

KINDS = (
    "identical",
    "shifted",
    "narrowed",
    "winsorised 5 %",
    "winsorised 10 %",
    "stratified",
    "stratified 5 %",
)
"""How unlearned models can differ from retrained ones."""

DISGUISED = (
    "winsorised 5 %, jittered",
    "squashed",
    "stratified, jittered",
    "one quantile a run",
    "one quantile a run, jittered",
    "in fours",
    "stratified, jittered more",
    "one quantile a run, jittered more",
)
"""The same with more care: noise afterwards, smooth limits, coordination by run or by groups of four."""

_TAILS = 6  # degrees of freedom of Student's t
_SHARED = 0.15  # share of an example's variance that comes from the model's own effect
_JITTER = {"jittered": 0.1, "jittered more": 0.4}  # of an example's spread
_SQUASHED_AT = 3.0
_COARSE_STEP, _COARSE_TOP = 0.25, 4.0


class Laws:
    """The forget set: the law of the retrained models' confidence on each of S examples.

    Coarse laws know only steps of a quarter and end at a common top, as saturated outputs of low precision do.
    """

    def __init__(self, n_examples: int, rng: np.random.Generator, *, coarse: bool = False) -> None:
        self.place = rng.normal(2.0, 3.0, n_examples)
        self.spread = rng.lognormal(0.0, 0.4, n_examples)
        self.coarse = coarse

    def draw(self, n_models: int, kind: str, rng: np.random.Generator) -> Samples:
        """Return confidences [N, S] of unlearned models of one of KINDS or DISGUISED.

        "identical" is retraining itself.
        """
        method, _, jitter = kind.partition(", ")
        values = self._standard(n_models, self._coordinated(n_models, method, rng), rng)
        if method == "shifted":
            values = values + 0.5
        elif method == "narrowed":
            values = values * 0.7
        elif method == "squashed":
            values = _SQUASHED_AT * np.tanh(values / _SQUASHED_AT)
        confidence = self.place + self.spread * values
        if method.endswith("%"):
            tail = float(method.split()[1]) / 100
            low, high = np.quantile(confidence, [tail, 1 - tail], axis=0)
            confidence = np.clip(confidence, low, high)
        if jitter:
            confidence = confidence + _JITTER[jitter] * self.spread * rng.normal(size=confidence.shape)
        return self._rounded(confidence) if self.coarse else confidence

    def _rounded(self, confidence: Samples) -> Samples:
        return np.minimum(np.round(confidence / _COARSE_STEP) * _COARSE_STEP, _COARSE_TOP)

    def _standard(self, n_models: int, uniform: Samples | None, rng: np.random.Generator) -> Samples:
        size = (n_models, self.place.size)
        own = rng.standard_t(_TAILS, size) if uniform is None else stats.t.ppf(uniform, _TAILS)
        if uniform is not None:
            return own
        shared = rng.standard_t(_TAILS, (n_models, 1))
        return np.sqrt(1 - _SHARED) * own + np.sqrt(_SHARED) * shared

    def _coordinated(self, n_models: int, method: str, rng: np.random.Generator) -> Samples | None:
        """Return which quantile of its law each run takes in each example, [N, S]; None if runs are independent.

        Each Nth of the law gets one run, or each (N/4)th four; it is another one in each example, or the same in all.
        """
        size = (n_models, self.place.size)
        runs = np.tile(np.arange(n_models)[:, None], (1, size[1]))
        if method == "one quantile a run":
            return (runs + rng.uniform(size=size)) / n_models
        if method == "in fours":
            return (rng.permuted(runs // 4, axis=0) + rng.uniform(size=size)) / -(-n_models // 4)
        if method.startswith("stratified"):
            return (rng.permuted(runs, axis=0) + rng.uniform(size=size)) / n_models
        return None
