"""`lethe score FILE --compare OTHER`: whether two submissions can be told apart."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.errors import CliError
from cli.progress import busy
from cli.score.arrays import Inputs, bad_input

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from grader.draws import Draws
    from grader.types import ModelOutputs

ROUNDING = 0.01
"""Log-odds that differ by less may be of the same models, computed in another way."""
ONLY = "only submissions against the same retrained models can be compared"


def compare(file: Path, inputs: Inputs, other: Path, against: Inputs, *, as_json: bool) -> None:
    """Print how two submissions differ. Raises CliError if they cannot be compared."""
    _same_reference(file, inputs, other, against)
    from cli.score import tables
    from grader import comparison
    from grader.checks import GradeError
    from grader.report import plain

    try:
        with busy("Grading both"):
            first, second = _drawn(file, inputs), _drawn(other, against)
            found = comparison.compare(first, second)
    except GradeError as error:
        raise bad_input(str(error)) from None
    if as_json:
        click.echo(json.dumps({"first": str(file), "second": str(other), **plain(found)}))
    else:
        tables.show_comparison(str(file), str(other), found)


def _same_reference(file: Path, inputs: Inputs, other: Path, against: Inputs) -> None:
    """Refuse two submissions that were not graded against the same retrained models."""
    if (inputs.second is None) != (against.second is None):
        raise _lacks("R2", *((file, other) if against.second is None else (other, file)))
    for name, ours, theirs in (("R", inputs.R, against.R), ("R2", inputs.second, against.second)):
        if ours is not None and theirs is not None:
            _same_models(name, file, ours, other, theirs)


def _same_models(group: str, file: Path, ours: "ModelOutputs", other: Path, theirs: "ModelOutputs") -> None:
    for suffix in ("confidence", "retain_accuracy", "test_accuracy"):
        first, second = getattr(ours, suffix), getattr(theirs, suffix)
        name = group if suffix == "confidence" else f"{group}_{suffix}"
        if (first is None) != (second is None):
            raise _lacks(name, *((file, other) if second is None else (other, file)))
        if first is None:
            continue
        if first.shape != second.shape:
            raise bad_input(f"{name} is {first.shape} in {file} and {second.shape} in {other}; {ONLY}")
        apart = _apart(first, second)
        if apart > 0:
            near = suffix == "confidence" and apart < ROUNDING
            advice = f". If these are the same models, give both files the same array {name}" if near else ""
            raise bad_input(f"{name} differs by up to {apart:.2g} between {file} and {other}; {ONLY}{advice}")


def _lacks(name: str, holder: Path, lacking: Path) -> CliError:
    return bad_input(
        f"{holder} holds {name} and {lacking} does not; leave {name} out of both, or give both the same"
    )


def _apart(first: "NDArray[Any]", second: "NDArray[Any]") -> float:
    """Return the largest difference of two arrays of one shape; infinite if only one holds NaN in a place."""
    import numpy as np

    same = (first == second) | (np.isnan(first) & np.isnan(second))
    with np.errstate(invalid="ignore"):
        gaps = np.where(same, 0.0, np.abs(np.subtract(first, second, dtype=np.float64)))
    return float(np.nan_to_num(gaps, nan=np.inf, posinf=np.inf).max())


def _drawn(path: Path, inputs: Inputs) -> "Draws":
    from grader import draws, official

    reasons = official.epsilons(inputs.U.confidence, inputs.R.confidence).reasons
    for example, reason in enumerate(reasons):
        if reason is not None:  # halves would leave it out, and compare what is left
            raise bad_input(
                f"{path} has no score to compare, since example {example} has no epsilon: {official.REASONS[reason]}"
            )
    return draws.draw(inputs.U, inputs.R, inputs.second)
