import json

import pytest

from tests.cli.service import Answer, problem, submission

READ = "GET /submissions/abc123/log"


def test_the_log_goes_to_stdout_as_it_was_printed(service, lethe):
    service.on(
        READ, Answer(200, "epoch 1\n\tloss 0.5 ü\n".encode(), {"Content-Type": "text/plain; charset=utf-8"})
    )
    result = lethe("log", "abc123")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "epoch 1\n\tloss 0.5 ü\n", "")


def test_a_log_cannot_move_the_cursor_whatever_the_service_sends(service, lethe):
    service.on(READ, Answer(200, b"a\x1b[2Jb\r\n", {"Content-Type": "text/plain; charset=utf-8"}))
    assert lethe("log", "abc123").stdout == "a?[2Jb?\n"


def test_without_an_id_the_log_is_the_last_submissions(service, lethe):
    service.on("GET /submissions", Answer(200, {"items": [submission("done")], "next_cursor": None}))
    service.on(READ, Answer(200, b"said\n", {"Content-Type": "text/plain; charset=utf-8"}))
    assert lethe("log").stdout == "said\n"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("running", "No output so far."),
        ("queued", "No output: it printed nothing until then."),
        ("skipped", "No output: it printed nothing until then."),
        ("succeeded", "No output: it printed nothing."),
        ("failed", "No output: it printed nothing."),
    ],
)
def test_that_a_log_is_empty_is_said_as_the_page_says_it(service, lethe, status, said):
    headers = {"Content-Type": "text/plain; charset=utf-8", "Lethe-Run-Status": status}
    service.on(READ, Answer(200, b"", headers))
    result = lethe("log", "abc123")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"{said}\n")


def smoked(status, log="/api/v1/submissions/abc123/log"):
    return Answer(200, submission("running", smoke={"status": status, "reason": None, "log": log}))


def logs(*texts):
    return [Answer(200, text.encode(), {"Content-Type": "text/plain; charset=utf-8"}) for text in texts]


def test_a_log_is_followed_line_by_line_until_its_run_has_ended_whatever_becomes_of_the_submission(
    service, lethe
):
    states = [smoked("queued", None), *[smoked("running")] * 3, Answer(503), smoked("succeeded")]
    service.on("GET /submissions/abc123", *states)
    service.on(READ, *logs("", "epoch 1\nepo", "epoch 1\nepoch 2\n", "epoch 1\nepoch 2\ndone"))
    result = lethe("log", "abc123", "--follow")
    assert (result.exit_code, result.stdout) == (0, "epoch 1\nepoch 2\ndone\n")
    assert "Still trying" in result.stderr


@pytest.mark.parametrize(
    ("end", "said"), [("succeeded", "it printed nothing.\n"), ("skipped", "it printed nothing until then.\n")]
)
def test_who_follows_what_prints_nothing_is_told_so_once_it_has_ended(service, lethe, end, said):
    service.on("GET /submissions/abc123", smoked("running"), smoked(end))
    service.on(READ, *logs(""))
    result = lethe("log", "abc123", "--follow")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"No output: {said}")


def test_a_log_of_which_something_is_left_out_meanwhile_is_printed_to_its_end(service, lethe):
    service.on("GET /submissions/abc123", smoked("running"), smoked("running"), smoked("failed"))
    left_out = "1\n2\n\n[... 9 bytes are left out here ...]\n8\n"
    service.on(READ, *logs("1\n2\n3\n4\n", left_out, f"{left_out}9\n"))
    result = lethe("log", "abc123", "--follow")
    assert result.stdout == "1\n2\n3\n4\n\n[... 9 bytes are left out here ...]\n8\n9\n"
    assert "more than is kept" in result.stderr


def test_who_follows_what_has_no_log_is_told_why(service, lethe):
    service.on("GET /submissions/abc123", smoked("skipped", None))
    service.on(READ, problem(404, "not_found", "This submission has no log: its smoke run was not run."))
    result = lethe("log", "abc123", "--follow")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "was not run" in result.stderr


def test_lines_as_they_come_are_no_json(lethe):
    assert lethe("log", "abc123", "--follow", "--json").exit_code == 2


def test_json_is_one_object(service, lethe):
    service.on(READ, Answer(200, b"said", {"Content-Type": "text/plain; charset=utf-8"}))
    assert json.loads(lethe("log", "abc123", "--json").stdout) == {"id": "abc123", "log": "said"}


def test_without_a_log_the_services_words_and_exit_code_1(service, lethe):
    service.on(READ, problem(404, "not_found", "This submission has no log: it has not ended."))
    result = lethe("log", "abc123")
    assert result.exit_code == 1
    assert "has no log" in result.stderr


def test_status_says_how_the_smoke_run_went_and_which_command_shows_its_log(service, lethe):
    smoke = {"status": "failed", "reason": "raised", "log": "/api/v1/submissions/abc123/log"}
    service.on("GET /submissions/abc123", Answer(200, submission("running", smoke=smoke)))
    assert "failed (raised); its log: lethe log abc123" in lethe("status", "abc123").stdout


def test_while_the_smoke_run_goes_on_no_seed_is_said_to_run(service, lethe):
    smoke = {"status": "running", "reason": None, "log": None}
    service.on("GET /submissions/abc123", Answer(200, submission("running", smoke=smoke)))
    assert "smoke run" in lethe("status", "abc123").stdout
