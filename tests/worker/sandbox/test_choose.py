import os

import pytest

from app.settings import Settings
from worker.sandbox.base import SandboxUnavailable
from worker.sandbox.bubblewrap import Bubblewrap
from worker.sandbox.choose import backend_of, take_gpu
from worker.sandbox.docker import Docker


def test_bubblewrap_is_what_one_gets_and_docker_is_there_for_the_asking():
    assert isinstance(backend_of(Settings()), Bubblewrap)
    assert isinstance(backend_of(Settings(sandbox="docker", device="cuda")), Docker)


def test_there_is_no_way_to_do_without_a_sandbox():
    for name in ("none", "fake", ""):
        with pytest.raises(ValueError, match="bubblewrap"):
            Settings(sandbox=name)


def test_a_gpu_without_docker_is_refused_with_what_to_set():
    with pytest.raises(SandboxUnavailable, match="LETHE_SANDBOX=docker"):
        backend_of(Settings(device="cuda"))


def test_a_gpu_is_one_workers_alone(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    settings = Settings(device="cuda", gpu="GPU-test-1")
    with take_gpu(settings):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-test-1"
        with pytest.raises(SandboxUnavailable, match="another worker on this machine has GPU GPU-test-1"):
            take_gpu(settings)
    assert take_gpu(Settings()) is None
