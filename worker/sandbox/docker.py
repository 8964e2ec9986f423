"""Sandboxes as containers of a Docker daemon: for servers, for GPUs, and for runtimes such as runsc.

Each sandbox has a container and a user id of its own; the image is pinned by digest and holds the very runner that this
worker was built with. The container shares the host's kernel unless `runtime` names one that does not. The worker must be
root on the daemon's own machine (in a container of its own: with the host's process ids), for it kills by pidfd.
"""

import contextlib
import hashlib
import json
import os
import re
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException, ImageNotFound
from docker.types import DeviceRequest, LogConfig, Ulimit

from worker.sandbox import probe, seccomp
from worker.sandbox.base import Limits, SandboxFault, SandboxSpec, SandboxUnavailable
from worker.sandbox.claims import claim
from worker.sandbox.command import MATERIAL, PACKAGES, RUNNER
from worker.sandbox.container import CONTROL, Body, Place, connected, remove, words
from worker.sandbox.session import WatchedSandbox
from worker.sandbox.slot import Slot, take_slot
from worker.sandbox.starting import file_rlimits, wait_for_ready, wait_readable

ADVICE = "See 'Docker sandboxes' in docs/operators.md"
LABEL, RUNNER_LABEL = "org.lethe.slot", "org.lethe.runner"
_PINNED = re.compile(r"(.+@)?sha256:[0-9a-f]{64}")
_PYTHON = "/opt/lethe/bin/python"
_VARIABLES = ("PATH", "HOSTNAME", "HOME", "PWD", "LC_CTYPE")  # Docker sets them; none says anything
_INODES = 4096
_PROBE_BEGIN = f"""
import base64, importlib.util, io, json, socket, sys
spec = importlib.util.spec_from_file_location("runner", "{RUNNER}")
runner = importlib.util.module_from_spec(spec)
sys.modules["runner"] = runner
spec.loader.exec_module(runner)
line = runner.connect("{CONTROL}")
runner.install_filter(base64.b64decode(json.loads(sys.argv[1])["filter"]))
sys.stdout = io.StringIO()
"""
_PROBE_END = """
line.send(sys.stdout.getvalue().encode())
line.recv(1)
"""


class Docker:
    """Starts sandboxes through the daemon that DOCKER_HOST names."""

    name = "docker"

    def __init__(
        self,
        image: str,
        *,
        runtime: str = "runc",
        gpu: str = "0",
        uid_base: int = 210_000,
        start_seconds: float = 120.0,
    ) -> None:
        """Take an image by digest; `gpu` is the index or UUID of the GPU or MIG instance for device "cuda"."""
        self._image = image
        self._runtime = runtime
        self._gpu = gpu
        self._uid_base = uid_base
        self._start_seconds = start_seconds
        self._client: docker.DockerClient | None = None
        self._cleaner = ThreadPoolExecutor(2, thread_name_prefix="sandbox-cleaner")

    @property
    def identity(self) -> str:
        """What a calibration on this back end holds for."""
        return f"docker {self._image} {self._runtime}"

    def probe(self) -> None:
        """Raise SandboxUnavailable, naming what failed and what to do, unless a sandbox here holds."""
        if os.geteuid() != 0:
            raise SandboxUnavailable(f"Docker sandboxes need a worker that is root. {ADVICE}")
        if not _PINNED.fullmatch(self._image):
            raise SandboxUnavailable(
                f"LETHE_SANDBOX_IMAGE must name an image by digest, not {self._image!r}: "
                f"build one with worker/build-image, which prints it. {ADVICE}"
            )
        with _told():
            self._check_image()
            self._remove_leftovers()
            probe.judge(self._ask(), "the container gave no answer", ADVICE)

    def start(self, spec: SandboxSpec) -> WatchedSandbox:
        """Start a sandbox and block until it is READY. Raises SandboxFault."""
        deadline = time.monotonic() + self._start_seconds
        inside = [_PYTHON, "-I", "-B", RUNNER, _settings(spec)]
        body = self._launch(inside, spec.limits, deadline, material=spec.material, gpu=spec.device != "cpu")
        sandbox = WatchedSandbox(body, body.meter(spec.limits), spec.limits)
        try:
            wait_for_ready(body.control, deadline)
        except BaseException as error:
            sandbox.close()
            if isinstance(error, OSError):
                raise SandboxFault(f"a sandbox did not start: {error}") from error
            raise
        return sandbox

    def close(self) -> None:
        """Wait until what dead sandboxes left with the daemon is removed."""
        self._cleaner.shutdown(wait=True)

    def _ask(self) -> bytes:
        """Run the probe in a container that holds nothing else; return what it sent."""
        deadline = time.monotonic() + self._start_seconds
        script = _PROBE_BEGIN + probe.script(_rlimits(probe.LIMITS), _VARIABLES) + _PROBE_END
        inside = [_PYTHON, "-I", "-B", "-S", "-c", script, json.dumps({"filter": _filter()})]
        body = self._launch(inside, probe.LIMITS, deadline)
        try:
            wait_readable(body.control.fileno(), deadline)
            return body.control.recv(65536)
        except OSError:
            return b""
        finally:
            WatchedSandbox(body, body.meter(probe.LIMITS), probe.LIMITS).close()

    def _launch(
        self,
        inside: list[str],
        limits: Limits,
        deadline: float,
        *,
        material: Path | None = None,
        gpu: bool = False,
    ) -> Body:
        """Start a container and take the one connection that it makes. Raises SandboxFault."""
        try:
            place = Place.make(take_slot(self._uid_base, None, limits), self._cleaner)
        except OSError as error:
            raise SandboxFault(f"a sandbox could not be started: {error}") from error
        try:
            with place.listening() as listener:
                place.container = self._docker().containers.create(
                    self._image,
                    inside,
                    mounts=place.mounts(material),
                    **self._options(place.slot, limits, gpu=gpu),
                )
                place.container.start()
                place.container.reload()
                return connected(place, listener, deadline)
        except BaseException as error:
            place.discard()
            if isinstance(error, OSError | DockerException):
                raise SandboxFault(f"a sandbox could not be started: {words(error)}") from error
            raise

    def _options(self, slot: Slot, limits: Limits, *, gpu: bool) -> dict[str, Any]:
        """Return everything that confines a container."""
        uid = slot.uid
        return {
            "entrypoint": [],
            "user": f"{uid}:{uid}",
            "labels": {LABEL: str(uid)},
            "hostname": "sandbox",
            "runtime": self._runtime,
            "network_mode": "none",
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges", f"seccomp={seccomp.docker_profile()}"],
            "pids_limit": limits.processes + 4,
            "mem_limit": limits.memory_bytes,
            "memswap_limit": limits.memory_bytes,
            "oom_score_adj": 1000,
            "ipc_mode": "private",
            "shm_size": limits.tmp_bytes,
            "tmpfs": {"/tmp": f"size={limits.tmp_bytes},nr_inodes={_INODES},mode=1777"},  # noqa: S108
            "ulimits": [
                Ulimit(name=name.removeprefix("RLIMIT_").lower(), soft=value, hard=value)
                for name, value in file_rlimits(limits).items()
            ],
            "log_config": LogConfig(type=LogConfig.types.NONE),
            "device_requests": [
                DeviceRequest(device_ids=[self._gpu], capabilities=[["gpu", "compute", "utility"]])
            ]
            if gpu
            else [],
        }

    def _docker(self) -> docker.DockerClient:
        """Connect at the first use, so that what is wrong is told by the probe."""
        if self._client is None:
            self._client = docker.from_env()
        return self._client

    def _check_image(self) -> None:
        """Raise SandboxUnavailable unless the image is there and holds this worker's runner."""
        try:
            labels = self._docker().images.get(self._image).labels
        except ImageNotFound as error:
            raise SandboxUnavailable(
                f"The daemon has no image {self._image}: build it with worker/build-image, or pull it. {ADVICE}"
            ) from error
        ours = hashlib.sha256(Path(__file__).with_name("runner.py").read_bytes()).hexdigest()
        if labels.get(RUNNER_LABEL) != ours:
            raise SandboxUnavailable(
                f"The image {self._image} was built for another version of Lethe: build it again with worker/build-image."
            )

    def _remove_leftovers(self) -> None:
        """Remove the containers of workers that are dead."""
        for container in self._docker().containers.list(all=True, filters={"label": LABEL}):
            claimed = claim("uid", int(container.labels[LABEL]))
            if claimed is not None:
                with claimed:
                    remove(container)


def _settings(spec: SandboxSpec) -> str:
    return json.dumps(
        {
            "control": CONTROL,
            "filter": _filter(),
            "material": MATERIAL,
            "packages": PACKAGES,
            "bundle_folder": "/tmp/bundle",  # noqa: S108 - the sandbox's own
            "device": spec.device,
            "threads": spec.limits.threads,
            "rlimits": _rlimits(spec.limits),
        }
    )


def _rlimits(limits: Limits) -> dict[str, int]:
    return {"RLIMIT_NPROC": limits.processes, **file_rlimits(limits)}


def _filter() -> str:
    return b64encode(seccomp.program()).decode()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn what the daemon or the way to it does into words that say what to do."""
    try:
        yield
    except SandboxUnavailable:
        raise
    except (DockerException, OSError, SandboxFault) as error:
        raise SandboxUnavailable(
            f"Docker sandboxes do not work here: {words(error)}. Is the daemon running (apt-get install docker.io), "
            f"and does DOCKER_HOST name it? {ADVICE}"
        ) from error
