"""A worker's process whose sandboxes sleep: python -m tests.sleeping NAME SECONDS FILE. Settings are LETHE_*.

Each run takes so long and leaves the file's bytes, a retraining a twentieth of it; everything else is as in `lethe worker`.
"""

import logging
import sys
from pathlib import Path

from app.db import make_engine
from app.settings import Settings
from app.storage import open_storage
from worker.sandbox.base import RunResult
from worker.sandbox.fake import Fake
from worker.service import serve


def main() -> None:
    name, seconds, path = sys.argv[1:]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    output = Path(path).read_bytes()
    settings = Settings()
    takes = float(seconds)
    backend = Fake(
        lambda _job: RunResult(takes, output), retrains=lambda _job: RunResult(max(0.05, takes / 20), b"x")
    )
    serve(settings, make_engine(settings.url), backend, open_storage(settings), name)


if __name__ == "__main__":
    main()
