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

_TAILS = 6  # degrees of freedom of Student's t
_SHARED = 0.15  # share of an example's variance that comes from the model's own effect


class Laws:
    """The forget set: the law of the retrained models' confidence on each of S examples."""

    def __init__(self, n_examples: int, rng: np.random.Generator) -> None:
        self.place = rng.normal(2.0, 3.0, n_examples)
        self.spread = rng.lognormal(0.0, 0.4, n_examples)

    def draw(self, n_models: int, kind: str, rng: np.random.Generator) -> Samples:
        """Return confidences [N, S] of unlearned models of one of KINDS; "identical" is retraining itself."""
        uniform = self._stratified(n_models, rng) if kind.startswith("stratified") else None
        values = self._standard(n_models, uniform, rng)
        if kind == "shifted":
            values = values + 0.5
        elif kind == "narrowed":
            values = values * 0.7
        confidence = self.place + self.spread * values
        if kind.endswith("%"):
            tail = float(kind.split()[1]) / 100
            low, high = np.quantile(confidence, [tail, 1 - tail], axis=0)
            confidence = np.clip(confidence, low, high)
        return confidence

    def _standard(self, n_models: int, uniform: Samples | None, rng: np.random.Generator) -> Samples:
        size = (n_models, self.place.size)
        own = rng.standard_t(_TAILS, size) if uniform is None else stats.t.ppf(uniform, _TAILS)
        if uniform is not None:
            return own
        shared = rng.standard_t(_TAILS, (n_models, 1))
        return np.sqrt(1 - _SHARED) * own + np.sqrt(_SHARED) * shared

    def _stratified(self, n_models: int, rng: np.random.Generator) -> Samples:
        """Return coordinated runs: each example's N values lie one in each Nth of its law."""
        size = (n_models, self.place.size)
        strata = rng.permuted(np.tile(np.arange(n_models)[:, None], (1, size[1])), axis=0)
        return (strata + rng.uniform(size=size)) / n_models
