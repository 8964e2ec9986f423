"""Scores under another grader version: staged unseen, then published together or dropped; on both databases."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app import evaluations, registry, regrading
from app.db import make_engine, read_only, unit_of_work
from app.errors import Conflict, NotFound
from app.models import Evaluation, Event, Reference, Score, Submission
from app.views import boards, versions
from app.views.evaluations import score_of
from app.views.regrading import preview
from tests.app.conftest import DAY, NOW, SCORE

LATER = NOW + timedelta(days=2)
ROW = {
    "score": 0.2,
    "forgetting_quality": 0.2,
    "retain_ratio": 1.0,
    "test_ratio": 1.0,
    "grader_version": "2",
}


class Grader:
    """Version 2 of the grader, as an operator meets it."""

    def __init__(self, world):
        self.world = world
        self.engine = world.engine

    def scored(self, user, value, at=NOW):
        """A submission that version 1 scored; return the evaluation's id."""
        _, evaluation_id = self.world.submission(user, at=at)
        self.world.score(evaluation_id, value, at)
        return evaluation_id

    def waiting(self, slug=None):
        with read_only(self.engine) as session:
            return regrading.waiting(session, "2", slug)

    def stage(self, values, slug=None):
        """Stage scores by evaluation id; return how many were new."""
        staged = 0
        for item in self.waiting(slug):
            if item.evaluation_id in values:
                score = replace(SCORE, grader_version="2", score=values[item.evaluation_id])
                with unit_of_work(self.engine) as session:
                    staged += regrading.stage(session, item, score, LATER)
        return staged

    def rows(self, slug=None):
        with read_only(self.engine) as session:
            return {one.id: ROW for one in regrading.waiting_references(session, "2", slug)}

    def publish(self, slug=None, rows=None):
        rows = self.rows(slug) if rows is None else rows
        with unit_of_work(self.engine) as session:
            return regrading.publish(session, "2", rows, LATER, slug)

    def drop(self, slug=None):
        with unit_of_work(self.engine) as session:
            return regrading.drop(session, "2", LATER, slug)

    def preview(self, slug=None):
        with unit_of_work(self.engine) as session:
            return preview(session, "2", self.rows(slug), LATER, slug)

    def board(self, slug="digits"):
        with read_only(self.engine) as session:
            return [(row.rank, row.user, row.score) for row in boards.board(session, slug, LATER).rows]

    def shown(self, evaluation_id):
        with read_only(self.engine) as session:
            found = score_of(session.get_one(Evaluation, evaluation_id))
            return found.grader_version, found.score

    def scores(self):
        """(version, score, current) of every row."""
        with read_only(self.engine) as session:
            rows = session.execute(select(Score.grader_version, Score.score, Score.current))
            return sorted(tuple(row) for row in rows)


@pytest.fixture
def grader(world):
    return Grader(world)


@pytest.fixture
def two(grader, world, ada):
    """Ada leads, Eve follows; return their evaluations."""
    return grader.scored(ada, 0.5), grader.scored(world.user("eve"), 0.4)


def test_every_scored_evaluation_waits_and_nothing_else(grader, two, world, ada):
    world.submission(ada, at=NOW + timedelta(hours=1))  # queued
    assert {item.evaluation_id for item in grader.waiting()} == set(two)
    assert grader.waiting("digits") == grader.waiting()
    assert grader.waiting()[0].reference_digest == "digits-public".ljust(64, "0")
    with pytest.raises(NotFound):
        grader.waiting("nowhere")


def test_scores_under_references_that_are_not_current_wait_too(grader, two, world):
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        registry.add_reference(session, competition, "public", "f" * 64, 3, 10.0, {}, NOW)
    assert len(grader.waiting()) == 2
    assert len(grader.rows()) == 3  # the old public one is in use still


def test_a_reference_that_nothing_uses_any_more_needs_no_row(grader, world):
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        registry.add_reference(session, competition, "public", "f" * 64, 3, 10.0, {}, NOW)
    assert len(grader.rows()) == 2


def test_what_is_staged_is_seen_nowhere(grader, two):
    ada, eve = two
    before = grader.board(), grader.shown(eve), _mark(grader)
    assert grader.stage({ada: 0.1, eve: 0.9}) == 2
    assert (grader.board(), grader.shown(eve), _mark(grader)) == before
    assert grader.waiting() == []


def _mark(grader):
    with read_only(grader.engine) as session:
        return versions.of_board(session, "digits", LATER)


def test_staging_twice_keeps_the_first(grader, two):
    ada, _ = two
    items = grader.waiting()
    assert grader.stage({ada: 0.1}) == 1
    with unit_of_work(grader.engine) as session:
        again = replace(SCORE, grader_version="2", score=0.7)
        item = next(item for item in items if item.evaluation_id == ada)
        assert not regrading.stage(session, item, again, LATER)
    assert ("2", 0.1, False) in grader.scores()


def test_publishing_swaps_everything_and_writes_events(grader, two, world):
    ada, eve = two
    grader.stage({ada: 0.1, eve: 0.9})
    mark = _mark(grader)
    done = grader.publish()
    assert (done.scores, done.references) == (2, 2)
    assert grader.board() == [(1, "eve", 0.9), (2, "ada", 0.1)]
    assert grader.shown(ada) == ("2", 0.1)
    assert grader.scores() == [("1", 0.4, False), ("1", 0.5, False), ("2", 0.1, True), ("2", 0.9, True)]
    assert _mark(grader) != mark
    assert world.events("evaluation.regraded") == 2
    assert world.events("regrade.published") == 1
    with read_only(grader.engine) as session:
        assert {one.facts["retraining"]["score"] for one in session.scalars(select(Reference))} == {0.2}


def test_publishing_changes_what_a_submissions_poll_asks_for(grader, two, world, ada):
    submission_id = world.evaluation(two[0]).submission_id
    with read_only(grader.engine) as session:
        before = versions.of_submission(session, submission_id, ada)
    grader.stage(dict.fromkeys(two, 0.3))
    grader.publish()
    with read_only(grader.engine) as session:
        assert versions.of_submission(session, submission_id, ada) != before


def test_publishing_twice_changes_nothing_more(grader, two, world):
    grader.stage(dict.fromkeys(two, 0.3))
    grader.publish()
    before = grader.scores(), world.events()
    done = grader.publish()
    assert (done.scores, done.references) == (0, 0)
    assert (grader.scores(), world.events()) == before


def test_one_missing_score_keeps_all_from_being_published(grader, two, world):
    ada, eve = two
    grader.stage({ada: 0.1})
    before = grader.scores()
    with pytest.raises(Conflict, match="1 evaluations and 0 references"):
        grader.publish()
    assert grader.scores() == before
    grader.stage({eve: 0.9})
    grader.publish()
    assert grader.shown(ada) == ("2", 0.1)


def test_what_was_scored_by_the_old_version_meanwhile_keeps_all_from_being_published(grader, two, world):
    grader.stage(dict.fromkeys(two, 0.3))
    late = grader.scored(world.user("late"), 0.6)
    with pytest.raises(Conflict) as refused:
        grader.publish()
    assert "lethe admin regrade" in refused.value.advice
    assert grader.stage({late: 0.2}) == 1
    grader.publish()
    assert grader.shown(late) == ("2", 0.2)


def test_a_reference_without_its_row_keeps_all_from_being_published(grader, two):
    grader.stage(dict.fromkeys(two, 0.3))
    with pytest.raises(Conflict, match="0 evaluations and 2 references"):
        grader.publish(rows={})


def test_what_the_new_version_scored_by_itself_needs_nothing(grader, world, ada):
    _, evaluation_id = world.submission(ada)
    for claim in world.claim(limit=3):
        world.record(claim)
    assert world.finish(world.scoring_claim(evaluation_id), replace(SCORE, grader_version="2"))
    assert grader.waiting() == []
    assert grader.publish().scores == 0


def test_dropping_deletes_what_is_staged_and_nothing_else(grader, two, world):
    before = grader.scores()
    grader.stage(dict.fromkeys(two, 0.3))
    assert grader.drop() == 2
    assert grader.scores() == before
    assert grader.drop() == 0
    assert world.events("regrade.dropped") == 1


def test_dropping_keeps_what_is_published(grader, two):
    grader.stage(dict.fromkeys(two, 0.3))
    grader.publish()
    assert grader.drop() == 0
    assert len(grader.scores()) == 4


def test_one_competition_can_be_published_without_the_others(grader, two, world):
    world.competition("faces")
    _, other = world.submission(world.user("mia"), "faces")
    world.score(other, 0.7)
    grader.stage(dict.fromkeys([*two, other], 0.3))
    grader.publish("digits")
    assert (grader.shown(two[0])[0], grader.shown(other)[0]) == ("2", "1")
    assert grader.drop("faces") == 1


def test_going_back_to_the_old_version_finds_its_scores_ready(grader, two):
    grader.stage(dict.fromkeys(two, 0.3))
    grader.publish()
    old = {one: {**ROW, "grader_version": "1"} for one in _all_references(grader)}
    with unit_of_work(grader.engine) as session:
        assert regrading.waiting(session, "1") == []
        assert regrading.publish(session, "1", old, LATER).scores == 2
    assert grader.board() == [(1, "ada", 0.5), (2, "eve", 0.4)]


def _all_references(grader):
    with read_only(grader.engine) as session:
        return session.scalars(select(Reference.id)).all()


def test_a_preview_shows_old_and_new_places_and_leaves_all_as_it_was(grader, two, world):
    ada, eve = two
    grader.stage({ada: 0.1, eve: 0.9})
    before = grader.scores(), grader.board(), world.events()
    found = grader.preview()
    assert (found.scores, found.references) == (2, 2)
    public = found.boards[0]
    moves = [(m.participant, m.old.place, m.new.place, m.old.score, m.new.score) for m in public.moves]
    assert (public.competition, public.split) == ("digits", "public")
    assert moves == [("eve", 2, 1, 0.4, 0.9), ("ada", 1, 2, 0.5, 0.1)]
    assert (public.old_retraining, public.new_retraining) == (None, 0.2)
    assert (grader.scores(), grader.board(), world.events()) == before


def test_a_preview_shows_retraining_by_the_score_that_ranks(grader, two):
    _retraining(grader, {"score": 0.18, "calibrated_score": None})
    assert grader.preview().boards[0].old_retraining == 0.18
    with unit_of_work(grader.engine) as session:
        competition = registry.get_competition(session, "digits")
        competition.config = competition.config | {"evaluation": {"models": 8, "ranking": "calibrated"}}
    assert grader.preview().boards[0].old_retraining is None
    _retraining(grader, {"score": 0.18, "calibrated_score": 1.0})
    assert grader.preview().boards[0].old_retraining == 1.0


def _retraining(grader, row):
    parts = {"forgetting_quality": 0.18, "retain_ratio": 1.0, "test_ratio": 1.0}
    with unit_of_work(grader.engine) as session:
        for one in session.scalars(select(Reference)):
            one.facts = {"retraining": parts | row}


def test_a_preview_ranks_the_private_split_too(grader, world, ada):
    submission_id, _ = world.submission(ada)
    world.score(world.evaluation_of(submission_id))
    private = _private(world, submission_id, 0.4)
    world.enter(submission_id)
    grader.stage({private: 0.25})
    hidden = grader.preview().boards[1]
    assert hidden.split == "private"
    assert [(m.participant, m.old.score, m.new.score) for m in hidden.moves] == [("ada", 0.4, 0.25)]


def _private(world, submission_id, value):
    """An evaluation of the private split, scored."""
    with unit_of_work(world.engine) as session:
        submission = session.get_one(Submission, submission_id)
        reference = registry.current_reference(session, submission.competition, "private")
        evaluation = evaluations.create(
            session, submission, reference, 0.2, range(3), published=True, now=NOW, due=NOW + DAY
        )
    world.score(evaluation.id, value)
    return evaluation.id


def test_two_publishing_at_once_publish_once(grader, two, world):
    grader.stage(dict.fromkeys(two, 0.3))
    rows, done = grader.rows(), []
    engine = grader.engine if grader.engine.dialect.name == "postgresql" else make_engine(grader.engine.url)
    start = threading.Barrier(2)

    def publish(own):
        start.wait()
        with unit_of_work(own) as session:
            done.append(regrading.publish(session, "2", rows, LATER).scores)

    threads = [threading.Thread(target=publish, args=(one,)) for one in (grader.engine, engine)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [0, 2]
    assert world.events("evaluation.regraded") == 2


def test_an_organiser_who_prepares_again_meanwhile_waits_and_nobody_fails(grader, two):
    grader.stage(dict.fromkeys(two, 0.3))
    rows, failed = grader.rows(), []
    engine = grader.engine if grader.engine.dialect.name == "postgresql" else make_engine(grader.engine.url)

    def prepare():
        try:
            with unit_of_work(engine) as session:
                competition = registry.get_competition(session, "digits")
                registry.add_reference(session, competition, "public", "f" * 64, 3, 10.0, {}, NOW)
        except OperationalError as error:
            failed.append(error)

    other = threading.Thread(target=prepare)
    with unit_of_work(grader.engine) as session:
        regrading.publish(session, "2", rows, LATER)
        other.start()
        other.join(0.5)  # it has the competition's row, or waits for it
    other.join(20)
    assert (failed, other.is_alive()) == ([], False)


def test_the_events_name_both_versions(grader, two):
    grader.stage(dict.fromkeys(two, 0.3))
    grader.publish()
    with read_only(grader.engine) as session:
        details = [
            event.detail for event in session.scalars(select(Event)) if event.kind == "evaluation.regraded"
        ]
    assert any("grader version 1 to 2: 0.500000 to 0.300000" in detail for detail in details)
