"""Edits of bytes that know nothing of the format."""

INTERESTING = (
    0,
    1,
    2,
    4,
    8,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFFFFFF,
    0xFFFFFFFF,
    1 << 40,
    1 << 63,
    (1 << 64) - 1,
)


def flip_bits(data, rng):
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def overwrite(data, rng):
    changed = bytearray(data)
    if changed:
        place = rng.randrange(len(changed))
        width = rng.choice((1, 2, 4, 8))
        changed[place : place + width] = (rng.choice(INTERESTING) % (1 << 8 * width)).to_bytes(
            width, "little"
        )
    return bytes(changed)


def cut_off(data, rng):
    return data[: rng.randrange(len(data) + 1)]


def cut_out(data, rng):
    place = rng.randrange(len(data) + 1)
    return data[:place] + data[place + rng.randrange(1, 40) :]


def insert(data, rng):
    place = rng.randrange(len(data) + 1)
    return data[:place] + rng.randbytes(rng.choice((1, 4, 20, 300))) + data[place:]


def repeat(data, rng):
    place = rng.randrange(len(data) + 1)
    size = rng.randrange(1, 200)
    return data[: place + size] + data[place:]


def add_to_end(data, rng):
    return data + rng.choice((b"\0", b"\0" * 70_000, rng.randbytes(22), data))


def add_to_front(data, rng):
    return rng.choice((b"\0", b"MZ", rng.randbytes(50), data)) + data


EDITS = (
    flip_bits,
    flip_bits,
    overwrite,
    overwrite,
    cut_off,
    cut_out,
    insert,
    repeat,
    add_to_end,
    add_to_front,
)
