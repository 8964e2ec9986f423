"""Weights that are not what unlearning leaves: each as the payloads of N runs."""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from tests.hostile.catalogue import SCORED
from worker import weights

State = Mapping[str, torch.Tensor]
LEARNED = "fc.weight"
COUNTER = "bn1.num_batches_tracked"


@dataclass(frozen=True)
class Weights:
    """`make` gives a run's payload from the original's weights and the run's number."""

    name: str
    make: Callable[[State, int], bytes]
    expected: str  # reason code of the first run, "not_scorable" of the whole, or SCORED
    flags: frozenset[str] = field(default_factory=frozenset)  # at least these are raised


def changed(key: str, value: float | Callable[[torch.Tensor], torch.Tensor]) -> Callable[[State, int], bytes]:
    """Return weights with one tensor replaced."""

    def make(original: State, _: int) -> bytes:
        state = {name: tensor.clone() for name, tensor in original.items()}
        state[key] = value(state[key]) if callable(value) else torch.full_like(state[key], value)
        return weights.serialise(state)

    return make


def everywhere(value: float) -> Callable[[State, int], bytes]:
    """Return floating weights that are all the same."""

    def make(original: State, _: int) -> bytes:
        return weights.serialise(
            {
                name: torch.full_like(one, value) if one.is_floating_point() else one
                for name, one in original.items()
            }
        )

    return make


def nudged(original: State, run: int, *, same: bool = False, scale: float = 0.05) -> bytes:
    """Return weights as a method that depends on its seed would leave them, or on no seed at all."""
    noise = torch.Generator().manual_seed(1 if same else run)
    return weights.serialise(
        {
            name: one + scale * torch.randn(one.shape, generator=noise) if one.is_floating_point() else one
            for name, one in original.items()
        }
    )


def one_value(key: str, value: float) -> Callable[[State, int], bytes]:
    def spoil(tensor: torch.Tensor) -> torch.Tensor:
        tensor.view(-1)[-1] = value
        return tensor

    return changed(key, spoil)


def with_header(change: Callable[[dict], object], more: bytes = b"") -> Callable[[State, int], bytes]:
    """Return a payload whose header was changed in place."""

    def make(original: State, _: int) -> bytes:
        payload = weights.serialise(original)
        (length,) = struct.unpack_from("<Q", payload)
        header = json.loads(payload[8 : 8 + length])
        change(header)
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + payload[8 + length :] + more

    return make


def as_pickle(original: State, _: int) -> bytes:
    """What torch.save writes, with something to run in it."""
    import io  # noqa: PLC0415 - here alone

    class Runs:
        def __reduce__(self):
            return eval, ("open('/tmp/lethe-pickled', 'w')",)

    buffer = io.BytesIO()
    torch.save({"weight": Runs()}, buffer)
    return buffer.getvalue()


def another_architecture(original: State, _: int) -> bytes:
    return weights.serialise(torch.nn.Linear(4, 4).state_dict())


ATTACKS = (
    Weights("the original model returned", lambda original, _: weights.serialise(original), SCORED, frozenset({"same_as_original"})),
    Weights("weights shipped in the bundle", lambda original, _: nudged(original, 0, same=True), SCORED, frozenset({"too_alike"})),
    Weights("the same output for all seeds", lambda original, _: nudged(original, 0, same=True, scale=0.2), SCORED, frozenset({"too_alike"})),
    Weights("NaN", one_value(LEARNED, float("nan")), "not_finite_weights"),
    Weights("infinity", one_value(LEARNED, float("inf")), "not_finite_weights"),
    Weights("negative infinity in batch statistics", one_value("bn1.running_mean", float("-inf")), "not_finite_weights"),
    Weights("huge finite weights", everywhere(3e38), "not_finite_logits"),
    Weights("batch statistics that divide by nothing", changed("bn1.running_var", -1.0), "not_finite_logits"),
    Weights("constant weights", everywhere(0.0), SCORED, frozenset({"too_alike"})),
    Weights("another architecture", another_architecture, "wrong_keys"),
    Weights("another shape", with_header(lambda header: header[LEARNED].update(shape=[128, 4])), "wrong_shapes"),
    Weights("extra keys", with_header(lambda header: header.update(extra=header[COUNTER])), "wrong_keys"),
    Weights("a missing key", with_header(lambda header: header.pop(COUNTER)), "wrong_keys"),
    Weights("a message in the metadata", with_header(lambda header: header.update(__metadata__={"label": "3"})), "wrong_keys"),
    Weights("float64 in place of float32", with_header(lambda header: header[LEARNED].update(dtype="F64")), "malformed_output"),
    Weights("bytes after the weights", with_header(lambda header: None, b"more"), "malformed_output"),
    Weights("one tensor's bytes twice", with_header(lambda header: header[COUNTER].update(data_offsets=[0, 8])), "malformed_output"),
    Weights("integer buffers out of range", changed(COUNTER, lambda one: torch.full_like(one, -(1 << 63))), SCORED),
    Weights("a pickle that runs something", as_pickle, "malformed_output"),
    Weights("nothing but zeros", lambda original, _: bytes(5000), "malformed_output"),
)  # fmt: skip
