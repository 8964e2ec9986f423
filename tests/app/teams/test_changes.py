"""How teams form and change, and who may change them."""

import pytest

from app import entrants, teams
from app.db import read_only
from app.errors import Conflict, Forbidden, NotFound
from app.views import teams as views
from tests.app.conftest import NOW
from tests.app.teams.looking import CLOSED, DAY, names, owners, page


def test_whoever_creates_a_team_leads_it_and_brings_what_they_have_submitted(world, door, do, ada):
    door()
    team = do(teams.create, "digits", "  The   sieve ", ada)
    assert names(world, ada) == ("The sieve", "ada", ["ada"])
    assert owners(world) == [("ada", "The sieve")]
    assert world.events("team.created") == 1
    assert door().created
    with read_only(world.engine) as session:
        assert entrants.of(session, ada.id, team.competition_id).name == "The sieve"


def test_only_the_leader_renames_invites_and_withdraws(do, world, sieve, ada, grace, eve):
    do(teams.accept, do(teams.invite, "digits", "grace", ada).id, grace)
    open_one = do(teams.invite, "digits", "eve", ada)
    for change, words in (
        (teams.rename, ("digits", "Other")),
        (teams.invite, ("digits", "eve")),
        (teams.invite_team, ("digits", "Other")),
        (teams.withdraw, (open_one.id,)),
    ):
        with pytest.raises(Forbidden):
            do(change, *words, grace)
    with pytest.raises(NotFound):
        do(teams.withdraw, open_one.id, eve)
    assert do(teams.rename, "digits", "The colander", ada).name == "The colander"
    do(teams.withdraw, open_one.id, ada)
    assert page(world, eve).invitations == []


def test_the_leader_hands_the_team_over_to_another_member(do, world, sieve, ada, grace, eve):
    do(teams.accept, do(teams.invite, "digits", "grace", ada).id, grace)
    refusals = [
        (NotFound, "eve", ada),
        (NotFound, "", ada),
        (Conflict, "ada", ada),
        (Forbidden, "grace", grace),
        (NotFound, "grace", eve),
    ]
    for refusal, name, actor in refusals:
        with pytest.raises(refusal):
            do(teams.hand_over, "digits", name, actor)
    with pytest.raises(Conflict):
        do(teams.hand_over, "digits", "grace", ada, at=CLOSED)
    assert world.events("team.handed_over") == 0
    do(teams.hand_over, "digits", "grace", ada)
    assert names(world, ada) == ("The sieve", "grace", ["ada", "grace"])
    assert world.events("team.handed_over") == 1
    assert (page(world, grace).team.may_lead, page(world, ada).team.may_lead) == (True, False)


def test_an_invited_person_sees_it_and_joins_with_what_they_have_submitted(
    world, door, do, sieve, ada, grace
):
    door(user_id=grace.id)
    do(teams.invite, "digits", "grace", ada)
    (invitation,) = page(world, grace).invitations
    assert (invitation.team, invitation.members, invitation.may_answer) == ("The sieve", ["ada"], True)
    with read_only(world.engine) as session:
        assert views.waiting(session, grace) == [("digits", "Digits", "The sieve")]
    do(teams.accept, invitation.id, grace)
    assert names(world, ada) == ("The sieve", "ada", ["ada", "grace"])
    assert owners(world) == [("grace", "The sieve")]
    assert page(world, grace).invitations == []
    with pytest.raises(NotFound):
        do(teams.accept, invitation.id, grace)


def test_an_invitation_is_answered_by_whom_it_is_for_and_nobody_else_sees_it(
    world, do, sieve, ada, grace, eve
):
    invitation = do(teams.invite, "digits", "grace", ada).id
    for change in (teams.accept, teams.decline):
        for other in (ada, eve):
            with pytest.raises(NotFound):
                do(change, invitation, other)
    do(teams.decline, invitation, grace)
    assert (page(world, grace).invitations, page(world, ada).team.invitations) == ([], [])
    assert names(world, grace) is None
    with pytest.raises(NotFound):
        do(teams.accept, invitation, grace)


def test_who_cannot_be_invited_is_said_in_words(world, do, sieve, ada, grace):
    do(teams.invite, "digits", "grace", ada)
    with pytest.raises(Conflict, match="invited already"):
        do(teams.invite, "digits", "grace", ada)
    with pytest.raises(NotFound, match="nobody named"):
        do(teams.invite, "digits", "nemo", ada)
    with pytest.raises(Conflict, match="in the team already"):
        do(teams.invite, "digits", "ada", ada)
    do(teams.create, "digits", "The colander", grace)
    with pytest.raises(Conflict, match="in the team The colander"):
        do(teams.invite, "digits", "grace", ada)
    with pytest.raises(NotFound, match="in no team"):
        do(teams.invite, "digits", "grace", world.user("eve"))


def test_a_team_has_no_more_people_than_the_competition_allows(world, do, ada, grace, eve):
    world.competition(teams={"max_size": 2})
    do(teams.create, "digits", "The sieve", ada)
    first, second = (do(teams.invite, "digits", one.name, ada).id for one in (grace, eve))
    do(teams.accept, first, grace)
    with pytest.raises(Conflict, match="at most 2"):
        do(teams.accept, second, eve)
    with pytest.raises(Conflict, match="at most 2"):
        do(teams.invite, "digits", world.user("mia").name, ada)


def test_a_competition_may_have_no_teams(world, do, ada):
    world.competition(teams={"max_size": 1})
    with pytest.raises(Conflict, match="takes part alone"):
        do(teams.create, "digits", "The sieve", ada)
    assert not page(world, ada).forming


def test_from_the_merge_deadline_on_nobody_joins_and_after_the_close_nothing_changes(world, do, ada, grace):
    world.competition(teams={"merge_deadline": NOW + DAY})
    do(teams.create, "digits", "The sieve", ada)
    invitation = do(teams.invite, "digits", "grace", ada).id
    late = NOW + DAY
    for change, words in (
        (teams.accept, (invitation,)),
        (teams.create, ("digits", "Late")),
    ):
        with pytest.raises(Conflict, match="2026-03-05 12:00 UTC"):
            do(change, *words, grace, at=late)
    with pytest.raises(Conflict):
        do(teams.invite, "digits", "grace", ada, at=late)
    assert not page(world, ada, late).forming
    assert do(teams.rename, "digits", "Renamed", ada, at=late).name == "Renamed"
    for change, words, who in (
        (teams.rename, ("digits", "Later"), ada),
        (teams.leave, ("digits",), ada),
        (teams.decline, (invitation,), grace),
        (teams.withdraw, (invitation,), ada),
    ):
        with pytest.raises(Conflict, match="closed"):
            do(change, *words, who, at=CLOSED)


def test_a_member_leaves_a_team_without_submissions_and_leadership_passes_on(
    world, do, sieve, ada, grace, eve
):
    for at, one in enumerate((grace, eve)):
        do(teams.accept, do(teams.invite, "digits", one.name, ada).id, one, at=NOW + at * DAY)
    do(teams.leave, "digits", ada)
    assert (names(world, ada), names(world, eve)) == (None, ("The sieve", "grace", ["grace", "eve"]))
    with pytest.raises(NotFound):
        do(teams.leave, "digits", ada)


def test_nobody_leaves_a_team_that_has_submissions_but_who_is_alone_dissolves_it(
    world, door, do, sieve, ada, grace
):
    door()
    invited = do(teams.invite, "digits", "grace", ada).id
    do(teams.leave, "digits", ada)
    assert (names(world, ada), owners(world)) == (None, [("ada", None)])
    with pytest.raises(NotFound):
        do(teams.accept, invited, grace)
    do(teams.create, "digits", "The sieve", ada)
    do(teams.accept, do(teams.invite, "digits", "grace", ada).id, grace)
    for one in (ada, grace):
        with pytest.raises(Conflict, match="nobody leaves"):
            do(teams.leave, "digits", one)
    assert not page(world, grace).team.may_leave
    assert owners(world) == [("ada", "The sieve")]
