"""`lethe score`: the grader's whole report on any arrays, so that anyone can check it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.errors import reported, usage_error
from cli.exit_codes import ExitCode
from cli.options import examples
from cli.progress import busy
from cli.score.arrays import Inputs, bad_input, of_archive, of_pair
from cli.score.compare import compare

if TYPE_CHECKING:
    from grader.report import Report

_file = click.Path(path_type=Path)


@examples("lethe score both.npz", "lethe score first.npz --compare second.npz")
@click.command()
@click.argument("file", type=_file, required=False)
@click.option(
    "--unlearned", type=_file, help="A .npy file: confidences [N models, S examples] of the unlearned models."
)
@click.option("--retrained", type=_file, help="A .npy file: the same for the retrained models.")
@click.option(
    "--compare",
    "other",
    type=_file,
    metavar="OTHER",
    help="A .npz file: another submission, same R. Compare them.",
)
@click.option("--examples", is_flag=True, help="Print a row for each example too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@reported
def score(
    file: Path | None,
    unlearned: Path | None,
    retrained: Path | None,
    other: Path | None,
    *,
    examples: bool,
    as_json: bool,
) -> None:
    """Grade arrays of confidences or logits, and print the full report.

    Give one FILE.npz, or --unlearned and --retrained. FILE.npz holds U and R, the log-odds of the true class of
    unlearned and retrained models, float32 or float64, [N models, S examples]; or U_logits and R_logits [N, S, C]
    with labels [S]. It may hold more, which fills more of the report: U_retain_accuracy, U_test_accuracy,
    U_forget_accuracy and the same of R, [N]; R2 or R2_logits, N more retrained models, with their accuracies;
    original [S] or original_logits [S, C], of the model before unlearning; seconds [N] and cutoff, of the runs.
    Exit codes: 1, an example has no epsilon, so there is no score; 2, a file cannot be graded.
    """
    inputs = _inputs(file, unlearned, retrained)
    if other is not None:
        if examples:
            raise usage_error("Choose one of --compare and --examples.", "bad_option")
        if file is None:
            raise bad_input(
                "--compare takes two .npz files: give FILE.npz instead of --unlearned and --retrained"
            )
        compare(file, inputs, other, of_archive(other), as_json=as_json)
        return
    report = _graded(inputs)
    if as_json:
        click.echo(json.dumps(report.to_dict()))
    else:
        from cli.score import tables

        tables.show(report, examples=examples)
    _fail_without_score(report)


def _fail_without_score(report: "Report") -> None:
    """Exit with 1, and say which example has no epsilon and why, so that a script does not take it for graded."""
    from grader.official import NOT_FINITE, REASONS

    without = [(number, reason) for number, reason in enumerate(report.official.reasons) if reason]
    if not without:
        return
    number, reason = without[0]
    found = report.missing.get("distribution") if reason == NOT_FINITE else None
    click.echo(
        f"There is no score: {len(without)} of {report.n_examples} examples have no epsilon: "
        f"{found or f'example {number}: {REASONS[reason]}'}.",
        err=True,
    )
    raise SystemExit(ExitCode.FAILED)


def _inputs(file: Path | None, unlearned: Path | None, retrained: Path | None) -> Inputs:
    if file and not (unlearned or retrained):
        return of_archive(file)
    if unlearned and retrained and not file:
        return of_pair(unlearned, retrained)
    raise bad_input(
        "give either one FILE.npz that holds U and R, or both --unlearned U.npy and --retrained R.npy"
    )


def _graded(inputs: Inputs) -> "Report":
    from grader import report
    from grader.checks import GradeError

    try:
        with busy("Grading"):
            return report.grade(
                inputs.U,
                inputs.R,
                second=inputs.second,
                original=inputs.original,
                seconds=inputs.seconds,
                cutoff=inputs.cutoff,
            )
    except GradeError as error:
        raise bad_input(str(error)) from None
