"""What the grader refuses, each with an error that names the argument."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

MAX_MODELS = 4096  # the table of epsilons grows with the square of the number of models


class GradeError(ValueError):
    """An argument the grader cannot work with; the message names it and says what was found."""


def floats(name: str, values: object, ndim: int) -> Floats:
    """Return `values` as a float32 or float64 array of `ndim` axes, in native byte order.

    Raises GradeError for another type (integers and float16 included), another rank, or an empty axis.

    >>> floats("U", [[1, 2]], 2)
    Traceback (most recent call last):
        ...
    grader.checks.GradeError: U holds int64; it must be an array of float32 or float64
    """
    try:
        array = np.asarray(values)
    except ValueError:  # NumPy's own words are about sequences, and name nothing
        raise GradeError(f"{name} is no array: its rows differ in length") from None
    if array.dtype.kind != "f" or array.dtype.itemsize not in (4, 8):
        raise GradeError(f"{name} holds {array.dtype}; it must be an array of float32 or float64")
    if array.ndim != ndim:
        raise GradeError(f"{name} has shape {array.shape}; it must have {ndim} axes, not {array.ndim}")
    if array.size == 0:
        raise GradeError(f"{name} has shape {array.shape}; no axis may be empty")
    native: Floats = array.astype(array.dtype.newbyteorder("="), copy=False)
    return native


def same_shape(U: Floats, R: Floats) -> None:
    """Raise GradeError unless U and R, both [N, S], hold as many models and examples as each other.

    >>> same_shape(np.zeros((3, 2)), np.zeros((4, 2)))
    Traceback (most recent call last):
        ...
    grader.checks.GradeError: U and R differ in N, the number of models: U has 3 and R has 4
    """
    for axis, what in enumerate(("N, the number of models", "S, the number of examples")):
        if U.shape[axis] != R.shape[axis]:
            raise GradeError(f"U and R differ in {what}: U has {U.shape[axis]} and R has {R.shape[axis]}")


def confidence_pair(U: object, R: object) -> tuple[Floats, Floats]:
    """Return U and R as [N, S] arrays of one floating type, or raise GradeError.

    >>> confidence_pair(np.zeros((2, 1), np.float32), np.zeros((2, 1)))[0].dtype
    dtype('float64')
    """
    first, second = floats("U", U, 2), floats("R", R, 2)
    same_shape(first, second)
    if first.shape[0] > MAX_MODELS:
        raise GradeError(f"U and R hold {first.shape[0]} models; at most {MAX_MODELS} can be compared")
    dtype = np.result_type(first, second)
    return first.astype(dtype, copy=False), second.astype(dtype, copy=False)


def labels(values: object, count: int, classes: int) -> NDArray[np.intp]:
    """Return `values` as `count` class numbers below `classes`, or raise GradeError.

    >>> labels([0, 3], 2, 3)
    Traceback (most recent call last):
        ...
    grader.checks.GradeError: labels must lie between 0 and 2; found 0 to 3
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise GradeError(f"labels holds {array.dtype}; it must be an array of integers")
    if array.shape != (count,):
        raise GradeError(f"labels has shape {array.shape}; it must be ({count},), one class for each example")
    if array.min() < 0 or array.max() >= classes:
        raise GradeError(f"labels must lie between 0 and {classes - 1}; found {array.min()} to {array.max()}")
    return array.astype(np.intp, copy=False)


def finite(name: str, array: Floats) -> None:
    """Raise GradeError if an array holds NaN or an infinity, with the place of the first.

    >>> finite("U", np.array([[0.0, np.nan]]))
    Traceback (most recent call last):
        ...
    grader.checks.GradeError: U must be finite; it holds nan at (0, 1)
    """
    for first, part in enumerate(array):  # one by one, since logits can fill most of the memory
        known = np.isfinite(part)
        if not known.all():
            rest = np.unravel_index(int(np.argmin(known)), part.shape)
            where = ", ".join(map(str, (first, *rest)))
            raise GradeError(f"{name} must be finite; it holds {part[rest]} at ({where})")


def no_nan(name: str, array: Floats) -> None:
    """Raise GradeError if an array holds NaN; infinities are values like others here.

    >>> no_nan("U", np.array([np.inf, np.nan]))
    Traceback (most recent call last):
        ...
    grader.checks.GradeError: U holds NaN; it must hold numbers or infinities
    """
    if np.isnan(array).any():
        raise GradeError(f"{name} holds NaN; it must hold numbers or infinities")
