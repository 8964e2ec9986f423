"""`lethe score`: the official score of any two arrays of confidences, so that anyone can check the grader."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.errors import CliError, reported, usage_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

_file = click.Path(path_type=Path)


def _bad(message: str) -> CliError:
    return usage_error(message, "bad_input")


@click.command()
@click.argument("file", type=_file, required=False)
@click.option(
    "--unlearned", type=_file, help="A .npy file: confidences [N models, S examples] of the unlearned models."
)
@click.option("--retrained", type=_file, help="A .npy file: the same for the retrained models.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@reported
def score(file: Path | None, unlearned: Path | None, retrained: Path | None, *, as_json: bool) -> None:
    """Score two arrays of confidences: epsilon and points of each example, and forgetting quality F.

    Give one FILE.npz with the arrays U and R, or --unlearned and --retrained. Confidences are log-odds of
    the true class, float32 or float64, [N models, S examples]. Exit code 2: a file cannot be scored.
    """
    U, R = _arrays(file, unlearned, retrained)
    result = _scored(U, R)
    if as_json:
        click.echo(json.dumps(result))
    else:
        _show(result)


def _arrays(
    file: Path | None, unlearned: Path | None, retrained: Path | None
) -> tuple["NDArray[Any]", "NDArray[Any]"]:
    if file and not (unlearned or retrained):
        return _read(file, "U"), _read(file, "R")
    if unlearned and retrained and not file:
        return _read(unlearned), _read(retrained)
    raise _bad("give either one FILE.npz that holds U and R, or both --unlearned U.npy and --retrained R.npy")


def _read(path: Path, name: str | None = None) -> "NDArray[Any]":
    """Read a .npy file, or the array `name` of a .npz file; nothing in either is ever executed."""
    wanted = "a .npy file" if name is None else "a .npz file"
    try:
        return _load(path, wanted, name)
    except CliError:
        raise
    except FileNotFoundError:
        raise _bad(f"{path} does not exist") from None
    except Exception as error:  # noqa: BLE001  numpy's reader lets many kinds of error out on damaged bytes
        raise _bad(f"{path} cannot be read as {wanted} of plain numbers ({type(error).__name__})") from None


def _load(path: Path, wanted: str, name: str | None) -> "NDArray[Any]":
    import numpy as np  # other commands should start without it

    loaded = np.load(path, allow_pickle=False)
    if isinstance(loaded, np.lib.npyio.NpzFile) == (name is None):
        raise _bad(f"{path} is not {wanted}")
    if name is None:
        return np.asarray(loaded)
    with loaded:
        if name not in loaded:
            raise _bad(f"{path} holds no array named {name}")
        return np.asarray(loaded[name])


def _scored(U: "NDArray[Any]", R: "NDArray[Any]") -> dict[str, Any]:
    from grader import VERSION, official  # imports torch
    from grader.checks import GradeError

    try:
        found = official.epsilons(U, R)
    except GradeError as error:
        raise _bad(str(error)) from None
    awarded = official.points(found.epsilon, len(U))
    return {
        "n_models": len(U),
        "n_examples": U.shape[1],
        "epsilon": [_plain(value) for value in found.epsilon.tolist()],
        "points": [_plain(value) for value in awarded.tolist()],
        "reasons": list(found.reasons),
        "forgetting_quality": _plain(official.forgetting_quality(awarded)),
        "grader_version": VERSION,
    }


def _plain(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124  NaN is the only number unequal to itself


def _show(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from grader.official import REASONS

    rows = list(zip(result["epsilon"], result["points"], result["reasons"], strict=True))
    unscored = any(reason for *_, reason in rows)
    table = Table("example", "epsilon", "points", *(["why not"] if unscored else []))
    for number, (epsilon, points, reason) in enumerate(rows):
        if reason is None:
            table.add_row(str(number), f"{epsilon:.4f}", f"{points:.6f}")
        else:
            table.add_row(str(number), "-", "-", f"{reason}: {REASONS[reason]}")
    console = Console(highlight=False)
    console.print(table)
    quality = result["forgetting_quality"]
    shown = "none, since an example cannot be scored" if quality is None else f"{quality:.6f}"
    console.print(f"Forgetting quality F: {shown}")
    console.print(f"N = {result['n_models']} models, S = {result['n_examples']} examples")
