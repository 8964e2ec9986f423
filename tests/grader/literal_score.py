"""The official score read literally: every rule is tried on every model. Slow, and independent of grader/."""

import numpy as np
import torch


def epsilon(u, r):
    """Epsilon of one example from two samples [N] of one float type; NaN where no rule decides."""
    pos, neg = (r, u) if np.median(r) > np.median(u) else (u, r)
    spreads = [np.max(sample) - np.min(sample) for sample in (pos, neg)]
    with np.errstate(invalid="ignore", divide="ignore"):
        if min(spreads) / max(spreads) < 0.01:
            return 50.0
    found = np.concatenate([single_rules(pos, neg), *band_rules(pos, neg, spreads)])
    decided = found[~np.isnan(found)]
    return min(float(decided.max()), 50.0) if decided.size else float("nan")


def single_rules(pos, neg):
    pooled = np.concatenate([pos, neg])
    steps = int(np.ceil((pooled.max() - pooled.min()) * 100))
    grid = torch.linspace(float(pooled.min()), float(pooled.max()), steps).numpy()
    thresholds = grid.astype(pooled.dtype)[:, None]
    return judged(neg >= thresholds, pos >= thresholds)


def band_rules(pos, neg, spreads):
    inner, outer = (neg, pos) if spreads[0] >= spreads[1] else (pos, neg)
    width = min(spreads)
    low, high = inner.min() + width - 2.0, inner.max() + 2.0
    for right in np.linspace(low, high, int(np.ceil((high - low) * 100))):
        left = np.linspace(right - width - 2.0, right - width + 2.0, 400)[:, None]
        yield judged((left <= outer) & (outer <= right), (left <= inner) & (inner <= right))


def judged(false_alarms, hits):
    """Epsilon of each rule (row) from what it calls positive: wrongly, and rightly."""
    fpr = np.asarray(false_alarms).astype(np.float32).mean(axis=1)
    fnr = (~np.asarray(hits)).astype(np.float32).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        forward = np.log(1 - 1e-5 - fpr) - np.log(fnr)
        backward = np.log(1 - 1e-5 - fnr) - np.log(fpr)
    value = np.clip(np.fmax(forward, backward), 0, None)
    value[(fpr == 0) | (fnr == 0)] = np.nan
    value[(fpr == 0) & (fnr == 0)] = np.inf
    return value


def points(value, n_models):
    """Walk up the bins of width 0.5 until one holds epsilon."""
    worth, top = 1.0, 0.5
    while n_models > 1 and top <= np.ceil(np.log(n_models - 1)):
        if value < top:
            return worth
        worth, top = worth / 2, top + 0.5
    return 0.0
