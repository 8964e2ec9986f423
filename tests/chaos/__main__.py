"""python -m tests.chaos [--each 9] [--seed 1] [--only WORDS]: break everything, once each, and print what came of it."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from tests.chaos.faults import catalogue
from tests.chaos.site import Site
from tests.chaos.trial import trial


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=9, help="submissions around each fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="only faults whose names hold these words")
    asked = parser.parse_args()
    console = Console(width=140)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lethe-chaos-") as folder, Site(Path(folder)) as site:
        cases = [one for one in catalogue(own_disk=site.on_own_disk) if asked.only in one.name]
        outcome = trial(
            site,
            cases,
            each=asked.each,
            seed=asked.seed,
            tell=lambda name: console.print(f"{time.monotonic() - began:6.0f} s  {name}", highlight=False),
        )
    console.print(outcome.table("Sandboxes that only play"))
    console.print(outcome.summary(), highlight=False)
    sys.exit(1 if outcome.wrong else 0)


if __name__ == "__main__":
    main()
