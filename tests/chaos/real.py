"""Faults around real sandboxes, and what may be left of those."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.chaos.faults import (
    FaultCase,
    all_connections,
    broker,
    cut,
    dies,
    postgres,
    sleeps,
    worker_in_a_run,
)
from tests.chaos.plans import Plan
from tests.chaos.scene import Scene
from tests.chaos.site import UIDS
from tests.processes import wait_until


def processes() -> list[int]:
    """Return the processes that live in sandboxes of this trial: by their user ids."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if path.stat().st_uid in UIDS and (path / "cmdline").read_bytes():
                found.append(int(path.name))
    return sorted(found)


def sandbox_killed(scene: Scene) -> None:
    """Kill every process in a sandbox while runs are made, and those that get ready, three times."""
    one = scene.send(Plan.SLOW).result()
    one.hurt = True  # such a death cannot be told from one of the participant's own making
    scene.wait_for_run(one)
    scene.strikes_now()
    for _ in range(3):
        for pid in wait_until(processes):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)


def catalogue() -> list[FaultCase]:
    """Return the faults that a sandbox can tell apart."""
    return [
        FaultCase("worker killed in a run", worker_in_a_run),
        FaultCase("sandboxes killed in a run", sandbox_killed),
        sleeps("worker", "run.running", "after"),
        dies("worker", "run.succeeded", "before"),
        dies("worker", "evaluation.scoring_claimed", "after"),
        cut("run.succeeded", "after"),
        FaultCase("PostgreSQL killed, away for 2 s", postgres),
        FaultCase("Redis killed, away for 2 s", broker),
        FaultCase("all connections cut", all_connections),
        dies("web", "submission.accepted", "after"),
    ]


def left_behind() -> Iterator[str]:
    """Name what is left of sandboxes once all workers have stopped, of those that were killed too."""
    yield from (f"process {pid} is left of a sandbox" for pid in processes())
    groups = {f"uid-{number}" for number in UIDS}
    found = Path("/sys/fs/cgroup").glob("**/lethe/uid-*")
    yield from (f"control group {path} is left" for path in found if path.name in groups)
