"""What benchmarks of workers start from: a database with one small competition, a Redis, and worker processes."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import copytree

from tests.farm import Farm
from tests.processes import Redis
from tests.worker.bench import Bench, prepare_into

TINY = Path(__file__).parents[1] / "tests/fixtures/tiny"


@contextmanager
def farm(models: int) -> Iterator[Farm]:
    """Prepare the tiny competition at N = `models`; one submission of it waits. All processes end with the block."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as started:
        folder = Path(name)
        folder.chmod(0o711)
        competition = copytree(TINY, folder / "competition")
        config = competition / "competition.toml"
        config.write_text(config.read_text().replace("models = 4", f"models = {models}"))
        redis = Redis()
        redis.start()
        started.callback(redis.close)
        yield Farm(Bench(prepare_into(folder / "data", competition)), redis, started)
