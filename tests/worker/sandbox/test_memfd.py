import mmap
import os
import struct

import pytest

from worker.sandbox.memfd import output_slot, read_output, sealed_input


@pytest.fixture
def slot():
    descriptor = output_slot(100)
    yield descriptor
    os.close(descriptor)


def leave(slot, payload, length):
    os.pwrite(slot, struct.pack("<Q", length) + payload, 0)


def test_a_bundle_reads_back_and_cannot_be_changed():
    descriptor = sealed_input(b"bundle")
    assert os.read(descriptor, 100) == b"bundle"
    for change in (lambda: os.pwrite(descriptor, b"x", 0), lambda: os.ftruncate(descriptor, 3)):
        with pytest.raises(PermissionError):
            change()
    os.close(descriptor)


def test_what_was_left_is_read_to_its_length(slot):
    leave(slot, b"weights and more", 7)
    assert read_output(slot, 100) == b"weights"


def test_a_slot_nobody_wrote_is_empty(slot):
    assert read_output(slot, 100) == b""


@pytest.mark.parametrize("length", [101, 1 << 63, (1 << 64) - 1])
def test_a_length_beyond_the_slot_is_refused(slot, length):
    leave(slot, b"", length)
    assert read_output(slot, 100) is None


def test_the_slot_neither_grows_nor_shrinks_and_is_frozen_by_reading(slot):
    for size in (50, 200):
        with pytest.raises(PermissionError):
            os.ftruncate(slot, size)
    read_output(slot, 100)
    with pytest.raises(PermissionError):
        os.pwrite(slot, b"late", 8)


def test_a_slot_that_cannot_be_frozen_any_more_is_read_all_the_same(slot):
    leave(slot, b"weights", 7)
    with mmap.mmap(slot, 0):
        assert read_output(slot, 100) == b"weights"
