"""The catalogue: every fault by name, and how it is done."""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import redis

from tests.chaos.plans import Plan
from tests.chaos.scene import Scene
from tests.processes import wait_until


@dataclass(frozen=True)
class FaultCase:
    """A fault; `strike` sends submissions, breaks something while they are on their way, and mends it."""

    name: str
    strike: Callable[[Scene], None]


Stimulus = Callable[[Scene], object]


def cancels(scene: Scene) -> None:
    """Cancel a submission in the middle of its runs."""
    one = scene.send(Plan.SLOW).result()
    scene.wait_for_run(one)
    scene.crowd.cancel(one)


def reruns(scene: Scene) -> None:
    """Have a submission graded again."""
    one = scene.send(Plan.SLOW).result()
    scene.wait_for_end(one)
    scene.crowd.rerun(one)


def fails(scene: Scene) -> None:
    """Send what raises."""
    scene.send(Plan.CRASHED)


def breaks_a_sandbox(scene: Scene) -> None:
    """Have a run given back by its worker."""
    scene.site.faults["worker"].arm("fails@sandbox")
    scene.send()


STIMULI: dict[str, Stimulus] = {
    "run.failed": fails,
    "run.queued": breaks_a_sandbox,
    "evaluation.cancel_requested": cancels,
    "evaluation.rerun_asked": reruns,
}
"""What brings a transition about, where a submission alone does not."""
IN_WORKERS = (
    "run.running",
    "run.succeeded",
    "run.failed",
    "run.queued",
    "evaluation.scoring",
    "evaluation.scoring_claimed",
    "evaluation.done",
)
IN_WEB = ("submission.accepted", "evaluation.cancel_requested", "evaluation.rerun_asked")
PAUSES = (
    ("worker", "run.running", "after"),
    ("worker", "run.running", "before"),
    ("worker", "run.succeeded", "before"),
    ("worker", "evaluation.scoring_claimed", "after"),
    ("worker", "evaluation.done", "before"),
    ("web", "submission.accepted", "before"),
)


def _stimulate(scene: Scene, kind: str) -> None:
    STIMULI.get(kind, Scene.send)(scene)


def dies(role: str, kind: str, when: str) -> FaultCase:
    """Kill whoever commits a transition."""

    def strike(scene: Scene) -> None:
        name = f"kill@{kind}@{when}"
        scene.site.faults[role].arm(name)
        _stimulate(scene, kind)
        scene.strikes(role, name)

    return FaultCase(f"{role} killed {when} commit of {kind}", strike)


def sleeps(role: str, kind: str, when: str) -> FaultCase:
    """Stop whoever commits a transition, for longer than a lease."""

    def strike(scene: Scene) -> None:
        name = f"pause@{kind}@{when}"
        scene.site.faults[role].arm(name)
        _stimulate(scene, kind)
        scene.outlast_lease(scene.strikes(role, name))

    return FaultCase(f"{role} paused {when} commit of {kind}", strike)


def cut(kind: str, when: str) -> FaultCase:
    """Cut the connection on which a transition is being committed."""

    def strike(scene: Scene) -> None:
        scene.site.proxy.arm(kind, when)
        _stimulate(scene, kind)
        wait_until(scene.site.proxy.struck, 120)
        scene.strikes_now()

    return FaultCase(f"connection cut {when} commit of {kind}", strike)


def database_dies(kind: str) -> FaultCase:
    """Kill the database when it has committed a transition, and before anybody hears of that."""

    def strike(scene: Scene) -> None:
        back: list[threading.Thread] = []  # beside what goes on: people try again until they are answered

        def kill() -> None:
            scene.site.postgres.kill()
            thread = threading.Thread(target=scene.site.bring_postgres_back, args=(0.5,))
            thread.start()
            back.append(thread)

        scene.site.proxy.arm(kind, "after", kill)
        _stimulate(scene, kind)
        wait_until(lambda: scene.site.proxy.struck() and back, 120)
        scene.strikes_now()
        back[0].join()

    return FaultCase(f"PostgreSQL killed after commit of {kind}", strike)


def broker_dies(kind: str) -> FaultCase:
    """Kill the broker when a transition is committed, just before workers would be woken."""

    def strike(scene: Scene) -> None:
        dead = threading.Event()

        def kill() -> None:
            scene.site.redis.stop()
            dead.set()

        scene.site.proxy.arm(kind, "after", kill)
        _stimulate(scene, kind)
        assert dead.wait(120), "it was never struck"
        scene.strikes_now()
        scene.site.redis.start()  # here: it ends with the thread that starts it

    return FaultCase(f"Redis killed after commit of {kind}", strike)


def worker_in_a_run(scene: Scene) -> None:
    name = scene.wait_for_run(scene.send(Plan.SLOW).result())
    scene.strikes_now()
    scene.site.kill(name)


def web_in_an_upload(scene: Scene) -> None:
    def break_off() -> None:
        scene.strikes_now()
        scene.site.kill("web0")

    scene.crowd.half_an_upload(break_off)
    scene.send()


def all_connections(scene: Scene) -> None:
    scene.wait_for_run(scene.send(Plan.SLOW).result())
    scene.strikes_now()
    assert scene.site.proxy.cut_all() > 0


def postgres(scene: Scene) -> None:
    scene.wait_for_run(scene.send(Plan.SLOW).result())
    scene.strikes_now()
    scene.site.postgres.kill()
    scene.site.bring_postgres_back(away_seconds=2.0)


def broker(scene: Scene) -> None:
    scene.wait_for_run(scene.send(Plan.SLOW).result())
    scene.strikes_now()
    scene.site.redis.stop()
    time.sleep(2.0)
    scene.send()
    scene.site.redis.start()


def flushed(scene: Scene) -> None:
    scene.send(Plan.SLOW).result()
    scene.strikes_now()
    redis.Redis.from_url(scene.site.redis.url).flushall()


def storage_of(role: str, method: str) -> FaultCase:
    """Make one call of the storage fail as a broken disk does."""

    def strike(scene: Scene) -> None:
        name = f"fails@{method}"
        scene.site.faults[role].arm(name)
        scene.send()
        scene.strikes(role, name)

    return FaultCase(f"{role}'s storage fails in {method}", strike)


def full_disk(scene: Scene) -> None:
    """Fill the disk that holds uploads, blobs and caches, for two seconds; a worker that starts then has an empty cache."""
    scene.send(Plan.SLOW).result()
    shutil.rmtree(scene.site.data / "cache")
    ballast = scene.site.data / "ballast"
    scene.strikes_now()
    try:
        with ballast.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                while _written(file, size):
                    pass
        scene.site.kill("w0")
        scene.send()
        time.sleep(2.0)
    finally:
        ballast.unlink()


def _written(file: BinaryIO, size: int) -> bool:
    try:
        file.write(bytes(size))
    except OSError:
        return False
    return True


def bad_sandbox(scene: Scene) -> None:
    scene.site.faults["worker"].arm("fails@sandbox")
    scene.send()
    scene.strikes("worker", "fails@sandbox")


def lost_bundle(scene: Scene) -> None:
    """Destroy a bundle while its runs are made: nobody can go on with it, and nobody is charged."""
    one = scene.send(Plan.SLOW).result()
    one.lost = True
    scene.strikes_now()
    scene.blob_of(one).write_bytes(b"damaged")


def refused_blob(scene: Scene) -> None:
    """Let a bundle be there and never be read: others go on, and nobody is charged."""
    one = scene.send(Plan.SLOW).result()
    one.lost = True
    scene.strikes_now()
    path = scene.blob_of(one)
    path.unlink()
    path.mkdir()


OUTSIDE: dict[str, Callable[[Scene], None]] = {
    "worker killed in a run": worker_in_a_run,
    "web killed in an upload": web_in_an_upload,
    "all connections cut": all_connections,
    "PostgreSQL killed, away for 2 s": postgres,
    "Redis killed, away for 2 s": broker,
    "Redis flushed": flushed,
    "disk full for 2 s": full_disk,
    "sandbox broken": bad_sandbox,
    "bundle destroyed": lost_bundle,
    "bundle that cannot be read": refused_blob,
}


def catalogue(*, own_disk: bool) -> list[FaultCase]:
    """Return every fault. Without a disk of its own, the data's cannot be filled."""
    both = ("before", "after")
    cases = [dies("worker", kind, when) for kind in IN_WORKERS for when in both]
    cases += [dies("web", kind, when) for kind in IN_WEB for when in both]
    cases += [sleeps(*place) for place in PAUSES]
    cases += [cut(kind, when) for kind in (*IN_WEB, *IN_WORKERS) for when in both]
    cases += [die(kind) for die in (database_dies, broker_dies) for kind in (*IN_WEB, *IN_WORKERS)]
    cases += [storage_of("web", "put_file"), storage_of("worker", "put"), storage_of("worker", "get")]
    cases += [
        FaultCase(name, strike) for name, strike in OUTSIDE.items() if own_disk or strike is not full_disk
    ]
    return cases
