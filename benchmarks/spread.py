"""How much sooner two workers end one submission than one does: python benchmarks/spread.py [--real] [--runs 64].

Real web-side functions, real Redis, Celery and worker processes on SQLite. Runs sleep, or, with --real, are made in
bubblewrap: then two workers share the machine's cores, and the ratio says as much of those. The goal is below 0.6.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.queue import doorbell
from benchmarks.farms import farm
from tests.farm import Farm
from tests.processes import wait_until

PATIENCE = 3600.0


def seconds_of(one: Farm) -> tuple[float, dict[str, int]]:
    """Return wall seconds from a submission to its verdict, and how many runs each worker took."""
    began = time.perf_counter()
    submission = one.bench.submit(doorbell(one.settings))
    verdict = wait_until(lambda: one.verdict(submission), PATIENCE)
    taken = time.perf_counter() - began
    assert verdict == "scored", verdict
    workers = [run.worker for run in one.runs(submission_id=submission)]
    return taken, {name: workers.count(name) for name in sorted(set(workers))}


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", action="store_true", help="bubblewrap instead of sleeping")
    parser.add_argument("--runs", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=0.5, help="that each run sleeps")
    asked = parser.parse_args()
    each = None if asked.real else asked.seconds
    found = []
    with farm(asked.runs) as one:
        for name in ("w1", "w2"):
            one.worker(name, each, LETHE_REAP_SECONDS="15")
            wait_until(lambda: one.verdict(one.bench.submission_id), PATIENCE)  # warm, and calibrated
            wait_until(lambda name=name: one.celery_is_ready(name))
            seconds_of(one)  # the new one takes its look at the calibration
            found.append(seconds_of(one))
    (alone, _), (together, shares) = found
    print(f"N = {asked.runs}, {'real runs' if asked.real else f'runs of {asked.seconds:g} s'}")
    print(f"one worker   {alone:8.2f} s")
    print(f"two workers  {together:8.2f} s  {shares}")
    print(f"ratio        {together / alone:8.3f}  (goal: below 0.6)")


if __name__ == "__main__":
    main()
