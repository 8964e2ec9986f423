"""What a submission's plots are drawn from, as it is stored, and how coarsely participants see it. Pure.

The forget set of a hidden split is not the participants' to know, and whoever submits often reads every answer. So a
participant sees shares of examples in steps that five examples or more make up, at fixed places, and never an example:

- a histogram of b bars in steps of 5 % is one of at most C(19 + b, 20): 23 bits with 10 bars (N = 32), 32 with 16;
- a curve of 6 points that never falls, in the same steps, is one of C(26, 6): 18 bits.

The numbers of a score and of what stands behind it say about 200 bits at four decimals, and the seconds of its runs more.
Plots depend on no test image. Still, an organiser may turn them off: [publish] plots in competition.toml.
"""

from pydantic import BaseModel, ConfigDict

from app.competitions import Publish

LEAST_STEP = 0.05
LEAST_EXAMPLES = 5
"""Fewer examples never make a difference that is shown."""
WIDEST_STEP = 0.25
RATES = (0.001, 0.01, 0.05, 0.1, 0.2, 0.5)
"""The rates of false alarms at which participants see the curve."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True)


class Epsilon(_Stored):
    """Counts of examples between the edges, from the last edge on, and at the cap: one more than there are edges."""

    edges: list[float]
    unlearned: list[int]
    retrained: list[int] | None


class Roc(_Stored):
    """Shares of unlearned models found at rates of false alarms, over all examples."""

    false_positive_rate: list[float]
    true_positive_rate: list[float]


class Telling(_Stored):
    """The examples that give unlearning away, worst first: quantiles of confidences at 5, 25, 50, 75 and 95 %."""

    example: list[int]
    epsilon: list[float]
    unlearned: list[list[float]]
    retrained: list[list[float]]


class Plots(_Stored):
    """All of it. What could not be made is None."""

    models: int
    examples: int
    epsilon: Epsilon
    roc: Roc | None
    telling: Telling | None


def step_of(examples: int, publish: Publish) -> float | None:
    """Return the step of shares that participants see; None where so few examples show nothing in steps.

    >>> step_of(400, Publish()), step_of(400, Publish(score_decimals=1)), step_of(50, Publish()), step_of(12, Publish())
    (0.05, 0.1, 0.1, None)
    """
    step = max(LEAST_STEP, 10.0**-publish.score_decimals, LEAST_EXAMPLES / max(examples, 1))
    return step if step <= WIDEST_STEP else None


def in_steps(value: float, step: float) -> float:
    """Return a share to its nearest step, 1 at most.

    >>> in_steps(0.97, 0.3), in_steps(0.13, 0.05)
    (0.9, 0.15)
    """
    return min(1.0, round(round(value / step) * step, 4))


def shares(counts: list[int], examples: int, step: float | None) -> list[float]:
    """Return counts as shares of the examples, in steps if there is one."""
    exact = [count / examples for count in counts]
    return exact if step is None else [in_steps(one, step) for one in exact]


def points_of(edges: list[float]) -> list[float]:
    """Return the points that an example in each bar earns.

    >>> points_of([0.0, 0.5, 1.0])
    [1.0, 0.5, 0.0, 0.0]
    """
    return [2.0 ** -round(2 * low) for low in edges[:-1]] + [0.0, 0.0]


def curve(roc: Roc, step: float | None) -> list[tuple[float, float]]:
    """Return (false alarms, found): all points, or with a step those at RATES in steps."""
    pairs = list(zip(roc.false_positive_rate, roc.true_positive_rate, strict=True))
    if step is None:
        return pairs
    return [(rate, in_steps(found, step)) for rate, found in pairs if rate in RATES]
