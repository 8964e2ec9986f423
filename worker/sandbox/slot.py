"""What the host sets aside for one sandbox: a user id of its own, where we may choose one, and a control group."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass

from worker.sandbox.base import Limits
from worker.sandbox.cgroup import Cgroup, Cgroups
from worker.sandbox.claims import Claim, claim_uid, kill_leftovers

_COUNTER: Iterator[int] = itertools.count()


@dataclass(frozen=True)
class Slot:
    """Held from before a sandbox starts until everything in it is dead."""

    claim: Claim | None  # None for an ordinary user, who has one user id and no choice
    group: Cgroup | None  # None where this worker may make no groups

    @property
    def uid(self) -> int | None:
        """The user id to run under, or None to keep our own."""
        return self.claim.number if self.claim else None

    def release(self) -> None:
        """Give everything back."""
        if self.group is not None:
            self.group.remove()
        if self.claim is not None:
            self.claim.release()


def take_slot(uid_base: int, groups: Cgroups | None, limits: Limits) -> Slot:
    """Set a slot aside; nothing runs in it. Raises OSError, SandboxUnavailable."""
    claim = claim_uid(uid_base) if os.geteuid() == 0 else None
    name = _group_of(claim.number) if claim else f"worker-{os.getpid()}-{next(_COUNTER)}"
    try:
        return Slot(claim, groups.make(name, limits) if groups else None)
    except BaseException:
        if claim is not None:
            claim.release()
        raise


def clear_leftovers(groups: Cgroups | None) -> None:
    """Kill what workers that died left in sandboxes, and remove those sandboxes' groups. For root only."""
    kill_leftovers(lambda uid: groups.named(_group_of(uid)).remove() if groups else None)


def _group_of(uid: int) -> str:
    return f"uid-{uid}"
