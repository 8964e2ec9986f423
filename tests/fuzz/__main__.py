"""`python -m tests.fuzz --files 100000 --seed 1`: print what came of so many mutated files of each kind."""

import argparse

from tests.fuzz.archive_target import Archive
from tests.fuzz.harness import fuzz, table
from tests.fuzz.weights_target import Weights


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=100_000, help="mutated files of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=["weights", "archive"], help="one kind alone")
    asked = parser.parse_args()
    targets = [target for target in (Weights(), Archive()) if asked.target in (None, target.name)]
    print(table([fuzz(target, asked.files, asked.seed) for target in targets]))


if __name__ == "__main__":
    main()
