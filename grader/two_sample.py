"""Distances between two samples of one number, example by example.

Each function takes finite confidences `U` and `R`, float64 [N, S] (models, examples), leaves them as they
are, and returns one number for each example, float64 [S].
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Samples = NDArray[np.float64]
Distances = NDArray[np.float64]

_ROWS = 512  # rows of a kernel matrix held at once
_BISECTIONS = 60


def kolmogorov_smirnov(U: Samples, R: Samples) -> tuple[Distances, Distances]:
    """Return the largest gap between the two distribution functions, in [0, 1], and its two-sided p value.

    p is exact for samples without ties, and too large (safe) with ties. Source: Hodges 1958, Ark. Mat. 3.

    >>> kolmogorov_smirnov(np.array([[0.0], [1.0]]), np.array([[2.0], [3.0]]))[0]
    array([1.])
    """
    with warnings.catch_warnings():
        # Where p is 1, rounding may lift it above 1; scipy then warns and approximates it.
        warnings.filterwarnings("ignore", "ks_2samp: Exact calculation unsuccessful", RuntimeWarning)
        found = stats.ks_2samp(U, R, axis=0)
    return np.asarray(found.statistic), np.asarray(found.pvalue)


def wasserstein(U: Samples, R: Samples) -> Distances:
    """Return the Wasserstein-1 distance: the mean way, in units of confidence, from one sample to the other.

    >>> wasserstein(np.array([[0.0], [1.0]]), np.array([[3.0], [2.0]]))
    array([2.])
    """
    return np.array([stats.wasserstein_distance(u, r) for u, r in zip(U.T, R.T, strict=True)])


def energy(U: Samples, R: Samples) -> Distances:
    """Return the energy distance sqrt(2 E|u-r| - E|u-u'| - E|r-r'|), in the root of units of confidence.

    The means run over all pairs, each member with itself included: above 0 on average for equal laws.
    Source: Szekely & Rizzo 2013, J. Stat. Plan. Inference 143.

    >>> energy(np.array([[0.0], [0.0]]), np.array([[2.0], [2.0]]))
    array([2.])
    """
    return np.array([stats.energy_distance(u, r) for u, r in zip(U.T, R.T, strict=True)])


def mmd(U: Samples, R: Samples) -> Distances:
    """Return the unbiased estimate of the squared maximum mean discrepancy with a Gaussian kernel.

    E k(u,u') + E k(r,r') - 2 E k(u,r), no member paired with itself, k = exp(-(difference / width)^2 / 2) and
    the width the median distance between two members of the pooled sample. No unit; 0 on average for equal
    laws, so often below 0; NaN for N = 1. Source: Gretton et al. 2012, J. Mach. Learn. Res. 13.

    >>> U, R = np.array([[0.0], [1.0]]), np.array([[50.0], [51.0]])
    >>> mmd(U, R).round(2)
    array([0.81])
    """
    return np.array([_mmd(u, r) for u, r in zip(U.T, R.T, strict=True)])


def jensen_shannon(U: Samples, R: Samples) -> Distances:
    """Return the Jensen-Shannon divergence of two histograms in bits: 0 for equal, 1 for disjoint ones.

    The bins (see `bins`) hold equal numbers of the pooled sample, but for ties, which share a bin. The
    estimate is too large on average: see `jensen_shannon_bias`. Source: Lin 1991, IEEE Trans. Inf. Theory 37.

    >>> jensen_shannon(np.array([[0.0], [1.0]]), np.array([[2.0], [3.0]]))
    array([1.])
    """
    return np.array([_jensen_shannon(u, r) for u, r in zip(U.T, R.T, strict=True)])


def bins(n_models: int) -> int:
    """Return the number of bins for two samples of N: the even number nearest to 2 (2N)^(1/3), Rice's rule.

    An even number, so that an edge parts the pooled sample in the middle, and disjoint samples with it.

    >>> bins(32), bins(512)
    (8, 20)
    """
    return 2 * max(1, round(float(np.cbrt(2 * n_models))))


def jensen_shannon_bias(n_models: int) -> float:
    """Return what `jensen_shannon` gives on average for equal laws without ties, in bits.

    Exact: the unlearned members of a bin are then as many as in a draw of N from the pooled sample without
    replacement. For large N it is about (bins - 1) / (4 N ln 2).

    >>> round(jensen_shannon_bias(512), 4), round(jensen_shannon_bias(8), 4)
    (0.0135, 0.3157)
    """
    sizes = np.diff(_edges(n_models), prepend=0, append=2 * n_models)[:, None]
    unlearned = np.arange(sizes.max() + 1)
    chance = stats.hypergeom.pmf(unlearned, 2 * n_models, sizes, n_models)
    retrained = np.maximum(sizes - unlearned, 0)
    return float((chance * _divergence(unlearned / n_models, retrained / n_models)).sum())


def _mmd(u: Samples, r: Samples) -> float:
    n = u.size
    if n < 2:
        return float("nan")
    width = _width(np.sort(np.concatenate([u, r])))
    within = sum(_kernel_sum(one, one, width) - n for one in (u, r)) / (n * (n - 1))
    return within - 2 * _kernel_sum(u, r, width) / n**2


def _kernel_sum(a: Samples, b: Samples, width: float) -> float:
    """Return the sum of the kernel over all pairs, a few rows at a time."""
    total = 0.0
    for start in range(0, a.size, _ROWS):
        square = np.subtract.outer(a[start : start + _ROWS], b)
        with np.errstate(over="ignore"):  # the kernel of a distance beyond all bounds is 0
            square /= width
            np.square(square, out=square)
        square *= -0.5
        total += float(np.exp(square, out=square).sum())
    return total


def _width(ordered: Samples) -> float:
    """Return the median distance between two members of a sorted sample, or another spread where that is 0.

    The distances are many, so the median is found by halving its range and counting the pairs within.
    """
    pairs = ordered.size * (ordered.size - 1) / 2
    low, high = 0.0, float(ordered[-1] - ordered[0])
    if _pairs_within(ordered, 0.0) >= pairs / 2:
        return float(np.sqrt(2) * ordered.std()) or 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _pairs_within(ordered, middle) >= pairs / 2:
            high = middle
        else:
            low = middle
    return high


def _pairs_within(ordered: Samples, distance: float) -> int:
    """Count the pairs of a sorted sample at most `distance` apart."""
    reach = np.searchsorted(ordered, ordered + distance, side="right")
    n: int = ordered.size
    return int(reach.sum()) - n * (n + 1) // 2


def _jensen_shannon(u: Samples, r: Samples) -> float:
    edges = np.sort(np.concatenate([u, r]))[_edges(u.size)]
    return float(_divergence(_shares(u, edges), _shares(r, edges)).sum())


def _edges(n_models: int) -> NDArray[np.intp]:
    """Return the places of the bins' lower ends in the sorted pooled sample; the first bin has none."""
    count = bins(n_models)
    return np.arange(1, count) * 2 * n_models // count


def _divergence(p: Samples, q: Samples) -> Samples:
    """Return what each bin adds to the Jensen-Shannon divergence, in bits."""
    mean = (p + q) / 2
    terms = special.rel_entr(p, mean) + special.rel_entr(q, mean)
    bits: Samples = terms / (2 * np.log(2))
    return bits


def _shares(sample: Samples, edges: Samples) -> Samples:
    """Return the share of a sample in each bin; a value at an edge belongs to the bin above."""
    place = np.searchsorted(edges, sample, side="right")
    return np.bincount(place, minlength=edges.size + 1) / sample.size
