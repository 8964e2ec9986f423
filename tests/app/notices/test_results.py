"""The reveal is told to everybody who took part, with what their final entries got and nobody else's."""

import json
from email import message_from_bytes, policy

import pytest

from app import disqualifying, teams
from app.db import read_only, unit_of_work
from app.errors import Conflict
from app.models import Submission, User
from app.notices import outbox
from app.views import notices as views
from tests.app.closes import advance, scored
from tests.app.conftest import DAY, NOW
from tests.app.notices.sending import deliver, has_address, listen, notices
from tests.app.test_reveal import LATER, do, end_all


def told(world):
    return [one for one in notices(world) if one.kind == outbox.REVEALED]


def close(world):
    advance(world)
    end_all(world)


def test_each_hears_of_their_own_final_entries(world, ada, receiver, post):
    port, letters = post
    grace = world.user("grace")
    for one in (ada, grace):
        has_address(world, one)
    [hers] = scored(world, grace, 0.2)
    [his] = scored(world, ada, 0.3)
    close(world)
    while deliver(world, LATER, port=port):
        pass
    letters.kept.clear()
    listen(world, ada, receiver)
    do(world)
    while deliver(world, LATER, port=port):
        pass
    assert {(one.user_id, one.channel) for one in told(world)} == {
        (ada.id, "mail"),
        (grace.id, "mail"),
        (ada.id, "webhook"),
    }
    texts = {
        envelope.rcpt_tos[0]: message_from_bytes(envelope.content, policy=policy.default)
        for envelope in letters.kept
    }
    assert texts.keys() == {"ada@example.org", "grace@example.org"}
    letter = texts["grace@example.org"]
    assert letter["Subject"] == "Digits: the results are there"
    said = letter.get_content()
    assert "https://lethe.example.org/competitions/digits/leaderboard?split=private" in said
    assert f"submission {hers[:8]}: scored, official score" in said
    assert his[:8] not in said
    [(_, body, _)] = receiver.got
    body = json.loads(body)
    assert (body["type"], body["competition"]["slug"]) == ("competition.revealed", "digits")
    [entry] = body["final_entries"]
    assert (entry["submission"]["id"], entry["evaluation"]["split"]) == (his, "private")


def test_every_member_of_a_team_hears_and_nobody_who_never_submitted(world, ada, post):
    port, letters = post
    grace, eve = world.user("grace"), world.user("eve")
    for one in (ada, grace, eve):
        has_address(world, one)
    with unit_of_work(world.engine) as session:
        team = teams.create(session, "digits", "The sieve", ada, NOW).id
        teams.accept(session, teams.invite(session, "digits", "grace", ada, NOW).id, grace, NOW)
    submission, evaluation = world.submission(ada)
    with unit_of_work(world.engine) as session:
        session.get_one(Submission, submission).team_id = team
    world.score(evaluation)
    close(world)
    do(world)
    assert {one.user_id for one in told(world)} == {ada.id, grace.id}
    while deliver(world, LATER, port=port):
        pass
    letter = message_from_bytes(letters.kept[-1].content, policy=policy.default)
    assert f"submission {submission[:8]}: scored" in letter.get_content()


def test_what_is_disqualified_is_no_result(world, ada, admin, receiver):
    listen(world, ada, receiver)
    out, kept = scored(world, ada, 0.3, 0.2)
    advance(world)
    with unit_of_work(world.engine) as session:
        disqualifying.disqualify_submission(session, out, "It looked.", admin, NOW)
    end_all(world)
    do(world)
    while deliver(world, LATER):
        pass
    entries = json.loads(receiver.got[-1][1])["final_entries"]
    assert [one["submission"]["id"] for one in entries] == [kept]


def test_who_has_no_final_entry_hears_of_the_board_alone(world, ada, post):
    port, letters = post
    has_address(world, ada)
    world.submission(ada)
    world.reap(NOW + 2 * DAY)  # nobody runs it: it has no score
    close(world)
    do(world)
    while deliver(world, LATER, port=port):
        pass
    letter = message_from_bytes(letters.kept[-1].content, policy=policy.default)
    assert letter["Subject"] == "Digits: the results are there"
    assert "final entries" not in letter.get_content()


def test_a_reveal_that_is_refused_tells_nobody(world, ada, receiver):
    listen(world, ada, receiver)
    scored(world, ada, 0.3)
    close(world)
    do(world)
    with pytest.raises(Conflict):
        do(world)
    assert len(told(world)) == 1


def test_the_page_of_notices_names_the_competition(world, ada, receiver):
    listen(world, ada, receiver)
    scored(world, ada, 0.3)
    close(world)
    do(world)
    with read_only(world.engine) as session:
        items = views.describe(session, session.get_one(User, ada.id)).items
    [item] = [one for one in items if one.kind == "competition.revealed"]
    assert (item.competition, item.submission_id) == ("digits", None)
