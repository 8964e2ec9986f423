"""Final entries: chosen while a competition is open, taken at its close."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from app import disqualifying, finals, registry
from app.db import make_engine, read_only, unit_of_work
from app.errors import BadRequest, Conflict, Disqualified, NotFound
from app.models import FinalEntry, Submission, Team, TeamMember
from app.status import FinalState
from tests.app.conftest import FAILURE, NOW

MINUTE = timedelta(minutes=1)
CLOSE = NOW + timedelta(days=30)


@pytest.fixture
def three(world, ada):
    """Three scored submissions of ada's."""
    found = [world.submission(ada, at=NOW + n * MINUTE) for n in range(3)]
    for n, (_, evaluation) in enumerate(found):
        world.score(evaluation, 0.1 + n / 10, NOW + n * MINUTE)
    return [submission for submission, _ in found]


def choose(world, person, *ids, at=NOW + 5 * MINUTE, slug="digits"):
    with unit_of_work(world.engine) as session:
        found = finals.choose(session, slug, person, ids, at)
        return [one.submission_id for one in found]


def chosen(world):
    with read_only(world.engine) as session:
        return {one.submission_id: one.state for one in session.scalars(select(FinalEntry))}


def test_a_choice_is_exactly_what_was_chosen_last(world, ada, three):
    assert choose(world, ada, three[0], three[1]) == sorted(three[:2])
    assert choose(world, ada, three[1], three[2], at=NOW + 6 * MINUTE) == three[1:]
    assert choose(world, ada) == []
    assert (world.events("final.chosen"), world.events("final.dropped")) == (3, 3)


def test_choosing_the_same_again_changes_nothing(world, ada, three):
    choose(world, ada, three[0], three[0])
    choose(world, ada, three[0])
    assert (chosen(world), world.events("final.chosen")) == ({three[0]: FinalState.CHOSEN}, 1)


def test_more_than_there_are_places_for_is_refused_with_their_number(world, ada, three):
    with pytest.raises(BadRequest, match="3 submissions, and 2 can be"):
        choose(world, ada, *three)
    assert chosen(world) == {}


def test_one_that_is_under_way_may_be_chosen_and_one_that_failed_may_not(world, ada):
    under_way, _ = world.submission(ada)
    assert choose(world, ada, under_way) == [under_way]
    world.record(*world.claim(), FAILURE)
    other, _ = world.submission(ada, at=NOW + MINUTE)
    world.record(*world.claim(at=NOW + MINUTE), FAILURE)
    with pytest.raises(Conflict, match=r"ended without a score \(timed_out\)"):
        choose(world, ada, other)


def test_what_is_another_persons_or_of_another_competition_is_not_found(world, ada, three):
    eve = world.user("eve")
    with pytest.raises(NotFound):
        choose(world, eve, three[0])
    with pytest.raises(NotFound):
        choose(world, ada, "f" * 32)
    world.competition("faces")
    with pytest.raises(NotFound, match="not one to"):
        choose(world, ada, three[0], slug="faces")
    assert chosen(world) == {}


def test_from_the_close_on_choices_are_locked(world, ada, three):
    assert choose(world, ada, three[0], at=CLOSE - timedelta(seconds=1)) == [three[0]]
    with pytest.raises(Conflict, match="locked at the close, 2026-04-03 12:00 UTC"):
        choose(world, ada, three[1], at=CLOSE)
    with pytest.raises(Conflict, match="opens at"):
        choose(world, ada, three[1], at=NOW - timedelta(days=31))
    assert list(chosen(world)) == [three[0]]


def test_a_deadline_cannot_be_moved_once_final_entries_were_taken(world):
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        config, competition.closed_at = registry.config_of(competition), NOW
    later = config.model_copy(update={"closes_at": CLOSE + timedelta(days=1)})
    with pytest.raises(Conflict, match="can no longer be changed"), unit_of_work(world.engine) as session:
        registry.register(session, later, {"overview": ""}, NOW)
    with unit_of_work(world.engine) as session:
        registry.register(session, config.model_copy(update={"title": "New"}), {"overview": ""}, NOW)


def test_of_two_who_choose_for_one_person_at_once_one_has_the_last_word(world, ada, three):
    engines = [world.engine, make_engine(world.engine.url)]
    start = threading.Barrier(2)

    def go(engine, ids):
        start.wait()
        with unit_of_work(engine) as session:
            finals.choose(session, "digits", ada, ids, NOW + 5 * MINUTE)

    choices = (three[:2], three[1:])
    threads = [threading.Thread(target=go, args=pair) for pair in zip(engines, choices, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(chosen(world)) in ({*choices[0]}, {*choices[1]})


def test_what_is_disqualified_cannot_be_chosen(world, ada, admin, three):
    with unit_of_work(world.engine) as session:
        disqualifying.disqualify_submission(session, three[0], "copied", admin, NOW)
    with pytest.raises(Conflict, match="is disqualified"):
        choose(world, ada, three[0])
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        disqualifying.disqualify_entrant(session, competition, ada, "two accounts", admin, NOW)
    with pytest.raises(Disqualified, match="two accounts"):
        choose(world, ada, three[1])


@pytest.fixture
def team(world, ada):
    """A team of ada and grace."""
    grace = world.user("grace")
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        session.add(
            Team(
                id="team",
                competition_id=competition.id,
                name="Both",
                name_key="both",
                leader_id=ada.id,
                created_at=NOW,
            )
        )
        session.flush()
        for one in (ada, grace):
            row = {"competition_id": competition.id, "user_id": one.id, "team_id": "team"}
            session.add(TeamMember(**row, joined_at=NOW))
    return grace


def test_a_team_has_its_final_entries_together(world, ada, team):
    hers, theirs = (world.submission(one, at=NOW + n * MINUTE) for n, one in enumerate((ada, team)))
    with unit_of_work(world.engine) as session:
        for submission in session.query(Submission):
            submission.team_id = "team"
    for n, (_, evaluation) in enumerate((hers, theirs)):
        world.score(evaluation, 0.1 + n / 10, NOW + n * MINUTE)
    assert choose(world, team, hers[0]) == [hers[0]]
    assert choose(world, ada, hers[0], theirs[0]) == [hers[0], theirs[0]]
    with pytest.raises(NotFound):
        choose(world, world.user("eve"), hers[0])


def test_what_was_somebodys_alone_is_not_their_teams_to_choose(world, ada, three, team):
    with pytest.raises(NotFound):
        choose(world, ada, three[0])
