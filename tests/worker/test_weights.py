"""The strict reader against what honest and dishonest writers leave."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from worker import weights
from worker.weights import (
    MAX_HEADER_BYTES,
    InvalidWeights,
    header_bytes,
    layout_of,
    payload_bytes,
    read,
    serialise,
)

ROOT = Path(__file__).parents[2]

STATE = {
    "conv.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "count": torch.tensor(3),
    "half": torch.ones(2, dtype=torch.float16),
    "mask": torch.tensor([True, False]),
    "none": torch.empty(0, 4),
}
LAYOUT = layout_of(STATE)
HONEST = serialise(STATE)


def split(payload):
    (length,) = struct.unpack_from("<Q", payload)
    return json.loads(payload[8 : 8 + length]), payload[8 + length :]


def joined(header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def forged(change, data=None):
    """Return the honest payload with its header changed in place by `change`."""
    header, honest = split(HONEST)
    change(header)
    return joined(header, honest if data is None else data)


def code_of(payload, layout=LAYOUT):
    with pytest.raises(InvalidWeights) as refused:
        read(payload, layout)
    return refused.value.code


def test_what_is_written_reads_back_in_the_layouts_order():
    shuffled = serialise(dict(reversed(STATE.items())))
    for payload in (HONEST, shuffled):
        tensors = read(payload, LAYOUT)
        assert list(tensors) == list(STATE)
        assert all(tensors[key].equal(STATE[key]) and tensors[key].dtype is STATE[key].dtype for key in STATE)
    assert len(HONEST) <= payload_bytes(LAYOUT)


def test_tensors_read_own_their_memory():
    tensors = read(HONEST, LAYOUT)
    tensors["conv.weight"].zero_()
    assert read(HONEST, LAYOUT)["conv.weight"].equal(STATE["conv.weight"])


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"short",
        struct.pack("<Q", 1 << 63),
        struct.pack("<Q", MAX_HEADER_BYTES + 1) + b" " * (MAX_HEADER_BYTES + 1),
        joined(b"\xff\xfe", b""),
        joined(b"not json", b""),
        joined(b"[1, 2]", b""),
        joined(b"[" * 200_000, b""),
        joined(b'{"a": ' * 100_000, b""),
        joined(b'{"a": ' + b"9" * 10_000 + b"}", b""),
        HONEST[:-1],
        HONEST + b"\0",
        HONEST + b"\0" * payload_bytes(LAYOUT),
    ],
    ids=range(13),
)
def test_bytes_that_are_no_payload_are_malformed(payload):
    assert code_of(payload) == "malformed_output"


def test_a_name_given_twice_is_malformed():
    header, data = split(HONEST)
    text = json.dumps(header)
    twice = text[:-1] + ', "count": ' + json.dumps(header["count"]) + "}"
    assert code_of(joined(twice.encode(), data)) == "malformed_output"


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.pop("count"),
        lambda header: header.update(extra=header["count"]),
        lambda header: header.update(__metadata__={"format": "pt"}),
        lambda header: header.clear(),
    ],
)
def test_other_names_than_the_originals_are_wrong_keys(change):
    assert code_of(forged(change)) == "wrong_keys"


@pytest.mark.parametrize("shape", [[3, 2], [6], [2, 3, 1], [1 << 40, 1 << 40]])
def test_another_shape_is_wrong_even_with_as_many_elements(shape):
    assert code_of(forged(lambda header: header["conv.weight"].update(shape=shape))) == "wrong_shapes"


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header["conv.weight"].update(dtype="F64"),
        lambda header: header["conv.weight"].update(dtype=["F32"]),
        lambda header: header["conv.weight"].update(shape="23"),
        lambda header: header["conv.weight"].update(shape=[2.0, 3]),
        lambda header: header["conv.weight"].update(shape=[-2, -3]),
        lambda header: header["count"].update(shape=None),
        lambda header: header["count"].update(data_offsets=[0, 8]),
        lambda header: header["count"].update(data_offsets=[24, 33]),
        lambda header: header["count"].update(data_offsets=[24]),
        lambda header: header["count"].update(data_offsets=[True, 9]),
        lambda header: header["count"].update(data_offsets=[1 << 70, (1 << 70) + 8]),
        lambda header: header["count"].update(note="more"),
        lambda header: header.update(count=[24, 32]),
    ],
    ids=range(13),
)
def test_an_entry_that_lies_about_its_data_is_malformed(change):
    assert code_of(forged(change)) == "malformed_output"


def test_a_gap_in_the_data_is_malformed():
    def shift(header):
        for entry in header.values():
            entry["data_offsets"] = [place + 8 for place in entry["data_offsets"]]

    _, data = split(HONEST)
    assert code_of(forged(shift, b"\0" * 8 + data)) == "malformed_output"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("key", ["conv.weight", "half"])
def test_values_that_are_not_finite_are_named(key, value):
    spoiled = {name: tensor.clone() for name, tensor in STATE.items()}
    spoiled[key].view(-1)[-1] = value
    assert code_of(serialise(spoiled)) == "not_finite_weights"


def test_a_truth_value_beyond_zero_and_one_is_malformed():
    begin, _ = split(HONEST)[0]["mask"]["data_offsets"]
    _, data = split(HONEST)
    assert code_of(forged(lambda _: None, data[:begin] + b"\2" + data[begin + 1 :])) == "malformed_output"


def test_a_header_longer_than_the_layout_needs_is_malformed_and_never_parsed(monkeypatch):
    header, data = split(HONEST)
    padded = json.dumps(header).encode() + b" " * header_bytes(LAYOUT)
    monkeypatch.setattr(weights.json, "loads", None)
    assert code_of(joined(padded, data + bytes(9999))[: payload_bytes(LAYOUT)]) == "malformed_output"


def test_a_header_nested_too_deeply_is_malformed():
    many = layout_of({f"{number}": torch.zeros(1) for number in range(2000)})
    for text in (b"[" * 200_000, b'{"a": ' * 30_000):
        assert len(text) < header_bytes(many)
        assert code_of(joined(text, b""), many) == "malformed_output"


LARGE = """
import sys, torch
from worker.weights import layout_of, read, serialise
state = {"weight": torch.ones(16 << 20)}
layout, payload = layout_of(state), serialise(state)
del state
def peak(field):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(field)) << 10
read(serialise({"weight": torch.ones(1)}), layout_of({"weight": torch.ones(1)}))
open("/proc/self/clear_refs", "w").write("5")  # the highest mark begins anew
before = peak("VmRSS")
read(payload, layout)
print(peak("VmHWM") - before - len(payload))
"""


def test_reading_large_weights_takes_their_own_size_and_little_more():
    told = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, check=True, cwd=ROOT)
    assert int(told.stdout) < 8 << 20  # of 64 MiB


@given(place=st.integers(0, len(HONEST) - 1), byte=st.integers(0, 255))
@settings(max_examples=200)
def test_one_changed_byte_is_read_or_refused_but_never_breaks_the_reader(place, byte):
    changed = bytearray(HONEST)
    changed[place] = byte
    try:
        tensors = read(bytes(changed), LAYOUT)
    except InvalidWeights:
        return
    assert layout_of(tensors) == LAYOUT
