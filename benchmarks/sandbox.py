"""What a sandbox costs beside the participant's own time: python benchmarks/sandbox.py [--runs 8] [--seconds 5].

Run it on a quiet machine. bubblewrap is always measured, Docker where LETHE_SANDBOX_IMAGE names an image. Three tables:
the host's overhead over a true half second, seconds per run beyond the participant's own with and without the pool beside
a plain cold `docker run`, and how long after the cutoff the last process is dead.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.worker.sandbox.tools import bundle, make_material, spec_of
from worker.sandbox.base import Backend, Job, SandboxSpec
from worker.sandbox.bubblewrap import Bubblewrap
from worker.sandbox.docker import Docker
from worker.sandbox.pool import Pool

UIDS = 250_000
BUSY = "import time\nend = time.perf_counter() + {seconds}\nwhile time.perf_counter() < end: pass\n"
HONEST = BUSY + "def unlearning(net, retain, forget, validation): pass"
ELEVEN = "import os\nfor _ in range(10):\n    if os.fork() == 0: break\nwhile True: pass"
BOMB = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
PLAIN = "import torch, torch._dynamo\n" + BUSY


def never() -> bool:
    """Let the run go on."""
    return False


def backends() -> Iterator[Backend]:
    """Return those that work here."""
    bubblewrap = Bubblewrap(UIDS)
    bubblewrap.probe()
    yield bubblewrap
    image = os.environ.get("LETHE_SANDBOX_IMAGE", "")
    if image:
        docker = Docker(image, uid_base=UIDS + 100)
        docker.probe()
        yield docker


def excess(backend: Backend, spec: SandboxSpec, runs: int) -> list[float]:
    """Return milliseconds from GO to death beyond a true 500 ms inside."""
    job = Job(bundle("import time\ntime.sleep(0.5)\nimport os\nos._exit(0)"), 1, 30.0)
    return [1000 * (backend.start(spec).run(job, never).seconds - 0.5) for _ in range(runs)]


def extra(backend: Backend, spec: SandboxSpec, runs: int, seconds: float, *, pooled: bool) -> list[float]:
    """Return wall seconds beyond the participant's own, run by run, as a worker takes them one after the other."""
    job = Job(bundle(HONEST.format(seconds=seconds)), 1, 10 * seconds + 30)
    pool = Pool(backend) if pooled else None
    found = []
    if pool is not None:
        pool.take(spec).close()  # the first one of all finds no spare
        time.sleep(10)
    for _ in range(runs):
        began = time.perf_counter()
        sandbox = pool.take(spec) if pool is not None else backend.start(spec)
        assert sandbox.run(job, never).verdict is None
        sandbox.close()
        found.append(time.perf_counter() - began - seconds)
    if pool is not None:
        pool.close()
    return found


def plain(image: str, runs: int, seconds: float) -> list[float]:
    """Return the same for a cold `docker run` per seed that only imports torch."""
    command = ["docker", "run", "--rm", "--network", "none", image, "/opt/lethe/bin/python", "-c"]
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([*command, PLAIN.format(seconds=seconds)], check=True)
        found.append(time.perf_counter() - began - seconds)
    return found


def death(backend: Backend, spec: SandboxSpec, source: str, runs: int) -> list[float]:
    """Return milliseconds from the cutoff to the death of the last process."""
    found = []
    for _ in range(runs):
        result = backend.start(spec).run(Job(bundle(source), 1, 1.0), never)
        assert result.reason == "over_cutoff", result
        found.append(1000 * (result.seconds - 1.0))
    return found


def row(table: Table, name: str, found: list[float], digits: int) -> None:
    """Add minimum, median and maximum."""
    numbers = (min(found), statistics.median(found), max(found))
    table.add_row(name, *(f"{number:.{digits}f}" for number in numbers))


def table_of(title: str) -> Table:
    """Make an empty table."""
    table = Table("", "least", "median", "most", title=title)
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        spec = spec_of(make_material(Path(folder)))
        overhead = table_of("Beyond a true 500 ms, in ms")
        each = table_of(f"Beyond the participant's own {asked.seconds:g} s, in s a run")
        dead = table_of("From the cutoff to the last process's death, in ms")
        for backend in backends():
            row(overhead, backend.name, excess(backend, spec, asked.runs), 1)
            for pooled in (True, False):
                name = f"{backend.name}, {'pool' if pooled else 'no pool'}"
                row(each, name, extra(backend, spec, asked.runs, asked.seconds, pooled=pooled), 2)
            crowd = replace(spec, limits=replace(spec.limits, processes=64))
            row(dead, f"{backend.name}, 11 busy processes", death(backend, crowd, ELEVEN, asked.runs), 0)
            row(dead, f"{backend.name}, fork bomb", death(backend, crowd, BOMB, asked.runs), 0)
            backend.close()
        image = os.environ.get("LETHE_SANDBOX_IMAGE", "")
        if image:
            row(each, "docker run, cold", plain(image, asked.runs, asked.seconds), 2)
    for table in (overhead, each, dead):
        console.print(table)


if __name__ == "__main__":
    main()
