"""What each page weighs and takes: python benchmarks/pages.py [--times 50] [--entries 1000].

For every page that an admin sees, on a world with so many entries: bytes of HTML as written and as sent (gzip), of the
plots in it (inline SVG, with the table under each), of the style sheet and scripts it loads, and the server's median and 95 % milliseconds, in
process, beside a bare FastAPI endpoint in the same run. The goal is under 100 KB in all, without plots and uncompressed.
"""

import argparse
import gzip
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

from fastapi import FastAPI
from rich.console import Console
from rich.table import Table
from starlette.testclient import TestClient

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from crowd import N_MODELS, people, scored  # noqa: E402

from app.main import create_app  # noqa: E402
from app.settings import Settings  # noqa: E402
from tests.browser.pages import EXAMPLES  # noqa: E402
from tests.seeding import PASSWORD, World, populate  # noqa: E402

GOAL = 100_000


def grown(folder: Path, entries: int) -> tuple[World, dict[str, str]]:
    """Return a world with a week's rows and so many scored entries of 100 people beside them."""
    world = World(folder)
    ids = populate(world)
    people(world)
    world.competition("long", title="A long one", n_models=N_MODELS)
    scored(world, "long", entries)
    return world, ids


def milliseconds(client: TestClient, path: str, times: int) -> list[float]:
    """Ask so often, one after the other."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        client.get(path).raise_for_status()
        found.append(1000 * (time.perf_counter() - began))
    return sorted(found)


def loaded(client: TestClient, html: str, pattern: str) -> int:
    """Return how many bytes the files have that a page names."""
    return sum(len(client.get(path).content) for path in re.findall(pattern, html))


def row(client: TestClient, path: str, times: int) -> list[str]:
    """Measure one page."""
    html = client.get(path).text
    plots = sum(len(one) for one in re.findall(r"<figure.*?</figure>|<svg.*?</svg>", html, re.DOTALL))
    css, js = (
        loaded(client, html, r'href="(/static/[^"]+\.css[^"]*)"'),
        loaded(client, html, r'src="(/static/[^"]+)"'),
    )
    size, sent = len(html.encode()), len(gzip.compress(html.encode(), 5))
    total = size - plots + css + js
    taken = milliseconds(client, path, times)
    high = taken[int(0.95 * len(taken))]
    mark = "" if total < GOAL else " over"
    numbers = [f"{one / 1000:.1f}" for one in (size, sent, plots, css, js)]
    return [path, *numbers, f"{total / 1000:.1f}{mark}", f"{statistics.median(taken):.1f}", f"{high:.1f}"]


def bare(times: int) -> list[float]:
    """Measure an endpoint that does nothing, in the same way."""
    application = FastAPI()

    @application.get("/")
    async def small() -> dict[str, str]:
        return {"status": "ok"}

    with TestClient(application) as client:
        return milliseconds(client, "/", times)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--entries", type=int, default=1000)
    asked = parser.parse_args()
    table = Table(
        "page", "HTML KB", "gzip", "plots", "CSS", "JS", "all", "median ms", "95 % ms", title="Pages"
    )
    with tempfile.TemporaryDirectory() as folder:
        world, ids = grown(Path(folder), asked.entries)
        application = create_app(Settings(data_dir=world.data_dir), clock=world.clock)
        with TestClient(application, headers={"Sec-Fetch-Site": "same-origin"}) as client:
            client.post("/sign-in", data={"name": "root", "password": PASSWORD}).raise_for_status()
            paths = [one.format(**ids) for examples in EXAMPLES.values() for one in examples]
            for path in ["/competitions/long/leaderboard", *paths]:
                if client.get(path).status_code == 200:
                    table.add_row(*row(client, path, asked.times))
    taken = bare(asked.times)
    high = taken[int(0.95 * len(taken))]
    table.add_row("(bare FastAPI)", *[""] * 6, f"{statistics.median(taken):.1f}", f"{high:.1f}")
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
