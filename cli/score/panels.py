"""The panels of a report below its headline."""

from typing import TYPE_CHECKING

from rich.console import Console

from cli.score.words import Fact, around, facts, line, number, share, table, words

if TYPE_CHECKING:
    from grader.report import Report
    from grader.utility import Accuracy

ATTACKS = {"single": "threshold", "double": "band", "gaussian": "likelihood ratio"}
"""What the grader's kinds of rule are, in words."""
FLAGGED = {
    "ties": "above",
    "clipped": "below",
    "too_alike": "below",
    "too_even": "above",
    "too_close": "below",
    "same_as_original": "above",
}
"""On which side of its threshold a measure is flagged, by code."""


def show(console: Console, report: "Report") -> None:
    """Print what each panel found, then what could not be made and why."""
    facts(console, "Held-out attack: lower bounds on epsilon", _held_out(report))
    facts(console, "Membership, all examples together", _membership(report))
    facts(console, "Distribution", _distribution(report))
    _utility(console, report)
    facts(console, "Time", _time(report))
    _integrity(console, report)
    missing = [(words(name), "", why) for name, why in report.missing.items()]
    facts(console, "Not in this report", missing)


def _held_out(report: "Report") -> list[Fact]:
    found = report.held_out
    if found is None:
        return []
    chosen = ", ".join(f"{attack} {found.rule.count(rule)}" for rule, attack in ATTACKS.items())
    above = f"of examples have a lower bound above 0; up to {1 - found.level:.0%} would by chance"
    parted = "examples whose samples do not overlap: one threshold or band parts them perfectly"
    return [
        (
            "Highest possible",
            number(found.certifiable),
            f"lower bound, with {found.n_judging} judging models",
        ),
        ("Bounds above 0", share(found.share_above_zero), above),
        ("Mean lower bound", number(found.mean_lower), "of epsilon, over the examples"),
        ("Attacks chosen", "", chosen),
        ("Separable", str(report.official.separable), parted),
    ]


def _membership(report: "Report") -> list[Fact]:
    if report.membership is None:
        return []
    found = report.membership.pooled
    return [
        ("AUC", number(found.auc), "0.5 is chance"),
        ("Found at 1 % FPR", share(found.tpr_at_1_percent), "1 % is chance"),
        ("Found at 0.1 % FPR", share(found.tpr_at_01_percent), "0.1 % is chance"),
        ("Balanced accuracy", number(found.balanced_accuracy), "0.5 is chance"),
    ]


def _distribution(report: "Report") -> list[Fact]:
    found = report.distribution
    if found is None:
        return []
    differ = "of examples differ from retraining, at 5 % after Benjamini and Hochberg"
    rows = [("Rejected, Kolmogorov-Smirnov", share(found.rejected_ks), differ)]
    if found.rejected_classifier is not None:
        rows.append(("Rejected, classifier", share(found.rejected_classifier), f"{differ}; by all logits"))
    rows.append(("Jensen-Shannon bias", number(found.jensen_shannon_bias), "what equal laws give on average"))
    return rows


def _utility(console: Console, report: "Report") -> None:
    found = report.utility
    if found is None:
        return
    line(console, "\nUtility")
    accuracies = table(["accuracy", "unlearned", "retrained", "gap", ""])
    for name in ("retain", "test", "forget"):
        accuracy: Accuracy | None = getattr(found, name)
        if accuracy is not None:
            means = (number(one.mean) for one in (accuracy.unlearned, accuracy.retrained))
            accuracies.add_row(name, *means, around(accuracy.gap.mean, accuracy.gap), "")
    console.print(accuracies)
    if found.tug_of_war is not None:
        line(
            console, f"Tug of war: {number(found.tug_of_war)}; 1 is retraining's accuracies on all three sets"
        )


def _time(report: "Report") -> list[Fact]:
    found = report.time
    if found is None:
        return []
    return [
        (f"{name} run", f"{seconds:.3f} s", f"{share(seconds / found.cutoff)} of the cutoff")
        for name, seconds in (("Median", found.median), ("Longest", found.longest))
    ]


def _integrity(console: Console, report: "Report") -> None:
    found = report.integrity
    line(console, "\nIntegrity")
    measures = table(["measure", "value", "flagged", ""])
    for one in found.measures:
        limit = f"{FLAGGED[one.code]} {number(one.threshold)}"
        measures.add_row(words(one.code), number(one.value), limit, "flag" if one.flagged else "")
    if found.measures:
        console.print(measures)
    facts(console, "", [(words(code), "", f"not judged: {why}") for code, why in found.not_judged.items()])
