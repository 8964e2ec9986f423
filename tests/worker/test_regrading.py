"""Grading again from real blobs, on both databases: nobody's code runs, and an interruption loses nothing."""

import json
import shutil

import numpy as np
import pytest
from sqlalchemy import text

import grader
from app import evaluations, regrading
from app.db import read_only, unit_of_work
from app.evaluations import ScoringClaim
from app.models import Base, Run, Score
from app.settings import Settings
from tests.stored import HOUR, NOW, OLD, Installation, N
from worker.device import Device
from worker.files import npz_bytes
from worker.regrading import Regrading

LATER = NOW + 90 * HOUR


def installed(settings):
    place = Installation(settings)
    place.competition()
    return place


@pytest.fixture
def place(tmp_path):
    """A competition with its blobs, in an SQLite database of its own."""
    place = installed(Settings(data_dir=tmp_path))
    yield place
    place.engine.dispose()


@pytest.fixture
def on_postgres(tmp_path, postgres_url):
    """The same in a PostgreSQL database."""
    place = installed(Settings(data_dir=tmp_path, database_url=postgres_url))
    yield place
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with place.engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    place.engine.dispose()


def regrade(place, slug=None, on_progress=lambda done, total: None):
    again = Regrading(place.engine, place.storage, place.settings, lambda: LATER)
    return again.run(slug, on_progress)


def publish(place, found, slug=None):
    with unit_of_work(place.engine) as session:
        return regrading.publish(session, grader.VERSION, found.retraining, LATER, slug)


def test_stored_outputs_are_graded_again_and_published_together(place):
    first, second = place.scored("ada"), place.scored("eve", shift=3.0)
    seen = []
    found = regrade(place, on_progress=lambda done, total: seen.append((done, total)))
    assert (found.staged, len(found.retraining), found.problems) == (2, 2, [])
    assert seen == [(done, 4) for done in range(5)]
    assert place.scores(first) == [(OLD, True), (grader.VERSION, False)]
    publish(place, found)
    assert place.scores(second) == [(OLD, False), (grader.VERSION, True)]
    assert place.retraining() == {grader.VERSION}


def test_the_new_score_is_what_scoring_gives_now(place):
    near, far = place.scored("ada"), place.scored("eve", shift=9.0)
    publish(place, regrade(place))
    with read_only(place.engine) as session:
        score = {
            row.evaluation_id: row
            for row in session.query(Score).filter_by(grader_version=grader.VERSION, current=True)
        }
        assert score[near].score > score[far].score
        assert score[near].report["n_models"] == N
        assert score[near].reference_digest == score[far].reference_digest


def test_it_gives_what_a_worker_would_give(place):
    one = place.scored("ada", shift=0.5)
    regrade(place)
    with read_only(place.engine) as session:
        staged = session.query(Score).filter_by(grader_version=grader.VERSION).one()
        claim = ScoringClaim(one, 1, staged.reference_digest)
        rows = evaluations.outputs(session, one)
    scored = Device(place.storage, None, place.settings).score(claim, rows)
    assert staged.report == json.loads(json.dumps(scored.report))
    assert (staged.score, staged.calibrated_score) == (scored.score, scored.calibrated_score)
    assert (staged.replicates, staged.summary) == (scored.replicates, scored.summary)


def test_another_version_by_name_grades_once_more(place, monkeypatch):
    one = place.scored("ada")
    publish(place, regrade(place))
    monkeypatch.setattr(grader, "VERSION", "next")
    publish(place, regrade(place))
    assert [current for _, current in place.scores(one)] == [False, False, True]
    assert place.scores(one)[-1] == ("next", True)
    assert place.retraining() == {"next"}


def test_private_splits_and_older_references_are_graded_too(place):
    old, private = place.scored("ada"), place.scored("eve", split="private")
    place.reference()
    newer = place.scored("mia")
    found = regrade(place)
    assert (found.staged, len(found.retraining)) == (3, 3)
    publish(place, found)
    for one in (old, private, newer):
        assert (grader.VERSION, True) in place.scores(one)


def test_interrupted_in_the_middle_it_keeps_what_it_has_and_goes_on(place):
    for name in ("ada", "eve", "mia"):
        place.scored(name)

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        regrade(place, on_progress=stop)
    kept = place.scores().count((grader.VERSION, False))
    assert 0 < kept < 3
    found = regrade(place)
    assert found.staged == 3 - kept
    publish(place, found)


def test_with_nothing_to_do_it_does_nothing(place):
    assert regrade(place).staged == 0
    place.scored("ada", version=grader.VERSION)
    publish(place, regrade(place))
    found = regrade(place)
    assert (found.staged, found.retraining, found.problems) == (0, {}, [])


def test_a_missing_blob_is_named_and_the_others_go_on(place):
    lost, kept = place.scored("ada"), place.scored("eve")
    place.blob_of_run(lost).unlink()
    found = regrade(place)
    assert found.staged == 1
    [problem] = found.problems
    assert (problem.evaluation_id, problem.submission_id) == (lost, place.submission_of(lost))
    assert "there is no blob" in problem.why
    with pytest.raises(regrading.Conflict):
        publish(place, found)
    assert place.scores(kept) == [(OLD, True), (grader.VERSION, False)]


def test_a_damaged_blob_is_named_and_once_it_is_mended_all_goes(place):
    one = place.scored("ada")
    blob = place.blob_of_run(one)
    good = blob.read_bytes()
    blob.write_bytes(good[:-1] + b"x")
    [problem] = regrade(place).problems
    assert "is damaged in storage" in problem.why
    blob.write_bytes(good)
    publish(place, regrade(place))
    assert (grader.VERSION, True) in place.scores(one)


def test_a_reference_that_cannot_be_read_stops_what_was_graded_against_it_alone(place):
    digest = place.reference()
    against = place.scored("ada")
    private = place.scored("eve", split="private")
    place.blob(digest).unlink()
    found = regrade(place)
    assert found.staged == 1
    assert [(one.reference_digest, one.evaluation_id) for one in found.problems] == [
        (digest, None),
        (digest, against),
    ]
    assert "its reference cannot be read" in found.problems[0].why
    assert (grader.VERSION, False) in place.scores(private)


def test_a_damaged_copy_of_a_reference_is_named_and_once_it_is_removed_all_goes(place):
    digest = place.reference()
    regrade(place)  # fetches it
    place.scored("ada")
    copy = place.settings.data_dir / "cache" / digest
    (copy / "outputs.npz").write_bytes(b"half")
    problems = regrade(place).problems
    assert [one.reference_digest for one in problems] == [digest, digest]
    assert f"remove its copy, {copy}, to have it fetched anew" in problems[0].why
    shutil.rmtree(copy)
    publish(place, regrade(place))


def test_outputs_that_lack_an_array_are_named_and_the_others_go_on(place):
    lost, kept = place.scored("ada"), place.scored("eve")
    other = place.storage.put(npz_bytes({"forget_logits": place.logits(0.0)[0]}))
    with unit_of_work(place.engine) as session:
        session.query(Run).filter_by(evaluation_id=lost, seed_index=3).update({"outputs_digest": other})
    found = regrade(place)
    assert [(one.evaluation_id, "accuracies" in one.why) for one in found.problems] == [(lost, True)]
    assert (grader.VERSION, False) in place.scores(kept)


def test_what_the_new_version_cannot_score_is_named(place):
    logits = place.logits(0.0)
    logits[0, 0] = np.nan
    one = place.scored("ada", logits=logits)
    [problem] = regrade(place).problems
    assert (problem.evaluation_id, problem.why) == (one, "an example of the forget set cannot be scored")


def test_two_at_once_do_no_harm(place):
    place.scored("ada")
    place.scored("eve")
    inner = []

    def again(done, total):
        if not inner:
            inner.append(regrade(place))

    outer = regrade(place, on_progress=again)
    assert (inner[0].staged, outer.staged) == (2, 0)
    assert outer.problems == []
    assert publish(place, outer).scores == 2


def test_on_postgres_it_goes_on_after_an_interruption_and_publishes(on_postgres):
    test_interrupted_in_the_middle_it_keeps_what_it_has_and_goes_on(on_postgres)
    assert on_postgres.scores().count((grader.VERSION, True)) == 3


def test_on_postgres_two_at_once_do_no_harm(on_postgres):
    test_two_at_once_do_no_harm(on_postgres)


def test_only_the_named_competition_is_graded(place):
    place.competition("other")
    mine, theirs = place.scored("ada"), place.scored("eve", slug="other")
    found = regrade(place, "other")
    assert (found.staged, len(found.retraining)) == (1, 2)
    publish(place, found, "other")
    assert (place.scores(mine), (grader.VERSION, True) in place.scores(theirs)) == ([(OLD, True)], True)
