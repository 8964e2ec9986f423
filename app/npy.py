"""What an npz file holds, read from its headers alone: names, types and shapes, without NumPy and without the data."""

import ast
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_MAGIC = b"\x93NUMPY"
_KINDS = {"f": "float", "i": "int", "u": "uint", "b": "bool"}


@dataclass(frozen=True)
class ArrayHeader:
    """One array of an npz file; `dtype` is NumPy's name of it."""

    name: str
    dtype: str
    shape: tuple[int, ...]


def arrays_of(path: Path) -> tuple[ArrayHeader, ...]:
    """Return the arrays of an npz file that Lethe wrote, in its order. Raises ValueError for any other file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(
                _header(name, archive.open(name)) for name in archive.namelist() if name.endswith(".npy")
            )
    except (zipfile.BadZipFile, struct.error, SyntaxError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is no npz file") from error


def _header(name: str, file: IO[bytes]) -> ArrayHeader:
    with file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError(f"{name} is no npy file")
        version = file.read(2)[0]
        length = struct.unpack("<H", file.read(2)) if version == 1 else struct.unpack("<I", file.read(4))
        found = ast.literal_eval(file.read(length[0]).decode("latin-1").strip())
    return ArrayHeader(name.removesuffix(".npy"), _dtype(found["descr"]), tuple(found["shape"]))


def _dtype(descr: str) -> str:
    """Name a type as NumPy does.

    >>> _dtype("<f4"), _dtype("|b1"), _dtype("<i8")
    ('float32', 'bool', 'int64')
    """
    kind, size = _KINDS[descr[1]], int(descr[2:])
    return kind if kind == "bool" else f"{kind}{8 * size}"
