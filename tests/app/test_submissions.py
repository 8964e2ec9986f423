"""Accepting a bundle, with the real archive check, storage, quota and commit."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import event

from app import evaluations, quota, registry, submissions
from app.db import read_only, unit_of_work
from app.errors import (
    BadRequest,
    CompetitionClosed,
    IdempotencyMismatch,
    NotFound,
    NotPrepared,
    QuotaExhausted,
    Rejected,
)
from app.models import QuotaEntry, Submission
from app.status import Lane, Status
from tests.app.conftest import DAY, GOOD, LEASE, NOW, make_config, make_zip
from tests.lending import lend


def test_an_evaluation_is_due_within_the_time_given_from_the_door_to_its_last_run(world, door):
    hour = timedelta(hours=1)
    submission = door(queue_due=hour).submission_id
    evaluation = world.evaluation_of(submission)
    assert world.evaluation(evaluation).due_at == NOW + hour
    with unit_of_work(world.engine) as session:
        (claim,) = lend(session, worker="w1", limit=1, now=NOW + LEASE, lease=LEASE, queue_due=hour)
    assert world.evaluation(evaluation).due_at == NOW + LEASE + hour
    with unit_of_work(world.engine) as session:
        outcome = evaluations.RunOutcome(1.0, outputs_digest="0" * 64)
        evaluations.record(session, claim, outcome, NOW + 2 * LEASE, LEASE, hour)
    assert world.evaluation(evaluation).due_at == NOW + 2 * LEASE + hour


def rows(world, table=Submission):
    with read_only(world.engine) as session:
        return session.query(table).count()


def left(world, user, now=NOW, slug="digits"):
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, slug)
        return quota.remaining(session, user.id, competition, registry.config_of(competition), now).left


def test_an_accepted_bundle_is_stored_queued_debited_and_logged(world, ada, door):
    accepted = door(note="first try")
    assert accepted.created
    digest = hashlib.sha256(door.upload.read_bytes()).hexdigest()
    with read_only(world.engine) as session:
        row = submissions.get(session, accepted.submission_id, ada)
        assert (row.bundle_digest, row.note) == (digest, "first try")
        assert row.bundle_bytes == door.upload.stat().st_size
        evaluation = submissions.published_evaluation(row)
        assert (evaluation.status, evaluation.split, evaluation.n_runs) == (Status.QUEUED, "public", 3)
        assert (evaluation.cutoff_seconds, evaluation.due_at) == (2.0, NOW + DAY)
        assert len({run.seed for run in evaluation.runs}) == 3
    assert door.storage.get(digest) == door.upload.read_bytes()
    assert left(world, ada) == 4
    assert world.events()[-2:] == ["submission.accepted", "evaluation.queued"]
    assert door.upload.exists()


def test_a_rejected_bundle_spends_nothing_and_leaves_no_row(world, ada, door, tmp_path):
    with pytest.raises(Rejected) as caught:
        door(upload=make_zip(tmp_path / "bad.zip", "def other(): pass"))
    assert caught.value.code == "missing_entry_function"
    assert (rows(world), left(world, ada)) == (0, 5)


def test_a_commit_that_fails_answers_no_success_and_spends_nothing(world, ada, door):
    def refuse(_connection):
        raise OSError("the disk is full")

    event.listen(world.engine, "commit", refuse)
    try:
        with pytest.raises(OSError, match="disk is full"):
            door()
    finally:
        event.remove(world.engine, "commit", refuse)
    assert (rows(world), left(world, ada)) == (0, 5)
    assert door().created


def test_workers_are_woken_after_the_commit_and_only_by_one_that_holds(world, ada, door):
    rung = []

    class Bell:
        def ring(self, device="any", lane=Lane.NORMAL):
            rung.append((device, lane, rows(world)))

    def refuse(_connection):
        raise OSError("the disk is full")

    event.listen(world.engine, "commit", refuse)
    with pytest.raises(OSError, match="disk is full"):
        door(bell=Bell())
    event.remove(world.engine, "commit", refuse)
    assert rung == []
    for _ in range(2):  # the second is a replay: nothing new is there
        door(bell=Bell(), idempotency_key="k")
    assert rung == [("any", Lane.NORMAL, 1)]


def test_the_quota_holds_when_twenty_uploads_arrive_at_once(world, ada, door):
    together = Barrier(20)

    def one(_):
        together.wait()
        try:
            return door().created
        except QuotaExhausted:
            return False

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(one, range(20))) == 5
    assert (rows(world), left(world, ada)) == (5, 0)


def test_a_used_up_quota_says_when_it_comes_back(door):
    for _ in range(5):
        door()
    with pytest.raises(QuotaExhausted, match="00:00 UTC") as caught:
        door()
    assert 0 <= caught.value.retry_after - 12 * 3600 <= 1
    assert door(now=NOW + timedelta(hours=12)).created


def test_each_participant_and_competition_has_a_quota_of_its_own(world, ada, door):
    eve = world.user("eve")
    world.competition("faces")
    for _ in range(5):
        door()
    assert door(user_id=eve.id).created
    assert door(slug="faces").created
    assert (left(world, ada), left(world, eve), left(world, ada, slug="faces")) == (0, 4, 4)


def test_a_refund_gives_one_submission_back_to_its_own_day_and_only_once(world, ada, door):
    first = door().submission_id
    tomorrow = NOW + DAY
    for _ in range(2):
        with unit_of_work(world.engine) as session:
            quota.refund(session, first, tomorrow)
    assert (left(world, ada), left(world, ada, tomorrow)) == (5, 5)
    assert rows(world, QuotaEntry) == 2


def test_the_same_key_and_bundle_give_the_same_submission(world, ada, door):
    first = door(idempotency_key="k1")
    again = door(idempotency_key="k1")
    assert (again.submission_id, again.created) == (first.submission_id, False)
    assert left(world, ada) == 4


def test_the_same_key_with_another_payload_is_refused(world, door, tmp_path):
    world.competition("faces")
    door(idempotency_key="k1")
    with pytest.raises(IdempotencyMismatch):
        door(idempotency_key="k1", upload=make_zip(tmp_path / "other.zip", GOOD + "# more\n"))
    with pytest.raises(IdempotencyMismatch):
        door(idempotency_key="k1", slug="faces")


def test_keys_of_different_participants_do_not_meet(world, door):
    eve = world.user("eve")
    assert (
        door(idempotency_key="k1").submission_id != door(idempotency_key="k1", user_id=eve.id).submission_id
    )


def test_requests_with_one_key_at_once_make_one_submission(world, ada, door):
    together = Barrier(6)

    def one(_):
        together.wait()
        return door(idempotency_key="k1")

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(one, range(6)))
    assert len({answer.submission_id for answer in answers}) == 1
    assert sum(answer.created for answer in answers) == 1
    assert left(world, ada) == 4


def test_a_replay_is_answered_after_quota_and_competition_have_run_out(door):
    first = door(idempotency_key="k1")
    for _ in range(4):
        door()
    assert door(idempotency_key="k1") == submissions.Accepted(first.submission_id, created=False)
    late = NOW + timedelta(days=60)
    assert door(idempotency_key="k1", now=late).submission_id == first.submission_id


@pytest.mark.parametrize(("days", "word"), [(-60, "opens at"), (60, "closed at")])
def test_a_competition_takes_submissions_only_while_it_is_open(door, days, word):
    with pytest.raises(CompetitionClosed, match=word):
        door(now=NOW + timedelta(days=days))


def test_an_unknown_or_unprepared_competition_is_named(world, door):
    with unit_of_work(world.engine) as session:
        registry.register(session, make_config("empty"), {"overview": ""}, NOW)
    with pytest.raises(NotFound, match="nowhere"):
        door(slug="nowhere")
    with pytest.raises(NotPrepared, match="empty"):
        door(slug="empty")


@pytest.mark.parametrize(
    "words",
    [{"note": "x" * 201}, {"note": "two\nlines"}, {"idempotency_key": ""}, {"idempotency_key": "k" * 129}],
)
def test_words_that_do_not_fit_are_refused(door, words):
    with pytest.raises(BadRequest):
        door(**words)
