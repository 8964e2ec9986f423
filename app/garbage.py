"""Which blobs are named, and the removal of those that are not.

Why no blob is lost that a row comes to name, whatever happens at the same time:

- A put writes its blob anew, so that it is young, and the row that names it is committed within the grace period.
- What is collected was listed as old before the rows were read. A row that was committed later belongs to a put after
  the listing, or at the most a moment before it.
- Such a put may still hit a blob that is just being taken away. Therefore nothing is removed from its place: it is set
  aside, under a name of its own, where readers find it. What is set aside is discarded one grace period later at the
  earliest, if no row names it even then; a blob that a row does name is brought back.

So at any moment a named blob is in its place or aside. Several collections may run at once.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.db import read_only
from app.errors import LetheError
from app.models import Reference, Run, Submission
from app.storage import Blob, DamagedBlob, Storage


class ManifestUnreadable(OSError):  # noqa: N818 - the name says what happened
    """A reference's manifest cannot be read, so nobody knows which blobs it names."""


@dataclass
class Tally:
    """How many blobs, and their bytes."""

    blobs: int = 0
    bytes: int = 0

    def add(self, blob: Blob) -> None:
        """Count one more."""
        self.blobs += 1
        self.bytes += blob.n_bytes


@dataclass
class Collected:
    """What a collection found, and did with it unless it was a dry run."""

    kept: Tally = field(default_factory=Tally)  # named, or younger than the grace period
    set_aside: Tally = field(default_factory=Tally)
    waiting: Tally = field(default_factory=Tally)  # set aside less than a grace period ago
    brought_back: Tally = field(default_factory=Tally)
    discarded: Tally = field(default_factory=Tally)


def collect(engine: Engine, storage: Storage, before: datetime, *, dry_run: bool = False) -> Collected:
    """Set aside what no row names and was last put before a moment, and discard what was set aside before it.

    Between a put and the commit of the row that names it, less time must pass than since `before`.
    Raises ManifestUnreadable, having changed nothing, or StorageAway.
    """
    found = Collected()
    aside, old = list(storage.aside()), []
    for blob in storage.blobs():
        if blob.at < before:
            old.append(blob)
        else:
            found.kept.add(blob)
    with read_only(engine) as session:  # only now, after both lists
        rows = named_by_rows(session)
    names = rows.all | named_by_manifests(storage, rows.manifests)
    steps = (*_leaving(storage, old, names, found), *_left(storage, aside, names, before, found))
    for blob, tally, act in steps:
        if act is not None and not dry_run:
            act(blob)
        tally.add(blob)
    return found


_Step = tuple[Blob, Tally, Callable[[Blob], None] | None]


def _leaving(
    storage: Storage, old: Iterable[Blob], names: Collection[str], found: Collected
) -> Iterator[_Step]:
    """Say what to do with what is old and in its place."""
    for blob in old:
        if blob.digest in names:
            yield blob, found.kept, None
        else:
            yield blob, found.set_aside, storage.set_aside


def _left(
    storage: Storage, aside: Iterable[Blob], names: Collection[str], before: datetime, found: Collected
) -> Iterator[_Step]:
    """Say what to do with what was set aside earlier."""
    for blob in aside:
        if blob.digest in names:
            yield blob, found.brought_back, storage.bring_back
        elif blob.at < before:
            yield blob, found.discarded, storage.discard
        else:
            yield blob, found.waiting, None


NAMING = (Submission.bundle_digest, Run.outputs_digest, Run.log_digest)
"""The columns that name blobs, beside Reference.digest, which names a manifest."""


@dataclass(frozen=True)
class Named:
    """The digests that rows name; those of references name manifests, which name more."""

    all: frozenset[str]
    manifests: frozenset[str]


def named_by_rows(session: Session) -> Named:
    """Return what the rows name: bundles, outputs, logs and manifests."""
    manifests = set(session.scalars(select(Reference.digest)))
    names = set(manifests)
    for column in NAMING:
        query = select(column).where(column.is_not(None)).execution_options(yield_per=10_000)
        names.update(digest for digest in session.scalars(query) if digest is not None)
    return Named(frozenset(names), frozenset(manifests))


def named_by_manifests(storage: Storage, manifests: Iterable[str]) -> set[str]:
    """Return what references' manifests name. Raises ManifestUnreadable."""
    names: set[str] = set()
    for digest in manifests:
        try:
            names.update(json.loads(storage.get(digest))["files"].values())
        except (LetheError, DamagedBlob, ValueError, LookupError) as error:
            raise ManifestUnreadable(
                f"the manifest of reference {digest} cannot be read, so nobody knows what it names: {error}"
            ) from error
    return names
