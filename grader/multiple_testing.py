"""Many tests at once: which p values still count as evidence."""

import numpy as np
from scipy.stats import false_discovery_control

from grader import checks
from grader.checks import GradeError

LEVEL = 0.05


def rejected(p: object, level: float = LEVEL) -> float:
    """Return the share of the p values [S] that Benjamini and Hochberg's procedure rejects at `level`.

    It keeps the expected share of false rejections among all rejections at or below `level` (Benjamini &
    Hochberg 1995, J. R. Stat. Soc. B 57) if the tests are independent or positively dependent (Benjamini &
    Yekutieli 2001, Ann. Stat. 29). Examples share their models, so their tests are dependent: where nothing
    is to be found, most runs reject no example, and a rare run rejects many together. Raises GradeError for p
    outside [0, 1].

    >>> rejected(np.array([0.001, 0.02, 0.03, 0.9]))
    0.75
    """
    values = checks.floats("p", p, 1).astype(np.float64)
    wrong = values[~((values >= 0) & (values <= 1))]  # NaN fails both
    if wrong.size:
        raise GradeError(f"p must lie between 0 and 1; it holds {wrong[0]:g}")
    if not 0 < level < 1:
        raise GradeError(f"level is {level}; it must lie between 0 and 1")
    return float((false_discovery_control(values, method="bh") <= level).mean())
