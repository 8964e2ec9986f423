"""The command line that starts a sandbox: what is mounted where, and how privileges are dropped first.

bwrap is never started as root: even with `--uid` and `--cap-drop ALL` such a sandbox can write the host's core_pattern.
A worker that is root drops to an unprivileged uid first. That uid may not be able to reach Python or the material (below
/root, say), so the folders are bound to a staging place in a mount namespace of this sandbox's own; the host sees nothing.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from worker.sandbox.base import SandboxUnavailable

INSTALL = "Install them with: apt-get install bubblewrap util-linux"
MATERIAL, PACKAGES, RUNNER = "/material", "/site", "/runner.py"
INSIDE_UID = 1000

_STAGES = ("/mnt", "/media", "/srv", "/opt", "/home")
_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ENTER = 'while [ "$1" != -- ]; do echo $$ > "$1"; shift; done; shift; exec "$@"'  # control groups, from the first byte on
_STAGE_AND_DROP = """
set -e
stage=$1 uid=$2 count=$3
shift 3
mount -t tmpfs -o mode=0755 staging "$stage"
while [ "$count" -gt 0 ]; do
    mkdir "$stage/$count"
    mount --bind "$1" "$stage/$count"
    shift
    count=$((count - 1))
done
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$@"
"""


@dataclass(frozen=True)
class Host:
    """Where this machine keeps what a sandbox needs."""

    interpreter: Path
    prefix: Path
    packages: Path


def find_host() -> Host:
    """Find this Python, and the folder that torch was installed in. Raises SandboxUnavailable."""
    torch = importlib.util.find_spec("torch")
    if torch is None or torch.origin is None:
        raise SandboxUnavailable("torch is not installed in the worker's Python")
    prefix = Path(sys.base_prefix).resolve()
    return Host(Path(sys.executable).resolve(), prefix, Path(torch.origin).resolve().parent.parent)


def require_tools(*, as_root: bool) -> None:
    """Raise SandboxUnavailable unless the programs that start a sandbox are installed."""
    tools = ["bwrap", *(["setpriv", "unshare", "mount"] if as_root else [])]
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise SandboxUnavailable(f"Sandboxes do not work here: {', '.join(missing)} not found. {INSTALL}")


@dataclass(frozen=True)
class Mounts:
    """What one sandbox sees besides /usr and this Python."""

    material: Path | None
    tmp_bytes: int
    data: Sequence[tuple[int, str]] = ()  # inherited descriptors whose bytes appear as read-only files


@dataclass(frozen=True)
class Channels:
    """Inherited descriptors that bwrap itself uses."""

    info: int  # it tells about its child here
    filter: int  # and reads the system call filter here


@dataclass(frozen=True)
class Drop:
    """What a sandbox is confined to from outside before bwrap starts."""

    uid: int | None  # the one to drop to when started as root, else None
    entrances: Sequence[Path] = ()  # of control groups


def command(host: Host, mounts: Mounts, inside: Sequence[str], channels: Channels, drop: Drop) -> list[str]:
    """Return the whole command."""
    enter = ["sh", "-ec", _ENTER, "sh", *map(str, drop.entrances), "--"] if drop.entrances else []
    return [*enter, *_staged(host, mounts, inside, channels, drop.uid)]


def _staged(
    host: Host, mounts: Mounts, inside: Sequence[str], channels: Channels, uid: int | None
) -> list[str]:
    binds = [(host.packages, PACKAGES)]
    if not host.prefix.is_relative_to("/usr"):
        binds.append((host.prefix, str(host.prefix)))
    if mounts.material is not None:
        binds.append((mounts.material.resolve(), MATERIAL))
    if uid is None:
        return _bubblewrap(binds, mounts, channels, inside)
    stage = _stage([source for source, _ in binds])
    staged = [(Path(stage) / str(len(binds) - index), target) for index, (_, target) in enumerate(binds)]
    return [
        *("unshare", "--mount", "--propagation", "private", "--"),
        *("sh", "-c", _STAGE_AND_DROP, "sh", stage, str(uid), str(len(binds))),
        *(str(source) for source, _ in binds),
        *_bubblewrap(staged, mounts, channels, inside),
    ]


def _stage(sources: Sequence[Path]) -> str:
    for stage in _STAGES:
        if os.path.isdir(stage) and not any(source.is_relative_to(stage) for source in sources):  # noqa: PTH112
            return stage
    raise SandboxUnavailable(f"none of {', '.join(_STAGES)} is a folder that can be used for staging")


def _bubblewrap(
    binds: Sequence[tuple[Path, str]], mounts: Mounts, channels: Channels, inside: Sequence[str]
) -> list[str]:
    return [
        *(
            "bwrap",
            "--unshare-all",
            "--unshare-user",
            "--disable-userns",
            "--die-with-parent",
            "--new-session",
        ),
        *(
            "--as-pid-1",
            "--cap-drop",
            "ALL",
            "--clearenv",
            "--uid",
            str(INSIDE_UID),
            "--gid",
            str(INSIDE_UID),
        ),
        *("--hostname", "sandbox", "--info-fd", str(channels.info), "--seccomp", str(channels.filter)),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", str(mounts.tmp_bytes), "--tmpfs", "/dev/shm"),  # noqa: S108 - the sandbox's own
        *("--size", str(mounts.tmp_bytes), "--tmpfs", "/tmp"),  # noqa: S108 - the sandbox's own
        *_system(),
        *chain.from_iterable(("--ro-bind", str(source), target) for source, target in binds),
        *chain.from_iterable(
            ("--perms", "0444", "--ro-bind-data", str(fd), name) for fd, name in mounts.data
        ),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp", "--"),  # noqa: S108 - the sandbox's own
        *inside,
    ]


def _system() -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _LINKS:
        path = Path("/") / name
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
