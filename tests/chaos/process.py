"""A process of Lethe that can be broken from outside: python -m tests.chaos.process ROLE NAME FOLDER [ARGUMENTS].

ROLE is web (arguments are those of `lethe serve`), worker (real sandboxes), or fake: a worker whose sandboxes do what a bundle's
plan says. FOLDER holds faults/ and what the fake runs leave, `output`. Celery's messages are doubled, and a tenth of them dropped.
"""

import errno
import os
import random
import sys
from pathlib import Path

from app.queue import CeleryBell
from app.storage import LocalStorage
from tests.chaos.armed import Armed, at_commits, in_calls


def main() -> None:
    role, name, folder, *rest = sys.argv[1:]
    armed = Armed(Path(folder) / "faults" / ("web" if role == "web" else "worker"))
    at_commits(armed)
    for method in ("put", "put_file", "get"):
        in_calls(armed, LocalStorage, method, lambda: OSError(errno.EIO, os.strerror(errno.EIO)))
    break_messages(name, Path(folder))
    if role == "fake":
        fake(name, armed, Path(folder) / "output")
    else:
        from cli.main import main as lethe  # noqa: PLC0415 - a fake worker does without

        lethe(["serve", *rest] if role == "web" else ["worker", "--name", name], prog_name="lethe")


def break_messages(name: str, folder: Path) -> None:
    """Send each message twice, and a tenth of them not at all; always the same ones for this name and number."""
    chance, send = random.Random(name), CeleryBell._send

    def broken(bell: CeleryBell, queue: str) -> None:
        dropped = chance.random() < 0.1
        for _ in range(0 if dropped else 2):
            send(bell, queue)
        with (folder / ("dropped" if dropped else "doubled")).open("ab") as count:
            count.write(b".")

    CeleryBell._send = broken


def fake(name: str, armed: Armed, output: Path) -> None:
    """Work with sandboxes that only play."""
    from app.db import make_engine  # noqa: PLC0415 - only here
    from app.log_lines import configure  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415
    from app.storage import open_storage  # noqa: PLC0415
    from tests.chaos.plans import behaviour  # noqa: PLC0415
    from worker.sandbox.fake import Fake  # noqa: PLC0415
    from worker.service import serve  # noqa: PLC0415

    settings = Settings()
    configure(settings.environment)
    backend = Fake(behaviour(armed, output.read_bytes()))
    serve(settings, make_engine(settings.url), backend, open_storage(settings), name)


if __name__ == "__main__":
    main()
