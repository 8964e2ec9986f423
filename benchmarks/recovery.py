"""How long a run is lost when its worker is killed: python benchmarks/recovery.py [--lease 60] [--times 3].

One worker runs something and gets SIGKILL; another, idle, has to notice. The time counts from the kill until the run is
lent again. It must stay below the lease and 15 s (LETHE_REAP_SECONDS).
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.queue import doorbell
from app.status import RunStatus
from benchmarks.farms import farm
from tests.farm import Farm
from tests.processes import wait_until

REAP_SECONDS = 15


def lost_for(one: Farm, turn: int, lease: float) -> float:
    """Kill a worker in the middle of a run; return the seconds until another has it."""
    settings = {"LETHE_LEASE_SECONDS": str(lease), "LETHE_REAP_SECONDS": str(REAP_SECONDS)}
    first = one.worker(f"killed-{turn}", 100.0, **settings)  # longer than the other takes to start
    wait_until(lambda: one.celery_is_ready(f"killed-{turn}"))
    submission = one.bench.submit(doorbell(one.settings))
    (run,) = wait_until(lambda: one.runs(RunStatus.RUNNING, submission), 120)
    idle = one.worker(f"idle-{turn}", 0.05, **settings)
    time.sleep(5)  # it has looked round, and found one run lent and the others its own
    wait_until(lambda: [one.id for one in one.runs(RunStatus.RUNNING, submission)] == [run.id], 300)
    first.kill()
    began = time.perf_counter()
    taken = f"idle-{turn}"
    wait_until(lambda: any(r.id == run.id and r.worker == taken for r in one.runs()), 2 * lease + 60)
    lost = time.perf_counter() - began
    idle.terminate()  # the next turn's run is for the next worker
    idle.wait(60)
    return lost


def main() -> None:
    """Print each time and the bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lease", type=float, default=60.0)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    with farm(4) as one:
        one.cancel_first()
        found = [lost_for(one, turn, asked.lease) for turn in range(asked.times)]
    bound = asked.lease + REAP_SECONDS
    for seconds in found:
        print(f"recovered after {seconds:6.1f} s")
    print(f"most {max(found):.1f} s, bound {bound:.0f} s: {'held' if max(found) < bound else 'BROKEN'}")


if __name__ == "__main__":
    main()
