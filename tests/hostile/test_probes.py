"""What a participant's code can reach, see and change: every question has an answer that holds on every back end."""

import fcntl
import json
import struct
from pathlib import Path

import pytest

from tests.hostile.catalogue import Family
from tests.hostile.probes import INSIDE, PROBES, SUBMISSION, words
from tests.worker.sandbox.tools import facts

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def answers(bench):
    """Ask everything in one sandbox, while the host holds locks as a neighbour would."""
    material = bench.spec.material
    replaced = {**words(bench.canary, material.parent, ROOT), "PORT": str(bench.ears.port)}
    asked = {probe.name: filled(probe.ask, replaced) for probe in sorted(PROBES, key=is_active)}
    with (material / "model.py").open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        fcntl.fcntl(held, fcntl.F_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        return facts(bench.run(SUBMISSION, {"probing.py": INSIDE, "asked.json": json.dumps(asked)}))


def is_active(probe):
    """What only looks comes first, so that it sees no traces of the rest."""
    return probe.family is not Family.LEAK


def filled(text, replaced):
    for word, value in replaced.items():
        text = text.replace(word, value)
    return text


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name.replace(" ", "-"))
def test_what_is_asked_inside_is_answered_as_it_should_be(probe, answers, bench, line):
    with line(probe.name, probe.family, bench.name, "its answer; host unchanged, nothing heard") as say:
        assert answers[probe.name] in probe.holds
        say(answers[probe.name])


def test_no_two_probes_share_a_name():
    assert len({probe.name for probe in PROBES}) == len(PROBES)
