"""What holds when two things happen to teams at once."""

from app import quota, registry, teams
from app.db import read_only
from app.errors import Conflict, LetheError
from app.models import Team, TeamMember
from tests.app.conftest import NOW
from tests.app.teams.looking import at_once, owners, page


def test_the_size_holds_when_everybody_accepts_at_once(world, do, sieve, ada):
    world.competition(teams={"max_size": 3})
    people = [world.user(f"p{index}") for index in range(6)]
    invited = [do(teams.invite, "digits", one.name, ada).id for one in people]
    answers = at_once(
        *[
            lambda one=one, person=person: do(teams.accept, one, person)
            for one, person in zip(invited, people, strict=True)
        ]
    )
    assert sum(isinstance(one, Conflict) for one in answers) == 4
    assert len(page(world, ada).team.members) == 3


def test_of_two_teams_that_ask_each_other_at_once_one_is_left(world, do, sieve, colander, ada, grace):
    asked = do(teams.invite_team, "digits", "The colander", ada).id
    back = do(teams.invite_team, "digits", "The sieve", grace).id
    answers = at_once(lambda: do(teams.accept, asked, grace), lambda: do(teams.accept, back, ada))
    assert sum(isinstance(one, LetheError) for one in answers) == 1
    with read_only(world.engine) as session:
        (team,) = session.query(Team).all()
        assert session.query(TeamMember).filter_by(team_id=team.id).count() == 3


def test_whoever_submits_while_they_join_submits_for_one_or_the_other(world, door, do, sieve, ada, grace):
    invitation = do(teams.invite, "digits", "grace", ada).id
    answers = at_once(
        lambda: do(teams.accept, invitation, grace), *[lambda: door(user_id=grace.id)] * 4, *[door] * 4
    )
    assert isinstance(answers[0], Team)
    assert {name for _, name in owners(world)} == {"The sieve"}
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        spent = quota.remaining(session, ada.id, competition, registry.config_of(competition), NOW).used
    made = sum(not isinstance(one, LetheError) for one in answers[1:])
    assert spent == made == len(owners(world)) >= 5


def test_one_person_creates_one_team_when_they_ask_twice_at_once(world, do, ada):
    answers = at_once(*[lambda name=name: do(teams.create, "digits", name, ada) for name in ("One", "Two")])
    assert sum(isinstance(one, Conflict) for one in answers) == 1
    with read_only(world.engine) as session:
        assert session.query(Team).count() == 1
