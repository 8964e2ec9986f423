"""python -m tests.chaos [--each 9] [--real 2] [--seed 1] [--only WORDS]: break everything, and print what came of it.

First with sandboxes that only play, then with real ones (bubblewrap). The exit code is 1 if anything was lost, doubled or left behind.
"""

import argparse
import sys
import time

from rich.console import Console

from tests.chaos.trial import attempt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=9, help="submissions around each fault; 0 for none")
    parser.add_argument("--real", type=int, default=2, help="the same with real sandboxes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="only faults whose names hold these words")
    asked = parser.parse_args()
    console, began = Console(width=120, highlight=False), time.monotonic()

    def tell(name: str) -> None:
        console.print(f"{time.monotonic() - began:6.0f} s  {name}")

    wrong = 0
    for title, fake, each in (
        ("Sandboxes that only play", True, asked.each),
        ("Real sandboxes", False, asked.real),
    ):
        if each:
            outcome = attempt(fake=fake, each=each, seed=asked.seed, only=[asked.only], tell=tell)
            console.print(outcome.table(title))
            console.print(outcome.summary())
            wrong += len(outcome.wrong)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
