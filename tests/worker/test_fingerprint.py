"""What of a machine and of a competition's limits names a device."""

import re

import pytest
import torch

from app.competitions import Sandbox
from worker import fingerprint as module
from worker.fingerprint import fingerprint, processor
from worker.reference import device as prepared_on

LIMITS = Sandbox()


def digest(limits=LIMITS, device="cpu", sandboxes="bubblewrap"):
    return fingerprint(limits, device, sandboxes).digest


def test_equal_facts_have_one_digest_of_sixteen_hexadecimal_digits():
    assert digest() == digest()
    assert re.fullmatch("[0-9a-f]{16}", digest())


@pytest.mark.parametrize("changed", [{"threads": 2}, {"memory_mb": 4000}, {"processes": 65}])
def test_each_limit_that_changes_speed_names_another_device(changed):
    assert digest(LIMITS.model_copy(update=changed)) != digest()


def test_another_image_of_the_sandboxes_is_another_device():
    assert len({digest(sandboxes=one) for one in ("bubblewrap", "docker sha256:1", "docker sha256:2")}) == 3


def test_another_torch_or_processor_is_another_device(monkeypatch):
    here = digest()
    monkeypatch.setattr(torch, "__version__", "0.0")
    other_torch = digest()
    monkeypatch.setattr(module, "processor", lambda: "Another CPU")
    assert len({here, other_torch, digest()}) == 3


def test_what_changes_no_speed_changes_no_digest():
    assert digest(LIMITS.model_copy(update={"tmp_mb": 128})) == digest()


def test_the_words_name_the_processor_and_the_threads_as_the_preparation_does():
    assert fingerprint(LIMITS, "cpu", "bubblewrap").name == prepared_on()
    two = fingerprint(LIMITS.model_copy(update={"threads": 2}), "cpu", "bubblewrap")
    assert two.name == f"{processor()}, 2 threads"


def test_a_gpu_is_named_by_its_model_with_memory_and_driver_in_the_facts(monkeypatch, tmp_path):
    properties = type("Properties", (), {"name": "GPU X", "total_memory": 80, "multi_processor_count": 7})
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: properties)
    (tmp_path / "version").write_text("NVRM version: 550.1\nGCC version: 12\n")
    monkeypatch.setattr(module, "_NVIDIA", tmp_path / "version")
    module._accelerator.cache_clear()
    found = fingerprint(LIMITS, "cuda", "docker sha256:1")
    module._accelerator.cache_clear()
    assert found.name == "GPU X, 1 thread"
    assert found.facts["accelerator"] == {
        "model": "GPU X",
        "memory_bytes": 80,
        "processors": 7,
        "cuda": torch.version.cuda,
        "driver": "NVRM version: 550.1",
    }
    assert found.facts["processor"] == processor()
