"""A competition's public data as a small competition of its own: to try bundles on, on anybody's machine.

Its retain and forget sets together are what the original was trained on, its forget set is both splits', and for want of
another test set its validation images stand in. So everything that prepares and grades a competition works on it unchanged.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.competitions import CompetitionConfig, InvalidCompetition
from worker.files import npz_bytes, read_npz, write_atomically
from worker.prepare import validate
from worker.reference import smoke_arrays

Numbers = dict[str, NDArray[Any]]

LISTING = "lethe-data.json"
"""In a folder that `lethe data` made: the service's list of files with the rules of a run."""
_DATA_PY = '''\
"""Made by Lethe from public data: see worker/public_data.py."""

from pathlib import Path

import numpy as np


def load():
    with np.load(Path(__file__).with_name("public.npz"), allow_pickle=False) as found:
        given = {name: found[name] for name in found.files}
    names = [name.removeprefix("retain_") for name in given if name.startswith("retain_")]
    arrays = {f"train_{name}": np.concatenate([given[f"retain_{name}"], given[f"forget_{name}"]]) for name in names}
    arrays |= {f"val_{name}": given[f"val_{name}"] for name in names}
    arrays |= {f"test_{name}": given[f"val_{name}"] for name in ("images", "labels")}
    n_retain, n_forget = len(given["retain_labels"]), len(given["forget_labels"])
    forget = np.arange(n_retain, n_retain + n_forget)
    return arrays | {"forget_public": forget, "forget_private": forget}
'''


@dataclass(frozen=True)
class PublicData:
    """What is public of a competition, and the rules that runs are held to.

    `arrays` are {retain,forget,val}_{images,labels,ids} and extras. `original` is the original's weights as an npz file;
    without it one is trained. `full_size` counts the images of the hidden retain and forget sets, where that is known.
    """

    config: CompetitionConfig
    model: bytes
    arrays: Numbers
    original: bytes | None
    full_size: tuple[int, int] | None

    @property
    def digest(self) -> str:
        """Names these data, whatever the rules."""
        parts = (self.model, npz_bytes(self.arrays), self.original or b"")
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:16]


def from_download(folder: Path) -> PublicData:
    """Read a folder that `lethe data` made. Raises InvalidCompetition for what is missing or damaged."""
    try:
        listing = json.loads((folder / LISTING).read_bytes())
        files = {one["name"]: _checked(folder / one["name"], one["sha256"]) for one in listing["files"]}
        rules, full = listing["rules"], listing["full_size"]
        config = CompetitionConfig.model_validate({**rules, "slug": listing["competition"], **_always()})
        return PublicData(
            config,
            files["model.py"],
            read_npz(folder / "material.npz"),
            files["original.npz"],
            None if full is None else (full["retain"], full["forget"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidCompetition(
            f"{folder} does not hold whole public data: {' '.join(str(error).split())}",
            advice="Run `lethe data` again; where the service is newer than this, update Lethe too.",
        ) from error


def from_competition(folder: Path) -> PublicData:
    """Take the public data out of an organiser's folder. Raises InvalidCompetition, also where it gives none."""
    checked = validate(folder)
    dataset = checked.dataset
    if not dataset.has_smoke:
        raise InvalidCompetition(
            f"{folder} gives no public data.", advice="Its data.py would have to give smoke_images and more."
        )
    full_size = len(dataset.retain("public")), len(dataset.forget("public"))
    model = (folder / "model.py").read_bytes()
    return PublicData(checked.config, model, smoke_arrays(dataset), None, full_size)


def write_competition(data: PublicData, parent: Path) -> Path:
    """Write the data as an organiser's folder, named by their digest, and return it."""
    folder = parent / f"{data.config.slug}-{data.digest}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {
        "model.py": data.model,
        "data.py": _DATA_PY.encode(),
        "public.npz": npz_bytes(data.arrays),
        "competition.toml": _toml(data.config).encode(),
    }.items():
        write_atomically(folder / name, content)
    return folder


def enlarged(data: PublicData) -> PublicData:
    """Return the data with retain and forget set as large as the hidden ones, their images repeated: to measure time on."""
    if data.full_size is None:
        return data
    wanted = dict(zip(("retain", "forget"), data.full_size, strict=True))
    arrays = {
        name: _repeated(array, wanted.get(name.partition("_")[0])) for name, array in data.arrays.items()
    }
    return replace(data, arrays=arrays)


def _repeated(array: NDArray[Any], count: int | None) -> NDArray[Any]:
    """Return `count` rows, the array's own over and over; never fewer than it has."""
    if count is None or count <= len(array):
        return array
    repeated: NDArray[Any] = array[np.arange(count) % len(array)]
    return repeated


def _checked(path: Path, digest: str) -> bytes:
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(f"{path.name} is not what the list says")
    return data


def _always() -> Mapping[str, datetime]:
    """Return dates for a competition that has no end here."""
    return {"opens_at": datetime(2000, 1, 1, tzinfo=UTC), "closes_at": datetime(9999, 1, 1, tzinfo=UTC)}


def _toml(config: CompetitionConfig) -> str:
    """Write what training reads of a configuration; JSON's strings and numbers are TOML's too."""
    dates = {"opens_at": config.opens_at.isoformat(), "closes_at": config.closes_at.isoformat()}
    top = {"slug": config.slug, "title": config.title, **dates}
    batches = {"kind": config.batches.kind, "size": config.batches.size}
    sections: dict[str, Mapping[str, Any]] = {"batches": batches, "batches.fields": config.batches.fields}
    lines = [f"{name} = {json.dumps(value)}" for name, value in top.items()]
    for section, values in sections.items():
        lines += [
            f"[{section}]",
            *(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in values.items()),
        ]
    return "\n".join(lines) + "\n"
