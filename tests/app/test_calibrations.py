"""What retraining takes on each device, and the cutoffs that runs are lent with, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, update

from app import calibrations, evaluations, registry
from app.calibrations import Measured
from app.db import read_only, unit_of_work
from app.errors import NotFound
from app.models import Calibration, Event, Reference, Run
from app.status import RunStatus
from tests.app.conftest import DAY, FAILURE, LEASE, NOW
from tests.lending import DEVICE, NAME, calibrate, lend

LATER = NOW + timedelta(hours=1)
OTHER = "fedcba9876543210"


@pytest.fixture
def reference(world):
    with read_only(world.engine) as session:
        return session.scalar(select(Reference).where(Reference.split == "public"))


def measured(reference, *repeats, device=DEVICE, worker="w1"):
    return Measured(reference.id, device, NAME, {"processor": NAME}, repeats, worker)


def stored(world, reference, device=DEVICE):
    with read_only(world.engine) as session:
        return session.scalar(
            select(Calibration).where(Calibration.reference_id == reference.id, Calibration.device == device)
        )


def store(world, one, at=NOW):
    with unit_of_work(world.engine) as session:
        return calibrations.store(session, one, at)


def details(world, kind):
    with read_only(world.engine) as session:
        return [one.detail for one in session.scalars(select(Event).where(Event.kind == kind))]


def lend_on(world, device, at=NOW, limit=1):
    with unit_of_work(world.engine) as session:
        return lend(session, worker="w2", limit=limit, now=at, lease=LEASE, queue_due=DAY, device=device)


def test_the_median_of_the_repeats_is_stored_with_an_event_that_tells_all_of_them(world, reference):
    store(world, measured(reference, 9.0, 7.0, 8.0, device=OTHER), LATER)
    one = stored(world, reference, OTHER)
    assert (one.seconds, one.repeats, one.worker, one.created_at) == (8.0, [9.0, 7.0, 8.0], "w1", LATER)
    assert (one.drift, one.checked_at, one.stale, one.facts) == (None, None, False, {"processor": NAME})
    assert details(world, "calibration.measured")[-1] == (
        f"digits public version 1, {NAME}: 8.000 s (9.000, 7.000, 8.000)"
    )


def test_of_workers_that_measured_at_once_the_first_decides(world, reference):
    together = Barrier(4)

    def work(number):
        together.wait()
        found = measured(reference, float(number), device=OTHER, worker=f"w{number}")
        return store(world, found).seconds

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(work, (1, 2, 3, 4)))
    one = stored(world, reference, OTHER)
    assert answers == {one.seconds}
    assert one.worker == f"w{one.seconds:.0f}"
    assert sum("(" in each for each in details(world, "calibration.measured")) == 3  # two were there before


def test_a_runs_cutoff_is_the_evaluations_fraction_of_its_own_devices_seconds(world, ada, reference):
    store(world, measured(reference, 25.0, device=OTHER))
    _, evaluation = world.submission(ada)
    (here,), (there,) = world.claim(), lend_on(world, OTHER)
    assert (here.cutoff_seconds, there.cutoff_seconds) == (2.0, 5.0)
    first, second, third = world.runs(evaluation)
    assert [run.cutoff_seconds for run in (first, second, third)] == [2.0, 5.0, None]
    assert first.calibration_id == stored(world, reference).id
    assert second.calibration_id == stored(world, reference, OTHER).id
    assert third.calibration_id is None
    assert world.evaluation(evaluation).cutoff_seconds == 2.0


def test_a_run_given_back_has_no_cutoff_until_another_device_takes_it(world, ada, reference):
    store(world, measured(reference, 25.0, device=OTHER))
    _, evaluation = world.submission(ada, runs=1)
    (claim,) = world.claim()
    with unit_of_work(world.engine) as session:
        evaluations.give_back(session, claim, "worker_lost", NOW)
    run = world.runs(evaluation)[0]
    assert (run.status, run.cutoff_seconds, run.calibration_id) == (RunStatus.QUEUED, None, None)
    (again,) = lend_on(world, OTHER)
    assert again.cutoff_seconds == world.runs(evaluation)[0].cutoff_seconds == 5.0


def test_a_run_that_ended_keeps_the_cutoff_that_it_ran_under(world, ada, reference):
    _, evaluation = world.submission(ada)
    (claim,) = world.claim()
    world.record(claim, FAILURE)
    with unit_of_work(world.engine) as session:
        calibrations.mark_stale(session, stored(world, reference).id, "root", LATER)
    store(world, measured(reference, 30.0), LATER)
    assert world.runs(evaluation)[0].cutoff_seconds == 2.0


def test_a_competition_that_changes_its_fraction_changes_no_evaluation_that_there_is(world, ada):
    _, evaluation = world.submission(ada)
    with unit_of_work(world.engine) as session:
        config = registry.config_of(registry.get_competition(session, "digits"))
        wider = config.model_copy(
            update={"evaluation": config.evaluation.model_copy(update={"cutoff_fraction": 0.9})}
        )
        registry.register(session, wider, {"overview": "# Hello"}, NOW)
    (claim,) = world.claim()
    assert claim.cutoff_seconds == 2.0
    assert world.evaluation(evaluation).cutoff_fraction == 0.2


def test_what_is_next_is_the_reference_of_the_oldest_queued_run(world, ada):
    world.competition("faces", n_models=3)
    with read_only(world.engine) as session:
        assert evaluations.next_up(session) is None
    world.submission(world.user("grace"), "faces", at=NOW + timedelta(seconds=1))
    world.submission(ada, "digits", runs=1)
    assert _next(world).config.slug == "digits"
    world.claim()
    assert _next(world).config.slug == "faces"


def test_a_reference_that_is_passed_over_keeps_nobody_else_waiting(world, ada, reference):
    world.competition("faces", n_models=3)
    world.submission(ada, "digits")
    assert _next(world, {reference.id}) is None
    world.submission(ada, "faces", at=NOW + timedelta(seconds=1))
    found = _next(world, {reference.id})
    assert (found.config.slug, found.split, found.retrain_seconds) == ("faces", "public", 10.0)
    assert found.reference_digest == "faces-public".ljust(64, "0")


def test_a_competition_that_names_a_class_of_devices_waits_for_one_of_it(world, ada):
    world.competition("faces", n_models=3, evaluation={"models": 3, "device": "cuda"})
    world.submission(ada, "faces")
    world.submission(ada, "digits", at=NOW + timedelta(seconds=1))
    with read_only(world.engine) as session:
        found = {one: evaluations.next_up(session, device=one).config.slug for one in ("cpu", "cuda")}
    assert found == {"cpu": "digits", "cuda": "faces"}


def _next(world, passed_over=()):
    with read_only(world.engine) as session:
        return evaluations.next_up(session, passed_over)


@pytest.mark.parametrize(
    ("seconds", "drift", "told"), [(8.0, 0.8, 0), (12.5, 1.25, 0), (7.9, 0.79, 1), (13.0, 1.3, 1)]
)
def test_a_look_is_kept_and_one_that_strays_is_told_but_moves_no_cutoff(
    world, reference, seconds, drift, told
):
    one = stored(world, reference)
    with unit_of_work(world.engine) as session:
        assert calibrations.check(session, one.id, seconds, "w2", LATER) == pytest.approx(drift)
    after = stored(world, reference)
    assert (after.drift, after.checked_at) == (pytest.approx(drift), LATER)
    assert (after.seconds, after.created_at) == (10.0, NOW)
    assert calibrations.is_steady(drift) is not bool(told)
    found = details(world, "calibration.drifted")
    assert len(found) == told
    assert all(f"{seconds:.3f} s now, 10.000 s stored" in each for each in found)


def test_marked_as_stale_it_lends_nothing_until_it_is_measured_afresh(world, reference):
    one = stored(world, reference)
    with unit_of_work(world.engine) as session:
        calibrations.check(session, one.id, 20.0, "w2", NOW)
        calibrations.mark_stale(session, one.id, "root", NOW)
        calibrations.mark_stale(session, one.id, "root", NOW)
    assert len(details(world, "calibration.remeasure_asked")) == 1
    with read_only(world.engine) as session:
        assert calibrations.find(session, reference.id, DEVICE) is None
    store(world, measured(reference, 20.0, worker="w2"), LATER)
    after = stored(world, reference)
    assert (after.id, after.seconds, after.worker, after.created_at) == (one.id, 20.0, "w2", LATER)
    assert (after.stale, after.drift, after.checked_at) == (False, None, None)


def test_marking_what_is_not_there_says_so(world):
    with pytest.raises(NotFound), unit_of_work(world.engine) as session:
        calibrations.mark_stale(session, "nothing", "root", NOW)


def test_a_prepared_reference_is_measured_anew_and_the_old_keeps_its_calibration(world, reference):
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        newer = registry.add_reference(session, competition, "public", "e" * 64, 3, 12.0, {}, LATER)
        assert calibrations.find(session, newer.id, DEVICE) is None
        calibrate(session, newer, LATER, 11.0)
    assert (stored(world, reference).seconds, stored(world, newer).seconds) == (10.0, 11.0)


def test_runs_of_one_reference_are_never_lent_by_anothers_seconds(world, ada, reference):
    with unit_of_work(world.engine) as session:
        session.execute(
            update(Calibration).where(Calibration.reference_id == reference.id).values(seconds=1.0)
        )
    world.competition("faces", n_models=3)
    world.submission(ada, "faces")
    (claim,) = world.claim()
    assert (claim.competition_slug, claim.cutoff_seconds) == ("faces", 2.0)


def test_the_cutoffs_of_finished_runs_go_to_the_grader(world, ada, reference):
    store(world, measured(reference, 25.0, device=OTHER))
    _, evaluation = world.submission(ada, runs=2)
    (here,), (there,) = world.claim(), lend_on(world, OTHER)
    world.record(here)
    world.record(replace(there, cutoff_seconds=1e9))  # the row decides, not what a worker holds
    with read_only(world.engine) as session:
        assert [run.cutoff_seconds for run in evaluations.outputs(session, evaluation)] == [2.0, 5.0]
        assert session.query(Run).filter_by(status=RunStatus.SUCCEEDED).count() == 2
