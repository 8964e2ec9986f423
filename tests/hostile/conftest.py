"""Back ends under attack, and the table of what came of it."""

import contextlib
import os
import threading
from dataclasses import dataclass

import pytest

from tests.hostile.catalogue import SCORED, Row, table
from tests.hostile.host import Ears, Facts, Inhabitants
from tests.worker.sandbox.backends import docker
from tests.worker.sandbox.tools import LAYOUT, bundle, make_material, spec_of
from worker import weights
from worker.sandbox.base import Backend, Job, RunResult, SandboxSpec
from worker.sandbox.bubblewrap import Bubblewrap
from worker.sandbox.pool import Pool

UIDS = 240_000  # apart from those of a service, and of other tests, on the same machine
BACKENDS = {
    "bubblewrap": lambda: Bubblewrap(UIDS),
    "docker": lambda: docker(UIDS + 1000),
}
REPEATS = int(os.environ.get("ATTACK_REPEATS", "1"))
HONEST = """
import time
import torch

def unlearning(net, retain, forget, validation):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(40):
        for images, labels in retain:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(images), labels).backward()
            optimizer.step()
        time.sleep(0.02)
"""
SEED = 7
_ROWS = pytest.StashKey[list[Row]]()


@dataclass
class Bench:
    """One back end, the host around it, and what an honest run leaves there."""

    name: str
    backend: Backend
    spec: SandboxSpec
    pool: Pool
    canary: object
    ears: Ears
    honest: bytes = b""

    def take(self):
        """Return a READY sandbox and how to recognise its processes."""
        sandbox = self.pool.take(self.spec)
        return sandbox, Inhabitants.of(sandbox._sandbox.body.pid)

    def run(self, source, files=None, cutoff=20.0):
        """Run one bundle with all that is always checked: the host as it was, nobody left, nothing heard."""
        before = Facts.of(self.canary)
        sandbox, inhabitants = self.take()
        result = sandbox.run(Job(self.packed(source, files), SEED, cutoff), lambda: False)
        inhabitants.assert_gone()
        self.ears.assert_heard_nothing()
        before.assert_same(Facts.of(self.canary))
        return result

    def packed(self, source, files=None):
        told = source.replace("CANARY", str(self.canary)).replace("PORT", str(self.ears.port))
        return bundle(told, files)

    @contextlib.contextmanager
    def neighbour(self):
        """Let an honest run go on meanwhile; fail unless it leaves the same bytes as without company."""
        sandbox = self.pool.take(self.spec)
        results = []
        thread = threading.Thread(
            target=lambda: results.append(sandbox.run(Job(bundle(HONEST), SEED, 60.0), lambda: False))
        )
        thread.start()
        try:
            yield
        finally:
            thread.join()
        assert [result.output == self.honest for result in results] == [True], results


def verdict_of(result: RunResult) -> str:
    """Return what a worker would say: the run's reason, the weights', or that it can be scored."""
    if result.reason is not None:
        assert result.output == b""
        return result.reason
    try:
        weights.read(result.output, LAYOUT)
    except weights.InvalidWeights as refused:
        return refused.code
    return SCORED


@pytest.fixture(scope="session", params=BACKENDS)
def bench(request, tmp_path_factory):
    backend = BACKENDS[request.param]()
    backend.probe()  # where a back end does not work its attacks fail, and say what to install
    folder = tmp_path_factory.mktemp("canary")
    for open_to_all in (*folder.parents[:2], folder):
        open_to_all.chmod(0o777)
    canary = folder / "canary"
    canary.write_bytes(b"alive")
    canary.chmod(0o666)
    spec = spec_of(make_material(tmp_path_factory.mktemp("material")))
    made = Bench(request.param, backend, spec, Pool(backend), canary, Ears())
    made.honest = made.run(HONEST).output
    assert made.honest
    yield made
    made.pool.close()
    made.ears.close()
    getattr(backend, "close", lambda: None)()


@pytest.fixture
def line(request):
    """Put a line into the table, whether the test that writes it holds or not."""

    @contextlib.contextmanager
    def writing(name, family, backend, checked):
        said = []
        try:
            yield said.append
        except BaseException:
            said.append("A HOLE")
            raise
        finally:
            rows = request.config.stash.setdefault(_ROWS, [])
            rows.append(Row(name, family, backend, said[-1] if said else "", checked))

    return writing


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash.get(_ROWS, [])
    if rows:
        terminalreporter.section("attacks")
        terminalreporter.write_line("\n".join(table(rows)))
