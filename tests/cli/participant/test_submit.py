import hashlib
import json

import pytest

from tests.cli.service import Answer, problem, scored, submission, timed_out

UPLOAD = "POST /competitions/digits/submissions"
READ = "GET /submissions/abc123"
RULES = "GET /competitions/digits"


def uploads(service):
    return [seen for seen in service.seen if seen.method == "POST"]


@pytest.fixture
def submit(lethe, folder):
    return lambda *more: lethe("submit", str(folder), "--competition", "digits", *more)


def test_stdout_holds_the_id_alone_and_stderr_the_next_command(service, submit):
    service.on(UPLOAD, Answer(201, submission()))
    result = submit()
    assert result.exit_code == 0
    assert result.stdout == "abc123\n"
    assert "lethe status abc123 --wait" in result.stderr
    assert "Packed 1 file" in result.stderr


def test_the_upload_is_whole_with_token_length_and_key(service, submit):
    service.on(UPLOAD, Answer(201, submission()))
    submit()
    [sent] = uploads(service)
    assert sent.headers["Authorization"] == "Bearer lethe_test-token"
    assert sent.headers["Content-Type"] == "application/zip"
    assert "Transfer-Encoding" not in sent.headers
    assert len(sent.body) == int(sent.headers["Content-Length"])
    assert sent.body.startswith(b"PK")
    assert len(sent.headers["Idempotency-Key"]) == 64


def test_a_note_travels_quoted(service, submit):
    service.on(f"{UPLOAD}?note=a+%26+b", Answer(201, submission()))
    assert submit("-m", "a & b").exit_code == 0


def test_the_same_command_sends_the_same_key_and_another_note_another(service, submit):
    service.on(UPLOAD, Answer(201, submission()))
    service.on(f"{UPLOAD}?note=x", Answer(201, submission()))
    for more in ((), (), ("-m", "x"), ("--again",), ("--again",)):
        submit(*more)
    keys = [seen.headers["Idempotency-Key"] for seen in uploads(service)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_a_replay_is_said_and_how_to_submit_anew(service, submit):
    service.on(UPLOAD, Answer(201, submission(), {"Idempotent-Replayed": "true"}))
    result = submit()
    assert result.stdout == "abc123\n"
    assert "submitted already" in result.stderr
    assert "--again" in result.stderr


def test_a_lost_connection_and_503_are_tried_again_with_the_same_key_and_the_whole_body(
    service, submit, time
):
    busy = problem(503, "busy", "Not now.", Retry_After="7")
    service.on(UPLOAD, Answer(hang_up=True), busy, Answer(201, submission()))
    result = submit()
    assert result.exit_code == 0
    assert time.waits == [1, 7]
    assert "attempt 2 of 5" in result.stderr
    assert len({seen.headers["Idempotency-Key"] for seen in uploads(service)}) == 1
    assert len({hashlib.sha256(seen.body).digest() for seen in uploads(service)}) == 1


def test_a_service_that_stays_away_ends_in_exit_code_5_and_says_that_repeating_is_safe(service, submit, time):
    service.on(UPLOAD, Answer(hang_up=True))
    result = submit()
    assert result.exit_code == 5
    assert time.waits == [1, 2, 4, 8]
    assert "does not submit twice" in result.stderr


def test_a_retry_after_of_an_hour_is_left_to_the_person(service, submit, time):
    service.on(UPLOAD, problem(503, "busy", "Not now.", Retry_After="3600"))
    assert submit().exit_code == 5
    assert time.waits == []


def test_wait_follows_the_runs_and_ends_with_the_score(service, submit, time):
    service.on(UPLOAD, Answer(201, submission()))
    headers = {"ETag": '"1"', "Lethe-Poll-Interval": "3"}
    service.on(
        READ,
        Answer(200, submission("queued"), headers),
        Answer(304, None, headers),
        Answer(200, submission("running", succeeded=2), {"ETag": '"2"', "Lethe-Poll-Interval": "3"}),
        Answer(200, scored()),
    )
    result = submit("--wait")
    assert result.exit_code == 0
    assert "0.0812 (retraining itself: 0.0920)" in result.stdout
    assert f"{service.url}/submissions/abc123" in result.stdout
    assert "Run 3 of 4" in result.stderr
    assert time.waits == [3, 3, 3]
    polls = [seen for seen in service.seen if seen.path.endswith("/abc123")]
    assert [seen.headers.get("If-None-Match") for seen in polls] == [None, '"1"', '"1"', '"2"']


def test_wait_ends_with_code_cause_and_advice_and_exit_code_1(service, submit):
    service.on(UPLOAD, Answer(201, submission()))
    service.on(READ, Answer(200, timed_out()))
    result = submit("--wait")
    assert result.exit_code == 1
    assert "over_cutoff: A run was late." in result.stdout
    assert "Do less work." in result.stdout


def test_json_prints_one_object_with_and_without_wait(service, submit):
    service.on(UPLOAD, Answer(201, submission()))
    service.on(READ, Answer(200, scored()))
    assert json.loads(submit("--json").stdout)["id"] == "abc123"
    waited = submit("--json", "--wait")
    assert json.loads(waited.stdout)["score"]["score"] == 0.0812
    assert "lethe leaderboard digits" in waited.stderr


def test_a_token_that_is_refused_is_answered_with_this_commands_own_advice(service, submit):
    service.on(UPLOAD, problem(401, "not_authenticated", "No.", "Sign in again, in your browser."))
    result = submit()
    assert result.exit_code == 3
    assert "lethe: No. Run `lethe login`, or set LETHE_TOKEN" in result.stderr


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (403, "forbidden", 3),
        (404, "not_found", 1),
        (409, "competition_closed", 1),
        (413, "bundle_too_large", 1),
        (422, "missing_submission_py", 1),
        (429, "quota_exhausted", 4),
        (500, "internal_error", 5),
    ],
)
def test_a_refusal_is_one_line_with_its_code_and_advice_and_is_not_repeated(
    service, submit, status, code, exit_code
):
    service.on(UPLOAD, problem(status, code, "What is wrong.", "What to change."))
    result = submit()
    assert result.exit_code == exit_code
    assert result.stdout == ""
    last = result.stderr.splitlines()[-1]
    assert last.startswith(f"lethe: What is wrong. What to change. [{code}]")
    assert len(uploads(service)) == 1


def test_a_refusal_is_one_json_object_with_json(service, submit):
    service.on(UPLOAD, problem(422, "not_a_zip", "No zip.", "Zip it."))
    result = submit("--json")
    error = json.loads(result.stdout)
    assert result.exit_code == error["exit_code"] == 1
    assert (error["code"], error["error"], error["advice"]) == ("not_a_zip", "No zip.", "Zip it.")
    assert (error["status"], error["request_id"]) == (422, "req-1")


def test_before_an_upload_it_says_how_many_of_today_are_used(service, submit):
    quota = {"limit": 5, "used": 2, "remaining": 3, "resets_at": "2026-03-02T00:00:00Z", "adjustments": []}
    service.on(RULES, Answer(200, {"entry_function": "unlearning", "batches": {}, "quota": quota}))
    service.on(UPLOAD, Answer(201, submission()))
    result = submit()
    words = "2 of 5 submissions used today; the count starts again at 2026-03-02 00:00 UTC (in 12 hours)."
    assert words in result.stderr.splitlines()
    assert [seen.method for seen in service.seen] == ["GET", "POST"]
    assert result.stdout == "abc123\n"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(hang_up=True),
        Answer(200, b"<html>"),
        Answer(200, {"entry_function": "unlearning", "batches": {}, "quota": None}),
        problem(404, "not_found", "No such thing."),
        problem(503, "busy", "Not now."),
    ],
)
def test_an_upload_does_not_fail_for_want_of_that(service, submit, answer, time):
    service.on(RULES, answer)
    service.on(UPLOAD, Answer(201, submission()))
    result = submit()
    assert (result.exit_code, result.stdout, time.waits) == (0, "abc123\n", [])
    assert "today" not in result.stderr


def test_a_used_up_quota_says_when_it_is_full_again(service, submit):
    service.on(UPLOAD, problem(429, "quota_exhausted", "No submission is left today.", Retry_After="11000"))
    assert "in 3 h 3 min" in submit().stderr


def test_too_many_requests_are_tried_again(service, submit, time):
    service.on(UPLOAD, problem(429, "rate_limited", "Slower.", Retry_After="2"), Answer(201, submission()))
    assert submit().exit_code == 0
    assert time.waits == [2]


def test_without_a_token_nothing_is_sent(service, submit, env):
    env.delenv("LETHE_TOKEN")
    result = submit()
    assert result.exit_code == 3
    assert "lethe login" in result.stderr
    assert service.seen == []


def test_a_folder_without_submission_py_is_told_before_anything_is_sent(service, submit, folder):
    (folder / "submission.py").rename(folder / "main.py")
    result = submit("--json")
    assert json.loads(result.stdout)["code"] == "missing_submission_py"
    assert result.exit_code == 1
    assert service.seen == []


@pytest.mark.parametrize("more", [["--timeout", "5"], ["--timeout", "-1", "--wait"], ["--nonsense"]])
def test_a_faulty_command_line_is_exit_code_2(submit, more):
    assert submit(*more).exit_code == 2


def test_a_missing_path_is_exit_code_2(lethe):
    assert lethe("submit", "/no/such/folder", "--competition", "digits").exit_code == 2


def test_nothing_the_service_says_can_move_the_cursor(service, submit):
    service.on(UPLOAD, problem(422, "odd", "red \x1b[31m\r\n and more"))
    assert "\x1b" not in submit().stderr
