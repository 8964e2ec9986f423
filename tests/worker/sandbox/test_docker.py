"""What is Docker's own: what the daemon is told, what it may not be, and what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.worker.sandbox.tools import UIDS, bundle, facts
from worker.sandbox import docker as module
from worker.sandbox.base import Job, SandboxFault, SandboxUnavailable
from worker.sandbox.docker import LABEL, Docker

ROOT = Path(__file__).parents[3]
NO_IMAGE = "sha256:" + 64 * "0"


def never():
    return False


@pytest.fixture(scope="module")
def described(containers, spec):
    """What the daemon says of a container that is READY."""
    sandbox = containers.start(spec)
    yield sandbox.body.place.container.attrs
    sandbox.close()


def test_every_limit_reaches_the_daemon(described, spec):
    host = described["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    assert host["Memory"] == host["MemorySwap"] == spec.limits.memory_bytes
    assert host["PidsLimit"] == spec.limits.processes + 4
    assert host["ShmSize"] == spec.limits.tmp_bytes
    assert host["Tmpfs"] == {"/tmp": f"size={spec.limits.tmp_bytes},nr_inodes=4096,mode=1777"}
    assert host["IpcMode"] == "private"
    assert host["PidMode"] == ""
    assert host["LogConfig"]["Type"] == "none"
    assert host["OomScoreAdj"] == 1000
    assert {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]}["core"] == 0
    options = host["SecurityOpt"]
    assert "no-new-privileges" in options
    profile = json.loads(
        next(option for option in options if option.startswith("seccomp=")).removeprefix("seccomp=")
    )
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    assert all(mount["RW"] is False for mount in described["Mounts"] if mount["Type"] == "bind")


def test_it_runs_under_a_user_id_of_its_own(described):
    uid = int(described["Config"]["Labels"][LABEL])
    assert described["Config"]["User"] == f"{uid}:{uid}"
    assert uid >= UIDS + 1000


def test_a_gpu_is_asked_for_by_its_id_and_only_on_cuda(containers, spec):
    backend = Docker(NO_IMAGE, gpu="MIG-1234")
    uid = os.getuid()
    slot = type("Slot", (), {"uid": uid})()
    (request,) = backend._options(slot, spec.limits, gpu=True)["device_requests"]
    assert request["DeviceIDs"] == ["MIG-1234"]
    assert request["Capabilities"] == [["gpu", "compute", "utility"]]
    assert backend._options(slot, spec.limits, gpu=False)["device_requests"] == []


def test_a_gpu_that_the_daemon_does_not_have_is_our_fault(containers, spec):
    with pytest.raises(SandboxFault, match="could not be started"):
        containers.start(replace(spec, device="cuda"))


@pytest.mark.parametrize("image", ["", "lethe-sandbox:latest", "lethe-sandbox@sha256:12"])
def test_an_image_that_is_not_pinned_by_digest_is_refused(containers, image):
    with pytest.raises(SandboxUnavailable, match="by digest"):
        Docker(image).probe()


def test_an_image_that_is_not_there_is_named(containers):
    with pytest.raises(SandboxUnavailable, match=f"has no image {NO_IMAGE}"):
        Docker(NO_IMAGE).probe()


def test_an_image_with_another_runner_is_refused(containers, monkeypatch):
    monkeypatch.setattr(module, "RUNNER_LABEL", "org.lethe.another")
    with pytest.raises(SandboxUnavailable, match="another version of Lethe"):
        containers.probe()


def test_a_daemon_that_does_not_answer_is_told_with_what_to_install(containers, monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody")
    with pytest.raises(SandboxUnavailable, match=r"apt-get install docker\.io"):
        Docker(NO_IMAGE).probe()


def test_a_runtime_that_the_daemon_does_not_know_is_told(containers):
    backend = Docker(containers._image, runtime="nonesuch", uid_base=UIDS + 1000)
    with pytest.raises(SandboxUnavailable, match="nonesuch"):
        backend.probe()
    backend.close()


AGAIN = """
import inside, os, socket
def attempt(path):
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        line.connect(path)
    except OSError as error:
        return type(error).__name__
    return "connected"
inside.report({"again": attempt("/control"), "daemon": [p for p in ("/var/run/docker.sock", "/run/docker.sock") if os.path.exists(p)]})
"""


def test_nobody_can_connect_a_second_time_or_reach_the_daemon(take_container):
    seen = facts(take_container().run(Job(bundle(AGAIN), 1, 20.0), never))
    assert seen == {"again": "ConnectionRefusedError", "daemon": []}


PACKAGES = """
import inside, importlib
inside.report([importlib.import_module(name).__version__ for name in ("torch", "numpy", "scipy", "sklearn", "pandas", "tqdm", "torchvision")])
"""


def test_the_packages_that_participants_are_promised_can_be_imported(containers, spec):
    roomy = replace(spec, limits=replace(spec.limits, memory_bytes=3 << 30))
    assert len(facts(containers.start(roomy).run(Job(bundle(PACKAGES), 1, 120.0), never))) == 7


HOST = """
import sys, os
from pathlib import Path
from tests.worker.sandbox.tools import UIDS, bundle, spec_of
from worker.sandbox.base import Job
from worker.sandbox.docker import Docker

sandbox = Docker(os.environ["LETHE_TEST_IMAGE"], uid_base=UIDS + 1000).start(spec_of(Path(sys.argv[1])))
print(sandbox.body.pid, sandbox.body.place.container.id, flush=True)
sandbox.run(Job(bundle("import time\\nwhile True: time.sleep(60)"), 1, 600.0), lambda: False)
"""


def test_a_container_dies_with_its_worker_and_the_next_one_clears_up(containers, material):
    program = [sys.executable, "-c", HOST, str(material)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, cwd=ROOT) as host:
        pid, container = host.stdout.readline().decode().split()
        time.sleep(1)
        host.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    containers.probe()
    assert container not in {one.id for one in containers._docker().containers.list(all=True)}


def test_nothing_is_left_with_the_daemon_after_runs_and_failed_starts(containers, spec, tmp_path):
    backend = Docker(containers._image, uid_base=UIDS + 2000)
    backend.start(spec).run(Job(bundle("def unlearning(net): pass"), 1, 20.0), never)
    with pytest.raises(SandboxFault, match=r"material\.json"):
        backend.start(replace(spec, material=tmp_path))
    backend.close()
    left = backend._docker().containers.list(all=True, filters={"label": LABEL})
    assert [one for one in left if UIDS + 2000 <= int(one.labels[LABEL]) < UIDS + 2100] == []
    assert list(Path("/run/lethe-sandbox").glob(f"slot-{UIDS + 2000}*")) == []
