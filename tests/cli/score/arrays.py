"""Arrays for `lethe score`, and how its tests call it."""

import numpy as np
from click.testing import CliRunner

from cli.score.command import score

N, S, C = 12, 3, 4
LABELS = np.array([0, 1, 3])
ACCURACIES = {
    f"{group}_{part}_accuracy": np.full(N, level)
    for group, level in (("U", 0.8), ("R", 0.9), ("R2", 0.9))
    for part in ("retain", "test", "forget")
}


def logits(seed, shift=0.0):
    values = np.random.default_rng(seed).normal(size=(N, S, C)).astype(np.float32)
    values[:, np.arange(S), LABELS] += shift
    return values


FULL = {
    "U_logits": logits(0, 1.0),
    "R_logits": logits(1),
    "R2_logits": logits(2),
    "original_logits": logits(3)[0],
    "labels": LABELS,
    "seconds": np.linspace(1.0, 2.0, N),
    "cutoff": 4.0,
    **ACCURACIES,
}


def run(*arguments):
    result = CliRunner().invoke(score, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def refused(result, words):
    """One line on stderr that holds the words, exit code 2, no traceback."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert words in result.stderr


def lines(result):
    """What was printed, with wrapped lines joined."""
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())
