"""A report for people: the headline first, then numbers over the examples, then the panels."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

from cli.score import panels
from cli.score.words import Fact, around, facts, line, number, stdout, table, words

if TYPE_CHECKING:
    from grader.ceiling import Ceiling
    from grader.comparison import Comparison, Difference
    from grader.intervals import Interval
    from grader.report import Report

PARTS = ("retain", "test")
QUANTILES = {"lowest": 0.0, "10 %": 0.1, "median": 0.5, "90 %": 0.9, "highest": 1.0}
LOWER_BOUND = "epsilon, lower bound"
OF_DISTRIBUTION = (
    "ks",
    "ks_p",
    "wasserstein",
    "energy",
    "mmd",
    "jensen_shannon",
    "classifier_accuracy",
    "classifier_p",
)
OF_EXAMPLE = {
    "epsilon": "epsilon",
    "points": "points",
    LOWER_BOUND: "bound",
    "attack AUC": "AUC",
    words("ks_p"): "KS p",
    "wasserstein": "W1",
    words("classifier_p"): "class. p",
}
"""What a row of --examples shows, and its short heading."""


def show(report: "Report", *, examples: bool) -> None:
    """Print a report; with a row for each example if asked to."""
    console = stdout()
    facts(console, "", [*_official(report), *_calibrated(report), _sizes(report)])
    _what_scores_need(console, report)
    _flags(console, report)
    _per_example(console, report)
    panels.show(console, report)
    if examples:
        _examples(console, report)


def show_comparison(first: str, second: str, found: "Comparison") -> None:
    """Print paired differences, and in words whether the two can be told apart."""
    console = stdout()
    line(console, f"{first} less {second}")
    differences = table(["", "difference", "95 % interval", ""])
    for name, difference in (
        ("official score", found.score),
        ("forgetting quality", found.forgetting_quality),
        ("calibrated score", found.calibrated_score),
    ):
        differences.add_row(name, *_difference(difference))
    console.print(differences)


def _difference(found: "Difference | None") -> tuple[str, str, str]:
    if found is None:
        return "-", "", "not known of both"
    verdict = "separated" if found.separated else "tied: the interval holds 0"
    return f"{found.difference:+.4f}", f"{found.interval.low:+.4f} to {found.interval.high:+.4f}", verdict


def _official(report: "Report") -> list[Fact]:
    unknown = _unknown(report)
    score, quality = "forgetting quality x retain ratio x test ratio", "mean points of all examples"
    has_quality = not math.isnan(report.official.forgetting_quality)
    if not has_quality:
        score, quality = "none, since forgetting quality has none", "none, since an example cannot be scored"
    rows = [_fact(report, "Forgetting quality F", "forgetting_quality", quality)]
    if not (has_quality and unknown):  # what only lacks accuracies is told below
        rows.insert(0, _fact(report, "Official score", "score", score))
    for part in PARTS:
        if part not in unknown:
            meaning = f"{part} accuracy over retraining's"
            rows.append(_fact(report, f"{part.capitalize()} ratio", f"{part}_ratio", meaning))
    return rows


def _fact(report: "Report", title: str, name: str, meaning: str) -> Fact:
    return title, around(getattr(report.official, name), _interval(report, name)), meaning


def _calibrated(report: "Report") -> list[Fact]:
    found = report.ceiling
    if found is None:
        return []
    models = f"of {found.n_models} models" + ("" if found.second_reference else ", half of what there are")
    rows = [("Ceiling", number(found.forgetting_quality), f"F of retraining itself, {models}")]
    if not found.second_reference:
        rows.append(("F at N/2", number(found.unlearned), f"F of this submission, {models}"))
    rows.append(_calibrated_number(report, found))
    needed = None if report.uncertainty is None else report.uncertainty.models_needed
    if needed is not None:
        estimate = "F" if _unknown(report) else "the official score"
        rows.append(("N needed", str(needed), f"at least, for an interval of {estimate} 0.01 wide"))
    return rows


def _calibrated_number(report: "Report", found: "Ceiling") -> Fact:
    """Return the calibrated score, or calibrated F, which needs no accuracies and has no interval."""
    best = "1 is as good as retraining"
    f = "F" if found.second_reference else "F at N/2"
    if found.calibrated_forgetting is None:
        return "Calibrated score", "-", f"none, since {found.reason}"
    if found.calibrated_score is None:
        return "Calibrated F", number(found.calibrated_forgetting), f"{f} over the ceiling; {best}"
    return (
        "Calibrated score",
        around(found.calibrated_score, _interval(report, "calibrated_score")),
        f"calibrated F x both ratios; {best}",
    )


def _unknown(report: "Report") -> list[str]:
    """Name the sets on which accuracy is not known of both groups."""
    return [part for part in PARTS if math.isnan(getattr(report.official, f"{part}_ratio"))]


def _what_scores_need(console: Console, report: "Report") -> None:
    names = [f"{group}_{part}_accuracy" for part in _unknown(report) for group in ("U", "R")]
    if names:
        listed = f"{', '.join(names[:-1])} and {names[-1]}"
        line(
            console,
            f"\nThe official and the calibrated score need accuracies: {listed}, beside U and R in FILE.npz.",
        )


def _interval(report: "Report", name: str) -> "Interval | None":
    found: Interval | None = None if report.uncertainty is None else getattr(report.uncertainty, name)
    return found


def _sizes(report: "Report") -> Fact:
    sizes = f"N = {report.n_models} models, S = {report.n_examples} examples"
    return "Grader", f"version {report.grader_version}", sizes


def _flags(console: Console, report: "Report") -> None:
    flags = report.integrity.flags
    line(console, "\nFlags, for a person to look at" if flags else "\nNo flags.")
    for flag in flags:
        line(console, f"{flag.code}: {flag.message}")


def _per_example(console: Console, report: "Report") -> None:
    line(console, "\nOver the examples")
    quantiles = table(["", *QUANTILES, "unknown", ""])
    for name, values in _columns(report):
        known = values[~np.isnan(values)]
        cells = ["-"] * len(QUANTILES)
        if known.size:
            cells = [number(float(q)) for q in np.quantile(known, list(QUANTILES.values()), method="nearest")]
        quantiles.add_row(name, *cells, str(values.size - known.size or ""))
    console.print(quantiles)


def _columns(report: "Report") -> list[tuple[str, Any]]:
    """Name every number that each example has, [S]."""
    parts: list[tuple[str, Any]] = [
        ("epsilon", report.official.epsilon),
        ("points", report.official.points),
    ]
    if report.held_out is not None:
        parts.append((LOWER_BOUND, report.held_out.epsilon_lower))
    if report.membership is not None:
        parts.append(("attack AUC", report.membership.auc))
        parts.append(("balanced accuracy", report.membership.balanced_accuracy))
    if report.distribution is not None:
        parts += [(words(name), getattr(report.distribution, name)) for name in OF_DISTRIBUTION]
    return [(name, np.asarray(values, np.float64)) for name, values in parts if values is not None]


def _examples(console: Console, report: "Report") -> None:
    """Print the numbers that fit beside each other; --json has all."""
    from grader.official import REASONS

    line(console, "\nEach example")
    columns = [(name, values) for name, values in _columns(report) if name in OF_EXAMPLE]
    reasons = report.official.reasons
    rows = table(["example", *(OF_EXAMPLE[name] for name, _ in columns), ""])
    for index, reason in enumerate(reasons):
        cells = [number(float(values[index])) for _, values in columns]
        rows.add_row(str(index), *cells, reason or "")
    console.print(rows)
    facts(console, "", [(one, "", REASONS[one]) for one in sorted(set(filter(None, reasons)))])
