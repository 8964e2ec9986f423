"""What tests of teams look at, and how they make things happen together."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from app import entrants, finals, registry
from app.db import read_only
from app.errors import LetheError
from app.models import Submission, Team
from app.views import teams as views
from tests.app.conftest import NOW

DAY = timedelta(days=1)


CLOSED = NOW + timedelta(days=31)


def page(world, user, at=NOW):
    with read_only(world.engine) as session:
        return views.describe(session, "digits", user, at)


def names(world, user):
    team = page(world, user).team
    return None if team is None else (team.name, team.leader, [one.name for one in team.members])


def owners(world):
    with read_only(world.engine) as session:
        rows = session.query(Submission.user_id, Team.name).outerjoin(Team, Team.id == Submission.team_id)
        return sorted((user_id.rstrip("0"), name) for user_id, name in rows)


def chosen(world, user):
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        entrant = entrants.of(session, user.id, competition.id)
        return {one.submission_id for one in finals.of_entrant(session, competition, entrant)}


def at_once(*calls):
    """Call all of them together; return what each gave or raised."""
    together = Barrier(len(calls))

    def one(call):
        together.wait()
        try:
            return call()
        except LetheError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))
