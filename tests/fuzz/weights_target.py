"""Mutated weights for the strict reader, and a second reading that shares no code with it."""

import json
import struct

import numpy as np
import torch

from tests.fuzz import bytes_edits
from worker import weights

STATE = {
    "conv.weight": torch.arange(24, dtype=torch.float32).reshape(4, 6),
    "double": torch.ones(3, dtype=torch.float64),
    "half": torch.ones(2, dtype=torch.float16),
    "count": torch.tensor(3),
    "mask": torch.tensor([True, False]),
    "none": torch.empty(0, 4),
    "größe": torch.zeros(2, 2),
}
LAYOUT = weights.layout_of(STATE)
HONEST = weights.serialise(STATE)
NUMPY = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "BOOL": "?"}
NOT_FINITE = (float("nan"), float("inf"), float("-inf"))
STRANGE = (
    None, True, False, -1, 0, 1, 2, 8, 1 << 31, 1 << 63, 1 << 64, 10**400, 2.0, 1e308, float("nan"), float("inf"),
    "", "F32", "\ud800", "0", [], {}, [[]], [0, 8], {"dtype": "F32"},
)  # fmt: skip


class Raw(str):
    """Text that goes into the header as it is."""

    __slots__ = ()


class Weights:
    name = "weights"
    spare_bytes = 256 << 10  # the header's objects, and the chunk that is looked through for NaN

    def mutant(self, rng):
        pairs = [(key, dict(entry)) for key, entry in json.loads(split(HONEST)[0]).items()]
        data = split(HONEST)[1]
        for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
            pairs, data = rng.choice(STRUCTURAL)(pairs, data, rng)
        text = rng.choice(TEXTUAL)(written(pairs), rng)
        payload = rng.choice(LENGTHS)(len(text), rng).to_bytes(8, "little") + text + data
        return rng.choice(bytes_edits.EDITS)(payload, rng) if rng.random() < 0.4 else payload

    def read(self, data):
        try:
            tensors = weights.read(data, LAYOUT)
        except weights.InvalidWeights as refused:
            return refused.code, lambda: disagree(data)
        return "accepted", lambda: agree(data, tensors)


def split(payload):
    (length,) = struct.unpack_from("<Q", payload)
    return payload[8 : 8 + length], payload[8 + length :]


def written(pairs):
    """Write pairs as a JSON object, those given twice too."""
    members = (
        json.dumps(key) + ": " + (value if isinstance(value, Raw) else json.dumps(value))
        for key, value in pairs
    )
    return ("{" + ", ".join(members) + "}").encode()


def any_entry(pairs, rng):
    """Return the pairs with one entry replaced by a copy, and that copy; {} when there is none that can be edited."""
    places = [place for place, (_, entry) in enumerate(pairs) if isinstance(entry, dict)]
    if not places:
        return pairs, {}
    place = rng.choice(places)
    entry = dict(pairs[place][1])
    return [*pairs[:place], (pairs[place][0], entry), *pairs[place + 1 :]], entry


def drop(pairs, data, rng):
    return [pair for pair in pairs if rng.random() < 0.8], data


def shuffle(pairs, data, rng):
    return rng.sample(pairs, len(pairs)), data


def add(pairs, data, rng):
    name = rng.choice(("extra", "__metadata__", "", "conv.weight\0", "x" * 3000, "\ud800"))
    return [*pairs, (name, rng.choice(({"format": "pt"}, *STRANGE)))], data


def rename(pairs, data, rng):
    place = rng.randrange(len(pairs) or 1)
    return [(key + "x" if number == place else key, entry) for number, (key, entry) in enumerate(pairs)], data


def double(pairs, data, rng):
    return [*pairs, *rng.sample(pairs, min(len(pairs), 1))], data


def many(pairs, data, rng):
    return [*pairs, *((str(number), 0) for number in range(rng.choice((3, 20, 1000))))], data


def nest(pairs, data, rng):
    deep = rng.choice((3, 100, 500, 5000))
    return [
        *pairs,
        ("deep", Raw(rng.choice(("[" * deep + "]" * deep, '{"a":' * deep + "0" + "}" * deep, "[" * deep)))),
    ], data


def wide(pairs, data, rng):
    piece, count = (
        rng.choice(("[]", "{}", '{"a":1}', "9999", '"ab"', "[[]]", "1.5")),
        rng.choice((3, 100, 300, 1000)),
    )
    return [*pairs, ("wide", Raw("[" + ",".join([piece] * count) + "]"))], data


def huge_number(pairs, data, rng):
    pairs, entry = any_entry(pairs, rng)
    if entry:
        digits = "9" * rng.choice((20, 400, 2000))
        pairs = [
            (key, Raw(json.dumps(value).replace("[", f"[{digits}, ", 1)) if value is entry else value)
            for key, value in pairs
        ]
    return pairs, data


def strange(pairs, data, rng):
    pairs, entry = any_entry(pairs, rng)
    entry[rng.choice(("dtype", "shape", "data_offsets", "note"))] = rng.choice(STRANGE)
    return pairs, data


def strange_entry(pairs, data, rng):
    place = rng.randrange(len(pairs) or 1)
    return [
        (key, rng.choice(STRANGE)) if number == place else (key, entry)
        for number, (key, entry) in enumerate(pairs)
    ], data


def lose(pairs, data, rng):
    pairs, entry = any_entry(pairs, rng)
    entry.pop(rng.choice(("dtype", "shape", "data_offsets")), None)
    return pairs, data


def dtype(pairs, data, rng):
    pairs, entry = any_entry(pairs, rng)
    entry["dtype"] = rng.choice(("F64", "F32", "F16", "BF16", "F8_E4M3", "I64", "U8", "BOOL", "C64", "f32"))
    return pairs, data


def shape(pairs, data, rng):
    pairs, entry = any_entry(pairs, rng)
    found = entry.get("shape")
    if isinstance(found, list):
        other = [
            found[::-1],
            [*found, 1],
            [1, *found],
            found[1:],
            [0],
            [1 << 32, 1 << 32],
            [float(n) for n in found if type(n) is int],
        ]
        entry["shape"] = rng.choice([*other, [bool(n) for n in found], [str(n) for n in found]])
    return pairs, data


def offsets(pairs, data, rng):
    pairs, entry = any_entry(pairs, rng)
    found = entry.get("data_offsets")
    if isinstance(found, list) and len(found) == 2 and all(type(place) is int for place in found):
        begin, end = found
        by = rng.choice((-8, -1, 1, 8, 1 << 62, -(1 << 62)))
        entry["data_offsets"] = rng.choice(
            (
                [begin + by, end + by],
                [begin, end + by],
                [begin + by, end],
                [end, begin],
                [begin],
                [begin, end, end],
                [0, end - begin],
            )
        )
    return pairs, data


def gap(pairs, data, rng):
    """Move everything along; the data with it."""
    moved = []
    for key, entry in pairs:
        places = entry.get("data_offsets") if isinstance(entry, dict) else None
        whole = isinstance(places, list) and all(type(place) is int for place in places)
        moved.append((key, {**entry, "data_offsets": [place + 8 for place in places]} if whole else entry))
    return moved, bytes(8) + data


def not_finite(pairs, data, rng):
    value = struct.pack(rng.choice(("<f", "<d", "<e")), rng.choice(NOT_FINITE))
    place = rng.randrange(0, max(1, len(data)), 2)
    return pairs, data[:place] + value + data[place + len(value) :]


def other_data(pairs, data, rng):
    return pairs, rng.choice(bytes_edits.EDITS)(data, rng)


STRUCTURAL = (
    drop, shuffle, shuffle, add, rename, double, many, nest, wide, huge_number, strange, strange, strange, strange_entry, lose,
    dtype, dtype, shape, shape, offsets, offsets, offsets, gap, not_finite, not_finite, not_finite, other_data, other_data,
)  # fmt: skip


def as_it_is(text, rng):
    return text


def padded(text, rng):
    return rng.choice((text + b" " * rng.randrange(1, 40), b" " + text, b"\n\t" + text, text + b" " * 5000))


def spoiled(text, rng):
    return rng.choice(
        (b"\xef\xbb\xbf" + text, text + b"\0", text + b"}", text[:-1], b"[" + text + b"]", text.decode().encode("utf-16"), b"",
         text.replace(b"conv", b"\xff\xfe"), text.replace(b"conv", rb"\ud800"), text.replace(b"[", b"[NaN, "), text + text)
    )  # fmt: skip


TEXTUAL = (*[as_it_is] * 6, padded, spoiled)
LENGTHS = (
    *[lambda length, rng: length] * 12,
    lambda length, rng: max(0, length + rng.choice((-9, -1, 1, 9))),
    lambda length, rng: rng.choice(bytes_edits.INTERESTING),
    lambda length, rng: rng.randrange(1 << 64),
)


class Pairs(list):
    """A JSON object as it was written, with what was given twice."""

    def __repr__(self):
        return f"object {super().__repr__()}"  # even when empty not to be taken for an array


def second_reading(payload):
    """Return each key's numpy array, or None unless the payload is the layout's; written without the reader's help."""
    try:
        (length,) = struct.unpack("<Q", payload[:8])
        header, data = payload[8 : 8 + length], payload[8 + length :]
        if (
            length > weights.header_bytes(LAYOUT)
            or len(header) != length
            or len(payload) > weights.payload_bytes(LAYOUT)
        ):
            return None
        members = json.loads(str(header, "utf-8"), object_pairs_hook=Pairs)
        entries = {key: dict(entry) for key, entry in members if isinstance(entry, Pairs) and len(entry) == 3}
        if not isinstance(members, Pairs) or len(entries) != len(members) or set(entries) != set(LAYOUT):
            return None
        return arrays_of(entries, data)
    except (ValueError, TypeError, KeyError, RecursionError, struct.error, OverflowError):
        return None


def arrays_of(entries, data):
    found, covered, places = {}, np.zeros(len(data), dtype=np.int64), []
    for key, spec in LAYOUT.items():
        said = entries[key]["dtype"], entries[key]["shape"], entries[key]["data_offsets"]
        begin, end = said[2]
        if repr(said) != repr(
            (spec.dtype, list(spec.shape), [int(begin), int(end)])
        ) or not 0 <= begin <= end <= len(data):
            return None
        array = np.frombuffer(data[begin:end], NUMPY[spec.dtype]).reshape(spec.shape)
        raw = np.frombuffer(data[begin:end], np.uint8)
        covered[begin:end] += 1
        places.append((begin, end))
        if (spec.dtype == "BOOL" and raw.max() > 1) or (
            array.dtype.kind == "f" and not np.isfinite(array).all()
        ):
            return None
        found[key] = array
    ends = {
        0,
        *(end for begin, end in places if begin < end),
    }  # an empty tensor may not lie within another either
    return found if (covered == 1).all() and ends.issuperset(begin for begin, _ in places) else None


def agree(payload, tensors):
    found = second_reading(payload)
    assert found is not None, "accepted, but a second reading refuses it"
    assert list(tensors) == list(LAYOUT)
    for key, array in found.items():
        assert tuple(tensors[key].shape) == array.shape
        assert tensors[key].numpy().dtype == array.dtype
        assert tensors[key].numpy().tobytes() == array.tobytes()


def disagree(payload):
    assert second_reading(payload) is None, "refused, but a second reading accepts it"
