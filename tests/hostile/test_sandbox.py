"""Every bundle of the catalogue, on every back end: how it ends, and what it must not have done."""

import contextlib

import pytest

from tests.hostile import escape_attacks, forgery_attacks, resource_attacks, timing_attacks
from tests.hostile.catalogue import SCORED, Attack
from tests.hostile.conftest import HONEST, REPEATS, verdict_of
from tests.worker.sandbox.tools import facts

ATTACKS: tuple[Attack, ...] = (
    *resource_attacks.ATTACKS,
    *escape_attacks.ATTACKS,
    *timing_attacks.ATTACKS,
    *forgery_attacks.ATTACKS,
)
ALWAYS = "verdict, host unchanged, nobody left, nothing heard"


@pytest.mark.parametrize(
    "attack", [one for one in ATTACKS for _ in range(REPEATS)], ids=lambda one: one.name.replace(" ", "-")
)
def test_an_attack_comes_to_its_end_and_to_nothing_else(attack, bench, line):
    extra = {
        "neighbour's bytes": attack.neighbour,
        "what the run says": attack.check,
        "the run after": attack.then,
    }
    checked = ", ".join([ALWAYS, *(words for words, asked in extra.items() if asked)])
    with line(attack.name, attack.family, bench.name, checked) as say:
        with bench.neighbour() if attack.neighbour else contextlib.nullcontext():
            result = bench.run(attack.source, cutoff=attack.cutoff)
        verdict = verdict_of(result)
        assert verdict in attack.ends(bench.name), (verdict, attack.why)
        if attack.check is not None:
            attack.check(result)
        if attack.then is not None:
            assert facts(bench.run(attack.then)) == []
        say(verdict)


def test_after_all_of_that_an_honest_run_leaves_what_it_always_left(bench, line):
    with line(
        "an honest run after all of these", "resource", bench.name, "the same bytes as before the first"
    ) as say:
        result = bench.run(HONEST)
        assert verdict_of(result) == SCORED
        assert result.output == bench.honest
        say(SCORED)


def test_no_two_attacks_share_a_name():
    assert len({one.name for one in ATTACKS}) == len(ATTACKS)
