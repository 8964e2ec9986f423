"""What `lethe score` reads: arrays of plain numbers from .npz or .npy files. Nothing in them is ever executed."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.errors import CliError, usage_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from grader.types import ModelOutputs

Arrays = Mapping[str, "NDArray[Any]"]

GROUPS = ("U", "R", "R2")
ACCURACIES = tuple(f"{part}_accuracy" for part in ("retain", "test", "forget"))
OF_GROUP = ("", "_logits", *(f"_{name}" for name in ACCURACIES))
OTHERS = ("labels", "original", "original_logits", "seconds", "cutoff")
NAMED = 5
"""How many unknown names a message lists."""
KNOWN = (*(f"{group}{suffix}" for group in GROUPS for suffix in OF_GROUP), *OTHERS)


@dataclass(frozen=True)
class Inputs:
    """Everything a report can be made of; what is None is not known."""

    U: "ModelOutputs"
    R: "ModelOutputs"
    second: "ModelOutputs | None" = None
    original: "NDArray[Any] | None" = None
    seconds: "NDArray[Any] | None" = None
    cutoff: float | None = None


def bad_input(message: str) -> CliError:
    """Return the error of an input that cannot be used; one line that names it."""
    return usage_error(message, "bad_input")


def of_archive(path: Path) -> Inputs:
    """Read a .npz file. Raises CliError naming what is missing, unknown or not right."""
    arrays = _archive(path)
    for group in ("U", "R"):
        if group not in arrays and f"{group}_logits" not in arrays:
            raise bad_input(f"{path} holds no array named {group}, nor {group}_logits")
    wants_second = any(name.startswith("R2") for name in arrays)
    inputs = Inputs(
        U=_group(path, arrays, "U"),
        R=_group(path, arrays, "R"),
        second=_group(path, arrays, "R2") if wants_second else None,
        original=_confidence(path, arrays, "original"),
        seconds=arrays.get("seconds"),
        cutoff=_cutoff(arrays),
    )
    _check_pair(inputs)
    _check_extras(inputs)
    return inputs


def of_pair(unlearned: Path, retrained: Path) -> Inputs:
    """Read two .npy files of confidences. Raises CliError."""
    arrays = {"U": _array(unlearned), "R": _array(retrained)}
    inputs = Inputs(_group(unlearned, arrays, "U"), _group(retrained, arrays, "R"))
    _check_pair(inputs)
    return inputs


def _group(path: Path, arrays: Arrays, group: str) -> "ModelOutputs":
    """Return one group of models from its arrays."""
    from grader.checks import GradeError
    from grader.types import ModelOutputs

    confidence = _confidence(path, arrays, group)
    if confidence is None:
        raise bad_input(f"{path} holds no array named {group}, nor {group}_logits")
    known = {name: arrays.get(f"{group}_{name}") for name in ACCURACIES}
    try:
        outputs = ModelOutputs(confidence, **known, logits=arrays.get(f"{group}_logits"))
    except GradeError as error:
        raise _named(group, error) from None
    for name in ACCURACIES:
        accuracy = getattr(outputs, name)
        if accuracy is not None and accuracy.max() > 1:
            # A ratio of percentages to shares would be a score a hundred times too high or too low.
            raise bad_input(f"{group}_{name} reaches {accuracy.max():g}; it must hold shares between 0 and 1")
    return outputs


def _confidence(path: Path, arrays: Arrays, name: str) -> "NDArray[Any] | None":
    """Return confidences as given, or computed from logits and labels."""
    from grader.checks import GradeError, floats
    from grader.confidence import confidence

    logits = arrays.get(f"{name}_logits")
    if logits is None or name in arrays:
        if logits is not None:
            raise bad_input(f"{path} holds both {name} and {name}_logits: give one of them")
        return arrays.get(name)
    if "labels" not in arrays:
        raise bad_input(f"{path} holds {name}_logits but no labels, the true class of each example")
    try:
        floats(f"{name}_logits", logits, 2 if name == "original" else 3)
        return confidence(logits, arrays["labels"])
    except GradeError as error:
        raise _named(name, error) from None


def _named(group: str, error: Exception) -> CliError:
    """Name the array as it is named in the file: the grader speaks of `confidence`, `logits` and accuracies."""
    first, _, rest = str(error).partition(" ")
    if first == "confidence":
        return bad_input(f"{group} {rest}")
    if f"{group}_{first}" in KNOWN:
        return bad_input(f"{group}_{first} {rest}")
    return bad_input(
        f"{first} {rest}" if first in KNOWN and first != "labels" else f"{group}: {first} {rest}"
    )


def _check_pair(inputs: Inputs) -> None:
    """Refuse groups that cannot be compared, before seconds go into loading what compares them."""
    from grader import checks

    try:
        checks.confidence_pair(inputs.U.confidence, inputs.R.confidence)
    except checks.GradeError as error:
        raise bad_input(str(error)) from None
    ours, theirs = inputs.U.logits, inputs.R.logits
    if ours is not None and theirs is not None and ours.shape != theirs.shape:
        raise bad_input(
            f"U_logits is {ours.shape} and R_logits is {theirs.shape}; they must have as many classes"
        )


def _check_extras(inputs: Inputs) -> None:
    """Refuse what only a part of the report needs before the long work on the rest."""
    import numpy as np

    from grader import checks, timing
    from grader.checks import GradeError

    models, examples = inputs.R.n_models, inputs.R.n_examples
    second = inputs.second
    if second is not None and second.confidence.shape != (models, examples):
        raise bad_input(
            f"R2 holds {second.n_models} models of {second.n_examples} examples; "
            f"it must hold {models} of {examples}, as R does"
        )
    seconds = np.zeros(models) if inputs.seconds is None else inputs.seconds
    try:
        timing.timing(seconds, 1.0 if inputs.cutoff is None else inputs.cutoff, models)
        original = None if inputs.original is None else checks.floats("original", inputs.original, 1)
    except GradeError as error:
        raise bad_input(str(error)) from None
    if original is not None and original.size != examples:
        raise bad_input(f"original holds {original.size} examples; it must hold {examples}, as R does")


def _cutoff(arrays: Arrays) -> float | None:
    cutoff = arrays.get("cutoff")
    if cutoff is None:
        return None
    if cutoff.shape != () or cutoff.dtype.kind not in "fiu":
        raise bad_input(
            f"cutoff holds {cutoff.dtype} of shape {cutoff.shape}; it must be one number of seconds"
        )
    return float(cutoff)


def _archive(path: Path) -> dict[str, "NDArray[Any]"]:
    loaded = _loaded(path, "a .npz file")
    if not isinstance(loaded, dict):
        raise bad_input(f"{path} is not a .npz file")
    return loaded


def _array(path: Path) -> "NDArray[Any]":
    loaded = _loaded(path, "a .npy file")
    if isinstance(loaded, dict):
        raise bad_input(f"{path} is not a .npy file")
    return loaded


def _loaded(path: Path, wanted: str) -> "NDArray[Any] | dict[str, NDArray[Any]]":
    """Read one array, or all arrays of an archive by name."""
    import numpy as np  # other commands should start without it

    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            return np.asarray(loaded)
        with loaded:
            _check_names(path, loaded.files)
            members = loaded.zip.infolist() if loaded.zip else []
            _check_memory(path, sum(member.file_size for member in members))
            return {name: np.asarray(loaded[name]) for name in loaded.files}
    except FileNotFoundError:
        raise bad_input(f"{path} does not exist") from None
    except MemoryError:
        raise bad_input(f"{path} holds more than this machine has memory for") from None
    except CliError:
        raise
    except Exception as error:  # noqa: BLE001  numpy's reader lets many kinds of error out on damaged bytes
        raise bad_input(
            f"{path} cannot be read as {wanted} of plain numbers ({type(error).__name__})"
        ) from None


def _check_names(path: Path, names: Sequence[str]) -> None:
    """Refuse names that are unknown or there twice, before anything is unpacked."""
    unknown = sorted(set(names) - set(KNOWN))
    if unknown:
        more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        raise bad_input(
            f"{path} holds arrays of unknown names: {', '.join(unknown[:NAMED])}{more}; known are {', '.join(KNOWN)}"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise bad_input(f"{path} holds {', '.join(twice)} more than once; each array must be there once")


def _check_memory(path: Path, n_bytes: int) -> None:
    """Refuse a small file that unpacks to more than the machine's memory: it would be killed without a word."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if n_bytes > memory:
        raise bad_input(
            f"{path} unpacks to {n_bytes / 1e9:.1f} GB; this machine has {memory / 1e9:.1f} GB of memory"
        )
