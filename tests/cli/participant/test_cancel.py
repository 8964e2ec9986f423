import json

import pytest

from tests.cli.service import Answer, problem, submission

CANCEL = "POST /submissions/abc123/cancel"


def reached(*statuses):
    evaluations = [{"id": "e1", "status": one, "cancel_requested": one != "done"} for one in statuses]
    return {"submission_id": "abc123", "evaluations": evaluations}


def test_what_waits_is_cancelled_at_once(service, lethe):
    service.on(CANCEL, Answer(202, reached("done")))
    result = lethe("cancel", "abc123")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "abc123\n", "Cancelled.\n")
    assert service.seen[0].headers["Authorization"] == "Bearer lethe_test-token"


def test_what_runs_is_being_stopped_and_the_command_to_see_it_end_is_named(service, lethe):
    service.on(CANCEL, Answer(202, reached("running")))
    result = lethe("cancel", "abc123", "--url", service.url)
    assert (result.exit_code, result.stdout) == (0, "abc123\n")
    assert f"lethe status abc123 --wait --url {service.url}" in result.stderr


def test_without_an_id_it_is_the_last_that_i_sent_and_not_a_teammates(service, lethe):
    sent = [submission(id="theirs", user="grace"), submission(), submission(id="older")]
    service.on("GET /submissions", Answer(200, {"items": sent}))
    service.on("GET /account", Answer(200, {"name": "ada"}))
    service.on(CANCEL, Answer(202, reached("done")))
    assert lethe("cancel").stdout == "abc123\n"


def test_json_is_the_services_own_object(service, lethe):
    service.on(CANCEL, Answer(202, reached("running")))
    assert json.loads(lethe("cancel", "abc123", "--json").stdout) == reached("running")


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [(409, "conflict", 1), (404, "not_found", 1), (401, "not_authenticated", 3)],
)
def test_a_refusal_has_its_code_and_exit_code(service, lethe, status, code, exit_code):
    service.on(CANCEL, problem(status, code, "It has ended already."))
    result = lethe("cancel", "abc123", "--json")
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (exit_code, code)


def test_without_a_token_nothing_is_asked(service, lethe, env):
    env.delenv("LETHE_TOKEN")
    assert lethe("cancel", "abc123").exit_code == 3
    assert service.seen == []


def test_an_empty_id_of_a_script_cancels_nothing(service, lethe):
    result = lethe("cancel", "")
    assert (result.exit_code, service.seen) == (2, [])
    assert result.stderr == "lethe: ID is empty. Give it, or leave it out.\n"
