import json

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


def test_an_empty_log_is_empty(service, lethe):
    service.on(READ, Answer(200, b"", {"Content-Type": "text/plain; charset=utf-8"}))
    result = lethe("log", "abc123")
    assert (result.exit_code, result.stdout) == (0, "")


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
