"""Who takes part: a person, or their team, with one quota, one place in the queue and one on the board."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from app import entrants, leaderboard, quota, registry, submissions
from app.db import read_only, unit_of_work
from app.errors import NotFound, QuotaExhausted
from app.models import Run, Submission, Team, TeamMember
from app.views import submissions as submission_views
from app.views import versions
from tests.app.conftest import NOW

MINUTE = timedelta(minutes=1)


@pytest.fixture
def grace(world):
    return world.user("grace")


@pytest.fixture
def sieve(world, ada, grace):
    """A team of ada and grace."""
    return make_team(world, "The sieve", ada, grace)


def make_team(world, name, *people, slug="digits"):
    team_id = name.casefold().replace(" ", "").ljust(32, "0")
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, slug)
        session.add(
            Team(
                id=team_id,
                competition_id=competition.id,
                name=name,
                name_key=name.casefold(),
                leader_id=people[0].id,
                created_at=NOW,
            )
        )
        session.flush()
        for one in people:
            row = {"competition_id": competition.id, "user_id": one.id, "team_id": team_id}
            session.add(TeamMember(**row, joined_at=NOW))
    return team_id


def entrant_of(world, user, slug="digits"):
    with read_only(world.engine) as session:
        return entrants.of(session, user.id, registry.get_competition(session, slug).id)


def left(world, user):
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        return quota.remaining(session, user.id, competition, registry.config_of(competition), NOW).left


def test_a_person_is_an_entrant_until_they_belong_to_a_team_of_that_competition(world, sieve, grace):
    world.competition("faces")
    assert entrant_of(world, grace) == entrants.Entrant("team", sieve, "The sieve")
    assert entrant_of(world, grace, "faces") == entrants.Entrant("person", grace.id, "grace")
    eve = world.user("eve")
    assert entrant_of(world, eve).team_id is None


def test_a_team_spends_one_quota(door, world, sieve, ada, grace):
    eve = world.user("eve")
    for person in (ada, grace, ada, grace, ada):
        door(user_id=person.id)
    assert [left(world, one) for one in (ada, grace, eve)] == [0, 0, 5]
    with pytest.raises(QuotaExhausted):
        door(user_id=grace.id)
    assert door(user_id=eve.id).created


def test_the_quota_of_a_team_holds_when_its_members_submit_at_once(door, world, sieve, ada, grace):
    together = Barrier(12)

    def one(index):
        together.wait()
        try:
            return door(user_id=(ada, grace)[index % 2].id).created
        except QuotaExhausted:
            return False

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(one, range(12))) == 5
    assert left(world, ada) == 0


def turn_of(world, submission_id):
    with read_only(world.engine) as session:
        return session.query(Run.turn).filter_by(evaluation_id=world.evaluation_of(submission_id)).first()[0]


def test_the_members_of_a_team_share_its_turns(door, world, sieve, ada, grace):
    eve = world.user("eve")
    sent = [door(user_id=one.id).submission_id for one in (ada, grace, ada, eve)]
    assert [turn_of(world, one) for one in sent] == [0, 1, 2, 0]


def test_a_submission_belongs_to_its_senders_team_and_every_member_sees_and_cancels_it(
    door, world, sieve, ada, grace
):
    eve = world.user("eve")
    sent = door().submission_id
    with unit_of_work(world.engine) as session:
        assert submissions.get(session, sent, grace).team_id == sieve
        with pytest.raises(NotFound):
            submissions.get(session, sent, eve)
        assert versions.of_submission(session, sent, grace).mark
        with pytest.raises(NotFound):
            versions.of_submission(session, sent, eve)
        (listed,) = submission_views.mine(session, grace, None, None).items
        assert (listed.id, listed.user, listed.team) == (sent, "ada", "The sieve")
        assert submission_views.mine(session, eve, None, None).items == []
        with pytest.raises(NotFound):
            submissions.cancel(session, sent, eve, NOW)
        assert submissions.cancel(session, sent, grace, NOW)


def test_a_team_has_one_place_by_the_best_of_its_members(world, ada, grace):
    eve = world.user("eve")
    made = [world.submission(one, at=NOW + at * MINUTE) for at, one in enumerate((ada, grace, eve))]
    team = make_team(world, "The sieve", ada, grace)
    with unit_of_work(world.engine) as session:
        for one in session.query(Submission).filter(Submission.user_id.in_([ada.id, grace.id])):
            one.team_id = team
    for at, ((_, evaluation), value) in enumerate(zip(made, (0.3, 0.5, 0.4), strict=True)):
        world.score(evaluation, value, NOW + (3 + at) * MINUTE)
    later = NOW + timedelta(hours=1)
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        first, second = leaderboard.board(session, competition, later).rows
        assert leaderboard.best_of(session, competition, team, later) == made[1][0]
    assert (first.entry.entrant_name, first.entry.user_name, first.members) == (
        "The sieve",
        "grace",
        ["ada", "grace"],
    )
    assert (first.entries, first.last_at, first.entry.score) == (2, NOW + MINUTE, 0.5)
    assert (second.entry.entrant_name, second.members, second.entries) == ("eve", ["eve"], 1)
