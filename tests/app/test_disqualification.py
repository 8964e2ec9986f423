"""What is disqualified counts nowhere and comes back exactly as it was; on both databases."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app import disqualification, disqualifying, leaderboard, registry, submissions
from app.db import read_only, unit_of_work
from app.errors import Conflict, Disqualified, Forbidden, NotFound
from app.models import Disqualification, QuotaEntry, Score, Submission, Team, TeamMember
from app.views import boards, competitions, versions
from app.views.submissions import describe
from tests.app.conftest import NOW

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def two(world, ada):
    """Ada has two scored submissions, the better first; return their ids."""
    found = []
    for minutes, value in ((0, 0.5), (5, 0.4)):
        submission, evaluation = world.submission(ada, at=NOW + timedelta(minutes=minutes))
        world.score(evaluation, value, NOW + timedelta(minutes=minutes))
        found.append(submission)
    return found


def board(world, split="public"):
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        rows = leaderboard.board(session, competition, LATER, split).rows
        return [(row.entry.submission_id, row.entry.score) for row in rows]


def mark(world):
    with read_only(world.engine) as session:
        return versions.of_board(session, "digits", LATER)


def one(world, what, submission, admin, reason="copied"):
    with unit_of_work(world.engine) as session:
        getattr(disqualifying, f"{what}_submission")(session, submission, reason, admin, LATER)


def everything(world, what, user, admin, reason="two accounts"):
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        getattr(disqualifying, f"{what}_entrant")(session, competition, user, reason, admin, LATER)


def test_a_disqualified_submission_leaves_the_board_to_the_next_best_and_comes_back(world, two, admin):
    before, first = board(world), mark(world)
    one(world, "disqualify", two[0], admin)
    assert board(world) == [(two[1], 0.4)]
    second = mark(world)
    one(world, "reinstate", two[0], admin)
    assert board(world) == before == [(two[0], 0.5)]
    assert len({first, second, mark(world)}) == 3  # boards in memory are rendered anew each time
    assert world.events("submission.disqualified") == world.events("submission.reinstated") == 1


def test_a_disqualified_entrant_has_no_place_on_either_split(world, two, ada, admin):
    with unit_of_work(world.engine) as session:
        rerun = submissions.rerun(
            session, two[0], "private", admin, NOW, queue_due=timedelta(days=1), seeds=[1, 2, 3]
        )
    world.score(rerun.id, 0.3)
    world.enter(two[0])
    assert len(board(world, "private")) == 1
    everything(world, "disqualify", ada, admin)
    assert board(world) == board(world, "private") == []
    with read_only(world.engine) as session:
        assert boards.board(session, "digits", LATER).unranked == 0
    everything(world, "reinstate", ada, admin)
    assert board(world) == [(two[0], 0.5)]
    assert len(board(world, "private")) == 1


def test_nothing_that_is_stored_changes_and_no_quota_comes_back(world, two, ada, admin):
    def kept():
        with read_only(world.engine) as session:
            scores = session.scalar(select(func.count(Score.id)))
            return scores, session.scalar(select(func.sum(QuotaEntry.amount)))

    before = kept()
    one(world, "disqualify", two[0], admin)
    everything(world, "disqualify", ada, admin)
    assert kept() == before == (2, -2)


def test_who_is_disqualified_may_not_submit_to_this_competition_and_may_to_others(world, ada, admin):
    world.competition("faces")
    everything(world, "disqualify", ada, admin)
    with read_only(world.engine) as session:
        with pytest.raises(Disqualified, match="two accounts") as refused:
            competitions.knock(session, "digits", ada, None, LATER)
        assert (refused.value.status, refused.value.code) == (403, "disqualified")
        assert isinstance(refused.value, Forbidden)
        assert competitions.knock(session, "faces", ada, None, LATER) > 0


def test_a_submission_that_is_out_by_itself_stays_out_when_its_entrant_is_reinstated(world, two, ada, admin):
    one(world, "disqualify", two[0], admin)
    everything(world, "disqualify", ada, admin)
    everything(world, "reinstate", ada, admin)
    assert board(world) == [(two[1], 0.4)]


def test_what_is_out_cannot_be_put_out_and_what_counts_cannot_be_reinstated(world, two, ada, admin):
    for act, what in ((one, two[0]), (everything, ada)):
        with pytest.raises(Conflict, match="nothing to reinstate"):
            act(world, "reinstate", what, admin)
        act(world, "disqualify", what, admin)
        with pytest.raises(Conflict, match="disqualified already"):
            act(world, "disqualify", what, admin)
    with pytest.raises(NotFound):
        one(world, "disqualify", "nothing", admin)


def test_of_admins_who_disqualify_at_once_one_wins(world, two, admin):
    barrier, ended = threading.Barrier(4), []

    def act():
        barrier.wait()
        try:
            one(world, "disqualify", two[0], admin)
            ended.append("won")
        except Conflict:
            ended.append("refused")

    threads = [threading.Thread(target=act) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["refused"] * 3 + ["won"]
    with read_only(world.engine) as session:
        assert session.scalar(select(func.count(Disqualification.id))) == 1


def test_its_owner_reads_the_reason_and_polls_hear_of_it(world, two, ada, admin):
    def seen():
        with read_only(world.engine) as session:
            found = describe(session, two[0], ada).disqualified
            return found and found.reason, versions.of_submission(session, two[0], ada).mark

    first = seen()
    one(world, "disqualify", two[0], admin)
    second = seen()
    one(world, "reinstate", two[0], admin)
    third = seen()
    assert [first[0], second[0], third[0]] == [None, "copied", None]
    assert len({first[1], second[1], third[1]}) == 3


def test_the_history_keeps_who_decided_what_and_why(world, two, ada, admin):
    one(world, "disqualify", two[0], admin, "copied")
    one(world, "reinstate", two[0], admin, "it was the other way round")
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        [row] = disqualification.history(session, competition.id, ada.id)
        assert (row.reason, row.actor, row.created_at) == ("copied", "root", LATER)
        assert (row.lifted_reason, row.lifted_by) == ("it was the other way round", "root")


def test_who_is_in_a_team_takes_the_teams_submissions_out_with_them(world, two, ada, admin):
    eve, mia = world.user("eve"), world.user("mia")
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        session.add(
            Team(
                id="t" * 32,
                competition_id=competition.id,
                name="The sieve",
                name_key="the sieve",
                leader_id=eve.id,
                created_at=NOW,
            )
        )
        session.flush()
        for member in (eve, mia):
            session.add(
                TeamMember(competition_id=competition.id, user_id=member.id, team_id="t" * 32, joined_at=NOW)
            )
    submission, evaluation = world.submission(eve)
    with unit_of_work(world.engine) as session:
        session.get_one(Submission, submission).team_id = "t" * 32
    world.score(evaluation, 0.7)
    before = board(world)
    assert before[0] == (submission, 0.7)
    everything(world, "disqualify", mia, admin)
    assert board(world) == before[1:]
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        assert {user for _, user in disqualification.everybody_out(session)} == {eve.id, mia.id}
        with pytest.raises(Disqualified):
            disqualification.check(session, competition, eve.id)
        disqualification.check(session, competition, ada.id)
    with pytest.raises(Conflict):
        everything(world, "disqualify", eve, admin)
    everything(world, "reinstate", eve, admin)
    assert board(world) == before
