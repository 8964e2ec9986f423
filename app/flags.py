"""Every flag that the grader may raise over a submission's outputs: its code, a short name, and what it means.

A flag changes no score: it asks people to look. The same text is on the page, in the API and on the command line.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """One thing about outputs that honest, independent runs rarely show."""

    code: str
    name: str
    meaning: str


FLAGS = {
    flag.code: flag
    for flag in (
        Flag(
            "ties",
            "tied values",
            "More confidences are exactly equal between runs than between retrained models: outputs may have been cut "
            "off, rounded or copied.",
        ),
        Flag(
            "clipped",
            "clipped",
            "The tails reach less far than those of retrained models: outputs may have been cut off or squashed, which "
            "the official score rewards although nothing is forgotten.",
        ),
        Flag(
            "too_alike",
            "runs too alike",
            "Runs hardly differ from each other, where retrained models do: the code may ignore its seed.",
        ),
        Flag(
            "too_even",
            "runs too even",
            "Runs are spread more evenly than independent runs are: each may know what the others do.",
        ),
        Flag(
            "too_close",
            "too close",
            "Runs agree with the retrained models better than independent runs of the same method could.",
        ),
        Flag(
            "same_as_original",
            "like the original",
            "Runs give the original model's outputs: the code may do nothing.",
        ),
    )
}


def flag_of(code: str) -> Flag:
    """Return a flag by its code; one from another version of the grader is named by its code alone."""
    return FLAGS.get(code) or Flag(code, code.replace("_", " "), "Raised by another version of the grader.")


def flags_of(codes: Iterable[str]) -> list[Flag]:
    """Return the flags with these codes, each once, in the order of their codes."""
    return [flag_of(code) for code in sorted(set(codes))]
