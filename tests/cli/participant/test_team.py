import json

import pytest

from app.routes.examples.teams import ALONE, INVITATION, TEAM
from tests.cli.service import Answer, problem

PAGE = "/competitions/digits/team"


def test_a_team_is_shown_with_its_members_and_whom_it_invited(service, lethe):
    service.on(f"GET {PAGE}", Answer(200, TEAM))
    shown = lethe("team", "show", "digits")
    assert shown.exit_code == 0
    assert all(words in shown.stdout for words in ("The sieve", "ada", "leader", "grace", "barbara"))
    assert json.loads(lethe("team", "show", "digits", "--json").stdout) == TEAM


def test_who_is_alone_is_told_of_an_invitation_and_how_to_answer(service, lethe):
    service.on(f"GET {PAGE}", Answer(200, ALONE))
    shown = lethe("team", "show", "digits")
    assert "alone" in shown.stdout
    assert "lethe team accept digits 'The sieve'" in shown.stderr


@pytest.mark.parametrize(
    ("words", "request_", "body"),
    [
        (("create", "digits", "The sieve"), f"POST {PAGE}", {"name": "The sieve"}),
        (("invite", "digits", "grace"), f"POST {PAGE}/invitations", {"kind": "person", "name": "grace"}),
        (("merge", "digits", "Other"), f"POST {PAGE}/invitations", {"kind": "team", "name": "Other"}),
        (("rename", "digits", "The colander"), f"PATCH {PAGE}", {"name": "The colander"}),
        (("hand-over", "digits", "grace"), f"POST {PAGE}/hand-over", {"name": "grace"}),
        (("leave", "digits"), f"POST {PAGE}/leave", None),
    ],
)
def test_each_change_is_one_request_and_shows_what_it_led_to(service, lethe, words, request_, body):
    service.on(request_, Answer(200, TEAM))
    result = lethe("team", *words)
    assert (result.exit_code, "The sieve" in result.stdout) == (0, True)
    sent = service.seen[-1].body
    assert (json.loads(sent) if sent else None) == body


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_an_invitation_is_answered_by_the_teams_name_or_alone(service, lethe, answer):
    service.on(f"GET {PAGE}", Answer(200, ALONE))
    service.on(f"POST /invitations/{INVITATION['id']}/{answer}", Answer(200, TEAM))
    assert lethe("team", answer, "digits").exit_code == 0
    assert lethe("team", answer, "digits", "The sieve").exit_code == 0
    missing = lethe("team", answer, "digits", "Other")
    assert (missing.exit_code, "no such invitation" in missing.stderr) == (1, True)


def test_an_invitation_of_mine_is_withdrawn_by_whom_it_is_for_or_alone(service, lethe):
    service.on(f"GET {PAGE}", Answer(200, TEAM))
    service.on(f"POST /invitations/{INVITATION['id']}/withdraw", Answer(200, TEAM))
    assert lethe("team", "withdraw", "digits").exit_code == 0
    assert lethe("team", "withdraw", "digits", "barbara").exit_code == 0
    assert lethe("team", "withdraw", "digits", "The sieve").exit_code == 1, "that is who invites"
    service.on(f"GET {PAGE}", Answer(200, ALONE))
    assert lethe("team", "withdraw", "digits").exit_code == 1, "what I am asked is not mine to withdraw"


def test_of_several_invitations_one_is_named(service, lethe):
    both = [INVITATION, INVITATION | {"team": "The colander"}]
    service.on(f"GET {PAGE}", Answer(200, ALONE | {"invitations": both}))
    result = lethe("team", "accept", "digits")
    assert (result.exit_code, "The sieve, The colander" in result.stderr) == (2, True)


def test_a_refusal_is_said_in_the_services_words(service, lethe):
    service.on(f"POST {PAGE}/leave", problem(409, "conflict", "The team has submissions."))
    result = lethe("team", "leave", "digits")
    assert (result.exit_code, "The team has submissions." in result.stderr) == (1, True)
