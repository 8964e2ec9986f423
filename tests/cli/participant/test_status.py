import json

import pytest

from tests.cli.service import Answer, cancelled, problem, scored, stalled, submission, timed_out

READ = "GET /submissions/abc123"


def test_a_submission_on_its_way_is_exit_code_0(service, lethe):
    service.on(READ, Answer(200, submission("running", succeeded=1)))
    result = lethe("status", "abc123")
    assert result.exit_code == 0
    assert "run 2 of 4" in result.stdout


def test_a_submission_that_ended_without_a_score_is_exit_code_1(service, lethe):
    service.on(READ, Answer(200, timed_out()))
    result = lethe("status", "abc123")
    assert result.exit_code == 1
    assert "timed out" in result.stdout


def test_a_fault_of_ours_is_said_to_cost_no_quota(service, lethe):
    service.on(READ, Answer(200, stalled()))
    assert "ours; your quota is given back" in lethe("status", "abc123").stdout


@pytest.mark.parametrize(
    ("end", "named", "not_named"),
    [
        (timed_out, "When it is mended, submit it again", "--again"),
        (stalled, "an organiser reruns it. What has come of that: lethe status abc123", "submit"),
        (cancelled, "the same command with --again", "mended"),
    ],
)
def test_an_end_without_a_score_is_followed_by_what_helps_with_it(service, lethe, end, named, not_named):
    service.on(READ, Answer(200, end()))
    result = lethe("status", "abc123", "--wait", "--url", service.url)
    [*_, last] = result.stderr.splitlines()
    assert result.exit_code == 1
    assert named in last
    assert not_named not in last
    assert (service.url in last) == ("lethe status" in last)


def test_json_is_the_services_own_object(service, lethe):
    service.on(READ, Answer(200, scored()))
    assert json.loads(lethe("status", "abc123", "--json").stdout) == scored()


def test_without_an_id_it_is_my_last_submission(service, lethe):
    service.on(
        "GET /submissions", Answer(200, {"items": [{"id": "abc123"}, {"id": "older"}], "next_cursor": "c2"})
    )
    service.on(READ, Answer(200, submission("running", succeeded=1)), Answer(200, scored()))
    assert "run 2 of 4" in lethe("status").stdout
    waited = lethe("status", "--wait")
    assert waited.exit_code == 0
    assert "scored" in waited.stdout


def test_without_any_submission_the_next_action_is_named(service, lethe):
    service.on("GET /submissions", Answer(200, {"items": [], "next_cursor": None}))
    result = lethe("status", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "no_submissions"
    assert "lethe submit" in lethe("status").stderr


def test_the_score_that_ranks_comes_first(service, lethe):
    found = scored()
    found["score"] |= {"ranked_by": "calibrated", "calibrated_score": 0.88}
    service.on(READ, Answer(200, found))
    names = [line.split("  ")[0] for line in lethe("status", "abc123").stdout.splitlines()]
    assert names.index("calibrated score") < names.index("official score")


def test_a_score_of_0_has_no_interval_and_says_why(service, lethe):
    found = scored()
    found["score"] |= {"score": 0.0, "interval_low": 0.0, "interval_high": 0.0}
    found["score"] |= {"summary": {"share_without_points": 1.0}}
    service.on(READ, Answer(200, found))
    text = lethe("status", "abc123").stdout
    assert "0.0000, no example earns points (" in text
    assert "+-" not in text


def test_seconds_have_the_digits_that_the_pages_show(service, lethe):
    service.on(READ, Answer(200, scored() | {"cutoff_seconds": 2.754}))
    assert "median 1.15, longest 1.30, cutoff 2.75 s" in lethe("status", "abc123").stdout


def test_the_cutoff_is_the_runs_own_and_a_range_where_they_differ(service, lethe):
    found = scored()
    for run, cutoff in zip(found["run_details"], (2.754, 2.754, 2.754, 3.0), strict=True):
        run["cutoff_seconds"] = cutoff
    service.on(READ, Answer(200, found))
    assert "longest 1.30, cutoffs 2.75 to 3.00 s" in lethe("status", "abc123").stdout
    found["run_details"].pop()
    service.on(READ, Answer(200, found))
    assert "longest 1.20, cutoff 2.75 s" in lethe("status", "abc123").stdout


def test_before_a_run_has_ended_the_cutoff_is_said_to_be_about_what_the_reference_says(service, lethe):
    service.on(READ, Answer(200, submission()))
    assert "cutoff about 1.50 s" in lethe("status", "abc123").stdout


def test_a_time_out_is_exit_code_6_and_names_the_command_to_go_on_with(service, lethe, time):
    service.on(READ, Answer(200, submission("running"), {"Lethe-Poll-Interval": "2"}))
    result = lethe("status", "abc123", "--wait", "--timeout", "5", "--url", service.url)
    assert result.exit_code == 6
    assert f"lethe status abc123 --wait --url {service.url}" in result.stderr
    assert time.waits == [2, 2, 1]


def test_waiting_outlives_a_restart_of_the_service(service, lethe):
    away = [Answer(hang_up=True), problem(503, "starting", "Not yet.")]
    service.on(READ, Answer(200, submission("running")), *away, Answer(200, scored()))
    result = lethe("status", "abc123", "--wait")
    assert result.exit_code == 0
    assert result.stderr.count("Still trying") == 1


def test_waiting_gives_up_when_the_service_stays_away(service, lethe, time):
    service.on(READ, Answer(200, submission("running")), Answer(hang_up=True))
    result = lethe("status", "abc123", "--wait", "--json")
    error = json.loads(result.stdout)
    assert result.exit_code == error["exit_code"] == 5
    assert error["submission_id"] == "abc123"
    assert "lethe status abc123 --wait" in error["advice"]
    assert 180 < sum(time.waits) < 300


def test_ctrl_c_names_the_command_to_go_on_with(service, lethe, time, monkeypatch):
    def interrupt(_seconds):
        raise KeyboardInterrupt

    service.on(READ, Answer(200, submission("running")))
    monkeypatch.setattr(time, "sleep", interrupt)
    result = lethe("status", "abc123", "--wait", "--url", service.url)
    assert result.exit_code == 130
    flag = f"--url {service.url}"
    assert (
        f"`lethe status abc123 --wait {flag}`, or cancel it with `lethe cancel abc123 {flag}`"
        in result.stderr
    )


def test_ctrl_c_anywhere_else_is_one_line_too(lethe, monkeypatch):
    monkeypatch.setattr(
        "cli.participant.status.connection", lambda _url: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    result = lethe("status")
    assert (result.exit_code, result.stderr) == (130, "lethe: Stopped.\n")


def test_an_unknown_submission_ends_the_wait_at_once(service, lethe):
    result = lethe("status", "abc123", "--wait")
    assert result.exit_code == 1
    assert "[not_found]" in result.stderr


def test_progress_off_a_terminal_is_at_most_about_ten_lines_for_any_number_of_runs(service, lethe):
    many = [
        Answer(200, submission("running", runs={"total": 400, "succeeded": k, "failed": 0}))
        for k in range(0, 400, 4)
    ]
    service.on(READ, *many, Answer(200, scored()))
    assert len(lethe("status", "abc123", "--wait").stderr.splitlines()) <= 12


@pytest.mark.parametrize("arguments", [["abc123", "--timeout", "3"], ["abc123", "--wait", "--timeout", "-1"]])
def test_a_faulty_command_line_is_exit_code_2(lethe, arguments):
    assert lethe("status", *arguments).exit_code == 2


def on_its_way(**progress):
    facts = {"stages": [], "ahead": None, "estimate": None, "estimate_words": None, "remarks": []}
    return submission("queued") | {"progress": facts | progress}


def test_the_place_in_the_queue_and_an_estimate_are_said_and_what_was_our_fault(service, lethe):
    stages = [
        {"name": "queued", "state": "done", "started_at": None, "seconds": 41.2},
        {"name": "smoke", "state": "done", "started_at": None, "seconds": 0.3},
    ]
    remark = "Run 3 was given to another worker: our fault, nothing is charged."
    found = on_its_way(
        ahead=3,
        stages=stages,
        estimate={"until": "score"},
        estimate_words="1 to 2.5 min",
        remarks=[remark],
    )
    service.on(READ, Answer(200, found))
    text = lethe("status", "abc123").stdout
    for words in (
        "waiting for a worker, 3 submissions before yours",
        "score in 1 to 2.5 min",
        remark,
        "queued 41 s",
    ):
        assert words in text
    assert "smoke" not in text  # it took no time that is worth a word


def test_what_cannot_be_estimated_is_said_with_the_reason(service, lethe):
    words = "no estimate yet: no run has been timed here"
    service.on(READ, Answer(200, on_its_way(ahead=0, estimate_words=words)))
    assert words in lethe("status", "abc123").stdout


def test_waiting_tells_each_place_in_the_queue_and_each_fault_of_ours_once(service, lethe):
    remark = "Run 1 was given to another worker: our fault, nothing is charged."
    answers = [
        on_its_way(ahead=2),
        on_its_way(ahead=2),
        on_its_way(ahead=1),
        on_its_way(ahead=1, remarks=[remark]),
    ]
    service.on(READ, *(Answer(200, one) for one in [*answers, answers[-1], scored()]))
    result = lethe("status", "abc123", "--wait")
    assert result.exit_code == 0
    for words in ("2 submissions before yours", "1 submission before yours", remark):
        assert result.stderr.count(words) == 1
