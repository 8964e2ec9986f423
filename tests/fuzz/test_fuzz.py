"""A few hundred mutated files of each kind in every run of the tests; `make fuzz` reads many more."""

import pytest

from tests.fuzz.archive_target import Archive
from tests.fuzz.harness import Failed, again, fuzz, table
from tests.fuzz.weights_target import Weights


@pytest.mark.parametrize(
    ("target", "files"), [(Weights(), 800), (Archive(), 800)], ids=["weights", "archive"]
)
def test_mutated_files_never_break_a_reader_nor_its_bound_on_memory_nor_get_in_by_mistake(target, files):
    tally = fuzz(target, files, seed=20)
    assert tally.files == files
    assert tally.outcomes["accepted"] > 0  # the mutants come close
    assert len(tally.outcomes) >= 4
    assert target.name in table([tally])


def test_a_mutant_can_be_made_again_from_its_number():
    assert again(Weights(), 3, 14) == again(Weights(), 3, 14) != again(Weights(), 3, 15)
    assert again(Archive(), 3, 14) == again(Archive(), 3, 14)


class Careless:
    """A reader that does what must not be done."""

    name, spare_bytes = "careless", 1 << 20

    def __init__(self, how):
        self._how = how

    def mutant(self, rng):
        return rng.randbytes(100)

    def read(self, data):
        if self._how == "breaks":
            raise IndexError
        self.hoard = bytes(2 << 20) if self._how == "hoards" else b""
        return "accepted", self._check

    def _check(self):
        assert self._how != "is fooled", "a second reading refuses it"


@pytest.mark.parametrize(
    ("how", "said"),
    [("breaks", "IndexError"), ("hoards", "beyond the file's own"), ("is fooled", "second reading")],
)
def test_a_reader_that_breaks_hoards_or_is_fooled_is_found_and_its_file_named(how, said):
    with pytest.raises(Failed, match=rf"careless, seed 1, number 0: .*{said}"):
        fuzz(Careless(how), 5, seed=1)
