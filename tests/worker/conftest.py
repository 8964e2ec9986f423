"""A competition small enough for one second, and real sandboxes for it."""

import shutil
from pathlib import Path

import pytest

from tests.worker.bench import Bench, prepare_into
from tests.worker.sandbox.backends import docker
from tests.worker.sandbox.tools import UIDS, make_material, spec_of
from worker.sandbox.base import Job
from worker.sandbox.bubblewrap import Bubblewrap
from worker.sandbox.pool import Pool

TINY = Path(__file__).parents[1] / "fixtures/tiny"


@pytest.fixture(scope="session")
def bubblewrap():
    backend = Bubblewrap(UIDS)
    backend.probe()  # without bubblewrap these tests fail, and say what to install
    return backend


@pytest.fixture(scope="session")
def containers():
    backend = docker(UIDS + 1000)
    backend.probe()
    yield backend
    backend.close()


@pytest.fixture(scope="session")
def material(tmp_path_factory):
    return make_material(tmp_path_factory.mktemp("material"))


@pytest.fixture(scope="session")
def spec(material):
    return spec_of(material)


@pytest.fixture(scope="session")
def take(bubblewrap, spec):
    """Return a READY sandbox; the next ones get ready meanwhile."""
    pool = Pool(bubblewrap)
    yield lambda: pool.take(spec)
    pool.close()


@pytest.fixture(scope="session")
def take_container(containers, spec):
    """Return a READY container; the next ones get ready meanwhile."""
    pool = Pool(containers)
    yield lambda: pool.take(spec)
    pool.close()


@pytest.fixture
def run(take):
    """Run one bundle in a sandbox of its own."""

    def once(bundle, seed=7, cutoff_seconds=20.0):
        return take().run(Job(bundle, seed, cutoff_seconds), lambda: False)

    return once


@pytest.fixture
def run_watched(spec):
    """Run one bundle in a sandbox without a control group, as on a machine that has none for us."""
    backend = Bubblewrap(UIDS, use_cgroups=False)

    def once(bundle, seed=7, cutoff_seconds=20.0):
        return backend.start(spec).run(Job(bundle, seed, cutoff_seconds), lambda: False)

    return once


@pytest.fixture(params=["control group", "watchdog"])
def run_either(request):
    """Run one bundle in each of the two ways that memory and seconds are counted."""
    return request.getfixturevalue("run" if request.param == "control group" else "run_watched")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A data folder with the tiny competition prepared, copied for each test."""
    return prepare_into(tmp_path_factory.mktemp("prepared"), TINY)


@pytest.fixture
def bench(prepared, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(prepared, folder)
    return Bench(folder)
