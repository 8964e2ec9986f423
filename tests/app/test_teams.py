"""Teams: how they form, change and merge, and what holds when two things happen at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import event

from app import entrants, finals, quota, registry, submissions, teams
from app.db import read_only, unit_of_work
from app.errors import BadRequest, Conflict, Forbidden, LetheError, NotFound, QuotaExhausted
from app.models import Submission, Team, TeamInvitation, TeamMember
from app.views import teams as views
from app.views import versions
from tests.app.conftest import NOW

DAY = timedelta(days=1)
CLOSED = NOW + timedelta(days=31)


@pytest.fixture
def do(world):
    """Change a team in a transaction of its own."""

    def change(what, *words, at=NOW):
        with unit_of_work(world.engine) as session:
            return what(session, *words, at)

    return change


@pytest.fixture
def grace(world):
    return world.user("grace")


@pytest.fixture
def eve(world):
    return world.user("eve")


@pytest.fixture
def sieve(do, ada):
    return do(teams.create, "digits", "The sieve", ada)


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


def test_whoever_creates_a_team_leads_it_and_brings_what_they_have_submitted(world, door, do, ada):
    door()
    team = do(teams.create, "digits", "  The   sieve ", ada)
    assert names(world, ada) == ("The sieve", "ada", ["ada"])
    assert owners(world) == [("ada", "The sieve")]
    assert world.events("team.created") == 1
    assert door().created
    with read_only(world.engine) as session:
        assert entrants.of(session, ada.id, team.competition_id).name == "The sieve"


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 41, "--", "a\u200bb", "a\u202eb", "a\x00b", "\u3164", "ada\u115f"]
)
def test_a_name_that_nobody_could_read_or_tell_from_another_is_refused(do, ada, name):
    with pytest.raises(BadRequest):
        do(teams.create, "digits", name, ada)


@pytest.mark.parametrize(
    "name",
    [
        *("THE SIEVE", "The\u00a0sieve", "\uff34he sieve", "ada", "ADA", "ada\ufe0f"),
        *("\u0430\u0501\u0430", "\u0410\u0500\u0410"),  # ada in Cyrillic, small and capital
        "The s\u0131eve",
    ],
)
def test_a_name_that_looks_like_another_teams_or_is_an_accounts_is_taken(do, sieve, grace, name):
    with pytest.raises(Conflict):
        do(teams.create, "digits", name, grace)
    assert sieve.name == "The sieve"


@pytest.mark.parametrize(
    "name", ["The s\u0456eve", "Th\u03b5 sieve", "\u0421afe", "\u10d0da", "\u4e16\u0430", "a\u0561"]
)
def test_a_word_that_mixes_scripts_is_refused(do, ada, name):
    with pytest.raises(BadRequest, match="several scripts"):
        do(teams.create, "digits", name, ada)


@pytest.mark.parametrize(
    "name",
    [
        "\u0421\u0438\u0442\u043e 2",  # Russian
        "Team \u03b2",
        "\u6771\u4eac\u30e9\u30dcA",  # Japanese, with a Latin letter
        "\ud55c\uae00 AI",
        "Na\u00efve \u00c9l\u00e8ves",
        "\u0928\u092e\u0938\u094d\u0924\u0947",
        "\u0645\u0631\u062d\u0628\u0627 1",
        "R2\u00b2",
    ],
)
def test_names_as_people_write_them_are_taken(do, ada, name):
    assert do(teams.create, "digits", name, ada).name == name


def test_a_name_is_taken_in_one_competition_only_and_a_member_may_give_theirs(world, do, sieve, grace):
    world.competition("faces")
    assert do(teams.create, "faces", sieve.name, grace).name == sieve.name
    assert do(teams.create, "digits", "grace", grace).name == "grace"


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


@pytest.fixture
def colander(do, grace, eve):
    team = do(teams.create, "digits", "The colander", grace)
    do(teams.accept, do(teams.invite, "digits", "eve", grace).id, eve)
    return team


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


def chosen(world, user):
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        entrant = entrants.of(session, user.id, competition.id)
        return {one.submission_id for one in finals.of_entrant(session, competition, entrant)}


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
