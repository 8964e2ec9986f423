"""Whose runs are lent first: turns between people, and reruns behind everybody."""

from datetime import timedelta

import pytest

from app import submissions
from app.db import read_only, unit_of_work
from app.models import Run, User
from app.status import Lane
from tests.app.conftest import DAY, NOW

SECOND = timedelta(seconds=1)


@pytest.fixture
def grace(world):
    return world.user("grace")


def order(world, limit=100):
    """Return the evaluations in the order in which their runs are lent; all of them are recorded and scored."""
    found = []
    for claim in world.claim(limit=limit):
        found += [claim.evaluation_id] if claim.evaluation_id not in found else []
    return found


def many(world, user, count, begin=0):
    return [world.submission(user, at=NOW + (begin + k) * SECOND, runs=2)[1] for k in range(count)]


def test_anothers_first_waits_for_one_of_fifty_and_not_for_all(world, ada, grace):
    hers = many(world, ada, 50)
    (late,) = many(world, grace, 1, begin=60)
    assert order(world, limit=200) == [hers[0], late, *hers[1:]]


def test_two_people_with_many_take_turns(world, ada, grace):
    hers, theirs = many(world, ada, 3), many(world, grace, 3, begin=10)
    assert order(world) == [hers[0], theirs[0], hers[1], theirs[1], hers[2], theirs[2]]


def test_who_comes_late_shares_the_turn_that_is_served_and_overtakes_nobody_who_waits_for_it(
    world, ada, grace
):
    hers = many(world, ada, 3)
    assert {claim.evaluation_id for claim in world.claim(limit=4)} == set(hers[:2])
    theirs = many(world, grace, 2, begin=10)
    assert order(world) == [hers[2], theirs[0], theirs[1]]


def test_what_somebody_did_in_quiet_times_is_not_held_against_them(world, ada, grace):
    for k in range(5):
        many(world, ada, 1, begin=k)
        assert len(order(world)) == 1
    theirs = many(world, grace, 3, begin=20)
    (hers,) = many(world, ada, 1, begin=30)
    assert order(world) == [theirs[0], theirs[1], hers, theirs[2]]


def test_what_waits_for_devices_that_nobody_has_does_not_hold_back_the_turn_of_other_queues(
    world, ada, grace
):
    world.competition("elsewhere", evaluation={"device": "cuda"})
    world.submission(grace, "elsewhere", runs=1)
    with unit_of_work(world.engine) as session:
        session.get_one(User, ada.id).turn = 50  # from quiet times
    (theirs,) = many(world, world.user("hopper"), 1)
    with read_only(world.engine) as session:
        assert {run.turn for run in session.query(Run).filter_by(evaluation_id=theirs)} == {50}


def test_who_comes_to_an_idle_competition_does_not_wait_for_all_of_a_busy_one(world, ada, grace):
    world.competition("other")
    hers = many(world, ada, 20)
    theirs = world.submission(grace, "other", at=NOW + 60 * SECOND, runs=2)[1]
    lent = [world.claim()[0].evaluation_id for _ in range(6)]  # one by one, as workers do
    assert list(dict.fromkeys(lent)) == [hers[0], theirs, hers[1]]


def test_one_who_returns_again_and_again_does_not_starve_who_waits(world, ada, grace):
    hers, seen = many(world, ada, 3), []
    for k in range(6):  # grace has one more whenever her last was taken
        many(world, grace, 1, begin=10 + k)
        seen += [world.claim(limit=2)[0].evaluation_id]
    assert [one for one in seen if one in hers] == hers


def test_reruns_go_behind_whatever_was_asked_for(world, ada, admin):
    first, evaluation = world.submission(ada)
    world.score(evaluation)
    with unit_of_work(world.engine) as session:
        again = submissions.rerun(session, first, "public", admin, NOW, queue_due=DAY, seeds=[7, 8, 9]).id
    (later,) = many(world, ada, 1, begin=5)
    assert order(world) == [later, again]
    with read_only(world.engine) as session:
        lanes = {run.lane for run in session.query(Run).filter_by(evaluation_id=again)}
    assert lanes == {Lane.LOW}


def test_a_run_that_comes_back_keeps_its_place(world, ada, grace):
    first = many(world, ada, 1)[0]
    (claim,) = world.claim()
    many(world, grace, 1, begin=5)
    world.reap(NOW + timedelta(minutes=5))
    assert world.claim(at=NOW + timedelta(minutes=6))[0].run_id == claim.run_id
    assert claim.evaluation_id == first
