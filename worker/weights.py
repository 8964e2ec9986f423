"""Untrusted bytes -> checked tensors: a strict reader of the safetensors format.

Nothing is unpickled, no more is allocated than the payload's own size, a little for its header and one chunk of values;
and only exactly the reference's layout passes: the same keys, dtypes and shapes, data that covers the payload without a
gap or an overlap, finite values.
"""

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch

MAX_HEADER_BYTES = 1 << 20
_PREFIX_BYTES = 8
_CHUNK = 1 << 18  # values looked at together

DTYPES: dict[str, torch.dtype] = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}

Code = Literal["malformed_output", "wrong_keys", "wrong_shapes", "not_finite_weights"]


class InvalidWeights(Exception):  # noqa: N818 - the participant's doing, not an error of ours
    """The payload is not what the reference's layout asks for; `code` is a reason code of app.reasons."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code: Code = code


@dataclass(frozen=True)
class TensorSpec:
    """One tensor's dtype, by its name in the safetensors format, and shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """How much data the tensor has."""
        return math.prod(self.shape) * DTYPES[self.dtype].itemsize


Layout = dict[str, TensorSpec]


def layout_of(state_dict: Mapping[str, torch.Tensor]) -> Layout:
    """Return the layout of a state dict, in its order."""
    return {key: TensorSpec(_NAMES[tensor.dtype], tuple(tensor.shape)) for key, tensor in state_dict.items()}


def header_bytes(layout: Layout) -> int:
    """Return the most that a header of this layout can take; one that is longer would become many objects in memory."""
    entries = (len(json.dumps(key)) + 128 + 24 * len(spec.shape) for key, spec in layout.items())
    return min(MAX_HEADER_BYTES, 1024 + sum(entries))


def payload_bytes(layout: Layout) -> int:
    """Return the most that a payload of this layout can take: its data, and the room a header may need."""
    return sum(spec.bytes for spec in layout.values()) + header_bytes(layout) + _PREFIX_BYTES


def serialise(state_dict: Mapping[str, torch.Tensor]) -> bytes:
    """Return the payload that `read` takes back, for tensors that are already as they should be."""
    header: dict[str, Any] = {}
    chunks: list[bytes] = []
    place = 0
    for key, spec in layout_of(state_dict).items():
        header[key] = {"dtype": spec.dtype, "shape": spec.shape, "data_offsets": [place, place + spec.bytes]}
        chunks.append(
            state_dict[key].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        )
        place += spec.bytes
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(chunks)


def read(payload: bytes, layout: Layout) -> dict[str, torch.Tensor]:
    """Return the payload's tensors in the layout's order, each with memory of its own. Raises InvalidWeights."""
    if len(payload) > payload_bytes(layout):
        raise InvalidWeights("malformed_output", "the payload is larger than the layout allows")
    header, data = _split(payload, header_bytes(layout))
    if header.keys() != layout.keys():
        raise InvalidWeights(
            "wrong_keys", f"{len(header.keys() ^ layout.keys())} names differ from the original's"
        )
    offsets = {key: _checked(key, header[key], spec) for key, spec in layout.items()}
    _check_cover(list(offsets.values()), len(data))
    return {key: _tensor(key, data[slice(*offsets[key])], spec) for key, spec in layout.items()}


def _split(payload: bytes, most: int) -> tuple[dict[str, Any], memoryview]:
    if len(payload) < _PREFIX_BYTES:
        raise InvalidWeights("malformed_output", "the payload is too short for a header")
    (length,) = struct.unpack_from("<Q", payload)
    if length > most or _PREFIX_BYTES + length > len(payload):
        raise InvalidWeights("malformed_output", "the header's length is out of range")
    text = payload[_PREFIX_BYTES : _PREFIX_BYTES + length]
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise InvalidWeights("malformed_output", "the header is not plain JSON with unique names") from error
    if not isinstance(header, dict):
        raise InvalidWeights("malformed_output", "the header is not an object")
    return header, memoryview(payload)[_PREFIX_BYTES + length :]


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _checked(key: str, entry: Any, spec: TensorSpec) -> tuple[int, int]:
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise InvalidWeights("malformed_output", f"{key}: the entry is not dtype, shape and data_offsets")
    shape, offsets = _integers(key, entry["shape"]), _integers(key, entry["data_offsets"])
    if shape != spec.shape:
        raise InvalidWeights("wrong_shapes", f"{key}: the shape is not the original's {list(spec.shape)}")
    if entry["dtype"] != spec.dtype:
        raise InvalidWeights("malformed_output", f"{key}: the dtype is not the original's {spec.dtype}")
    if len(offsets) != 2 or offsets[1] - offsets[0] != spec.bytes:
        raise InvalidWeights("malformed_output", f"{key}: the offsets do not span {spec.bytes} bytes")
    return offsets[0], offsets[1]


def _integers(key: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(item) is int and item >= 0 for item in value):
        raise InvalidWeights("malformed_output", f"{key}: expected a list of counts")
    return tuple(value)


def _check_cover(spans: list[tuple[int, int]], total: int) -> None:
    place = 0
    for begin, end in sorted(spans):
        if begin != place:
            raise InvalidWeights("malformed_output", "the data has a gap or an overlap")
        place = end
    if place != total:
        raise InvalidWeights("malformed_output", "the data is longer or shorter than the header says")


def _tensor(key: str, data: memoryview, spec: TensorSpec) -> torch.Tensor:
    dtype = DTYPES[spec.dtype]
    if spec.dtype == "BOOL" and max(data, default=0) > 1:
        raise InvalidWeights("malformed_output", f"{key}: a truth value is neither 0 nor 1")
    if not len(data):
        return torch.empty(spec.shape, dtype=dtype)
    tensor = torch.frombuffer(bytearray(data), dtype=dtype).reshape(spec.shape)
    if dtype.is_floating_point and not _is_finite(tensor):
        raise InvalidWeights("not_finite_weights", f"{key} holds NaN or infinity")
    return tensor


def _is_finite(tensor: torch.Tensor) -> bool:
    """Tell whether all values are finite, looking at few of them at a time: torch makes copies to find out."""
    return all(bool(torch.isfinite(chunk).all()) for chunk in torch.split(tensor.view(-1), _CHUNK))
