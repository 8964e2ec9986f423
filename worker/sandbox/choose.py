"""From settings to a back end. Untrusted code runs in a sandbox or not at all."""

import os
import zlib

from app.settings import Settings
from worker.sandbox.base import Backend, SandboxUnavailable
from worker.sandbox.claims import Claim, claim


def backend_of(settings: Settings) -> Backend:
    """Return the back end that the settings name, not probed yet. Raises SandboxUnavailable."""
    if settings.sandbox == "docker":
        from worker.sandbox.docker import Docker  # noqa: PLC0415 - bubblewrap workers do without the SDK

        return Docker(
            settings.sandbox_image,
            runtime=settings.sandbox_runtime,
            gpu=settings.gpu,
            uid_base=settings.sandbox_uid_base,
        )
    if settings.device != "cpu":
        raise SandboxUnavailable(
            f"bubblewrap sandboxes run on the CPU only, and LETHE_DEVICE is {settings.device}: "
            "set LETHE_SANDBOX=docker as well"
        )
    from worker.sandbox.bubblewrap import Bubblewrap  # noqa: PLC0415 - see above

    return Bubblewrap(settings.sandbox_uid_base)


def take_gpu(settings: Settings) -> Claim | None:
    """Claim the worker's GPU for as long as it lives, and hide the others from it; None on the CPU.

    Called before torch is imported. Raises SandboxUnavailable while another worker on this machine has it.
    """
    if settings.device == "cpu":
        return None
    os.environ["CUDA_VISIBLE_DEVICES"] = settings.gpu
    claimed = claim("gpu", zlib.crc32(settings.gpu.encode()))
    if claimed is None:
        raise SandboxUnavailable(
            f"another worker on this machine has GPU {settings.gpu}: set LETHE_GPU to another"
        )
    return claimed
