"""Merging, and what comes with whoever joins: submissions, quota, final entries."""

import pytest
from sqlalchemy import event

from app import finals, quota, registry, submissions, teams
from app.db import read_only, unit_of_work
from app.errors import Conflict, Forbidden, NotFound, QuotaExhausted
from app.models import Team, TeamInvitation
from app.views import versions
from tests.app.conftest import NOW
from tests.app.teams.looking import DAY, chosen, names, owners, page


def test_a_team_merges_into_the_one_that_asks_when_its_leader_accepts(
    world, door, do, colander, ada, grace, eve
):
    do(teams.create, "digits", "The sieve", ada)
    sent = [door(user_id=one.id).submission_id for one in (ada, eve)]
    invitation = do(teams.invite_team, "digits", "the COLANDER", ada).id
    assert [page(world, one).invitations[0].may_answer for one in (grace, eve)] == [True, False]
    with pytest.raises(Forbidden):
        do(teams.accept, invitation, eve)
    with pytest.raises(NotFound):
        do(teams.accept, invitation, world.user("mia"))
    do(teams.accept, invitation, grace)
    assert names(world, eve) == ("The sieve", "ada", ["ada", "eve", "grace"])
    assert owners(world) == [("ada", "The sieve"), ("eve", "The sieve")]
    with read_only(world.engine) as session:
        assert session.query(Team.name).all() == [("The sieve",)]
        assert session.query(TeamInvitation).count() == 0
        assert all(submissions.get(session, one, grace) for one in sent)
        competition = registry.get_competition(session, "digits")
        assert quota.remaining(session, grace.id, competition, registry.config_of(competition), NOW).used == 2
    assert do(teams.create, "digits", "The colander", world.user("zoe")).name == "The colander"


def test_people_who_have_submitted_more_than_one_entrant_could_have_do_not_join(
    world, door, do, sieve, ada, grace
):
    opened = NOW.replace(hour=0)
    world.competition(opens_at=opened)
    for person, count in ((ada, 4), (grace, 2)):
        for _ in range(count):
            door(user_id=person.id)
    invitation = do(teams.invite, "digits", "grace", ada).id
    with pytest.raises(Conflict, match="made 6 submissions; one team could have made 5"):
        do(teams.accept, invitation, grace)
    do(teams.accept, invitation, grace, at=NOW + DAY)
    with pytest.raises(QuotaExhausted):
        door(user_id=ada.id)


def test_final_entries_join_while_there_is_room_else_those_of_the_team_that_asked_stand(
    world, door, do, sieve, ada, grace
):
    eve = world.user("eve")
    sent = {one.name: [door(user_id=one.id).submission_id for _ in range(2)] for one in (ada, grace, eve)}
    for one, kept in ((ada, 1), (grace, 1), (eve, 2)):
        with unit_of_work(world.engine) as session:
            finals.choose(session, "digits", one, sent[one.name][:kept], NOW)
    do(teams.accept, do(teams.invite, "digits", "grace", ada).id, grace)
    together = {sent["ada"][0], sent["grace"][0]}
    assert chosen(world, ada) == together
    do(teams.accept, do(teams.invite, "digits", "eve", ada).id, eve)
    assert chosen(world, eve) == together
    assert world.events("final.dropped") == 2


def test_what_joins_a_team_is_locked_in_the_order_of_ids_before_it_is_changed(
    world, door, do, sieve, ada, grace
):
    door(user_id=grace.id)
    invitation, sent = do(teams.invite, "digits", "grace", ada).id, []

    def keep(_connection, _cursor, statement, *_more):
        sent.append(" ".join(statement.split()))

    event.listen(world.engine, "before_cursor_execute", keep)
    try:
        do(teams.accept, invitation, grace)
    finally:
        event.remove(world.engine, "before_cursor_execute", keep)
    changed = next(n for n, one in enumerate(sent) if one.startswith("UPDATE submissions"))
    assert "ORDER BY submissions.id" in sent[changed - 1]
    if world.engine.dialect.name != "sqlite":
        assert sent[changed - 1].endswith("FOR NO KEY UPDATE")


def test_what_an_admin_gave_counts_for_the_team(world, door, do, sieve, ada, grace, admin):
    world.competition(opens_at=NOW.replace(hour=0))
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        quota.adjust(session, grace, competition, 1, None, "a fault", actor=admin, now=NOW)
    for person, count in ((ada, 4), (grace, 2)):
        for _ in range(count):
            door(user_id=person.id)
    do(teams.accept, do(teams.invite, "digits", "grace", ada).id, grace)
    assert page(world, ada).team.submissions == 6


def test_a_change_of_a_team_changes_the_marks_of_its_board_and_submissions(world, door, do, ada):
    sent = door().submission_id

    def marks():
        with read_only(world.engine) as session:
            return versions.of_board(session, "digits", NOW), versions.of_submission(session, sent, ada).mark

    seen = {marks()}
    do(teams.create, "digits", "The sieve", ada)
    seen.add(marks())
    do(teams.rename, "digits", "The colander", ada)
    seen.add(marks())
    assert len(seen) == len({one for one, _ in seen}) == len({one for _, one in seen}) == 3
