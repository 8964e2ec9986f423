"""Who is told of what, in which words: read as a real mail server and a real receiver got it."""

import hashlib
import hmac
import json
from email import message_from_bytes, policy

import pytest
from sqlalchemy import event

from app import entrants, registry, submissions, teams
from app.db import unit_of_work
from app.evaluations import RunOutcome
from app.models import Submission
from app.notices import account
from app.status import Verdict
from tests.app.conftest import DAY, NOW
from tests.app.notices.sending import cancel, deliver, has_address, listen, notices


def test_a_score_arrives_signed_with_what_the_page_shows_and_nothing_more(world, ada, receiver):
    secret = listen(world, ada, receiver)
    submission, evaluation = world.submission(ada)
    world.score(evaluation, 0.123456789)
    assert deliver(world) == 1
    [(headers, body, path)] = receiver.got
    at, mark = headers["Lethe-Signature"].split(",")
    digest = hmac.new(secret.encode(), at[2:].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert (mark, path, headers["Content-Type"]) == (f"v1={digest}", "/hook?x=1", "application/json")
    told = json.loads(body)
    assert (told["id"], told["type"]) == (headers["Lethe-Notice"], "evaluation.done")
    assert told["submission"]["id"] == submission
    assert told["submission"]["url"] == f"https://lethe.example.org/submissions/{submission}"
    assert (told["evaluation"]["verdict"], told["evaluation"]["score"]["score"]) == ("scored", 0.1235)
    assert b"0.123456" not in body
    [notice] = notices(world)
    assert (notice.delivered_at, notice.due_at, notice.outcome) == (NOW, None, "answered 200")
    assert deliver(world, NOW + DAY) == 0


def test_a_letter_says_how_it_ended_and_what_to_change(world, ada, post):
    port, letters = post
    has_address(world, ada)
    world.submission(ada)
    world.record(*world.claim(), RunOutcome(2.0, verdict=Verdict.TIMED_OUT, reason="over_cutoff"))
    assert deliver(world, port=port) == 1
    [envelope] = letters.kept
    letter = message_from_bytes(envelope.content, policy=policy.default)
    assert (envelope.rcpt_tos, letter["Subject"]) == (["ada@example.org"], "Digits: timed out")
    text = letter.get_content()
    assert "by ada: timed out." in text
    about = "Code over_cutoff, whose fault: yours. https://lethe.example.org/problems#over_cutoff"
    assert about in text.splitlines()
    assert "https://lethe.example.org/submissions/" in text


def stall(world, ada):
    world.submission(ada)
    world.reap(NOW + 2 * DAY)


@pytest.mark.parametrize("ending", [cancel, stall])
def test_who_is_told_of_a_score_is_told_of_every_other_ending(world, ada, receiver, ending):
    listen(world, ada, receiver)
    ending(world, ada)
    assert deliver(world, NOW + 3 * DAY) == 1
    [(_, body, _)] = receiver.got
    verdict = {"cancel": "cancelled", "stall": "stalled"}[ending.__name__]
    assert json.loads(body)["evaluation"]["verdict"] == verdict


def test_every_member_of_a_team_is_told_and_nobody_else(world, ada, receiver, post):
    port, letters = post
    grace, eve = world.user("grace"), world.user("eve")
    with unit_of_work(world.engine) as session:
        teams.create(session, "digits", "The sieve", ada, NOW)
        teams.accept(session, teams.invite(session, "digits", "grace", ada, NOW).id, grace, NOW)
    for one in (ada, grace, eve):
        has_address(world, one)
    listen(world, grace, receiver)
    submission, evaluation = world.submission(ada)
    with unit_of_work(world.engine) as session:
        row = session.get_one(Submission, submission)
        row.team_id = teams_of(session, ada)
    world.score(evaluation)
    while deliver(world, port=port):
        pass
    assert sorted(one.rcpt_tos[0] for one in letters.kept) == ["ada@example.org", "grace@example.org"]
    assert json.loads(receiver.got[0][1])["submission"]["team"] == "The sieve"


def teams_of(session, user):
    return entrants.of(session, user.id, registry.get_competition(session, "digits").id).team_id


def test_nobody_is_told_of_the_private_split_nor_of_what_an_admin_has_still_to_publish(
    world, ada, admin, receiver
):
    listen(world, ada, receiver)
    submission, evaluation = world.submission(ada)
    world.score(evaluation)
    with unit_of_work(world.engine) as session:
        again = submissions.rerun(
            session, submission, "private", admin, NOW, queue_due=DAY, seeds=[1, 2, 3]
        ).id
    world.score(again)
    assert [one.evaluation_id for one in notices(world)] == [evaluation]


def test_an_ending_that_is_not_committed_tells_nobody(world, ada, receiver):
    listen(world, ada, receiver)
    submission, _ = world.submission(ada)

    def refuse(_connection):
        raise OSError("the disk is full")

    event.listen(world.engine, "commit", refuse)
    with pytest.raises(OSError, match="disk is full"), unit_of_work(world.engine) as session:
        submissions.cancel(session, submission, ada, NOW)
    event.remove(world.engine, "commit", refuse)
    assert notices(world) == []


def test_what_was_turned_off_or_removed_meanwhile_is_not_sent(world, ada, receiver, post):
    port, letters = post
    has_address(world, ada)
    listen(world, ada, receiver)
    cancel(world, ada)
    with unit_of_work(world.engine) as session:
        account.set_letters(session, ada.id, wanted=False, now=NOW)
        account.remove_webhook(session, ada, NOW)
    while deliver(world, port=port):
        pass
    assert (letters.kept, receiver.got) == ([], [])
    assert [one.due_at for one in notices(world)] == [None, None]
    cancel(world, world.user("grace"))
    assert len(notices(world)) == 2
