import csv
import io

from app.evaluations import RunOutcome
from app.status import Verdict


def test_an_unchanged_submission_answers_304_and_a_changed_one_does_not(client, world, bearer):
    url = f"/api/v1/submissions/{world.submit('ada')}"
    first = client.get(url, headers=bearer("ada"))
    assert first.headers["Lethe-Poll-Interval"] == "2"
    again = client.get(url, headers=bearer("ada", **{"If-None-Match": first.headers["ETag"]}))
    assert (again.status_code, again.content) == (304, b"")
    world.run(1)
    changed = client.get(url, headers=bearer("ada", **{"If-None-Match": first.headers["ETag"]}))
    assert changed.status_code == 200
    assert changed.json()["runs"]["succeeded"] == 1


def test_a_score_stands_beside_that_of_retraining(client, world, bearer):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    body = client.get(f"/api/v1/submissions/{submission}", headers=bearer("ada")).json()
    assert (body["status"], body["verdict"]) == ("done", "scored")
    assert body["score"]["retraining_score"] == 0.0923
    assert body["score"]["grader_version"] == "1"
    assert [run["status"] for run in body["run_details"]] == ["succeeded"] * 4


def test_a_failure_carries_its_reason_in_the_words_of_the_catalogue(client, world, bearer):
    submission = world.submit("ada")
    world.run(2, RunOutcome(1.48, None, Verdict.TIMED_OUT, "over_cutoff"))
    body = client.get(f"/api/v1/submissions/{submission}", headers=bearer("ada")).json()
    assert (body["verdict"], body["reason"]["code"]) == ("timed_out", "over_cutoff")
    assert body["reason"]["fault"] == "participant"
    assert body["reason"]["advice"]
    assert "seed" not in body["run_details"][0]


def test_another_persons_submission_is_not_found_but_an_admin_sees_it(client, world, bearer):
    url = f"/api/v1/submissions/{world.submit('ada')}"
    assert client.get(url, headers=bearer("grace")).status_code == 404
    assert client.get(f"{url}/events", headers=bearer("grace")).status_code == 404
    assert client.post(f"{url}/cancel", headers=bearer("grace")).status_code == 404
    assert client.get(url).status_code == 401
    assert client.get(url, headers=bearer("root")).status_code == 200


def test_a_list_goes_on_where_next_points(client, world, bearer):
    world.competition(bundle={"per_day": 100, "max_bytes": 100_000})
    made = []
    for index in range(27):
        world.clock.forward(seconds=index % 2)  # some at the same moment
        made.append(world.submit("ada"))
    first = client.get("/api/v1/submissions?competition=digits", headers=bearer("ada")).json()
    second = client.get(first["next"], headers=bearer("ada")).json()
    seen = [one["id"] for one in first["items"] + second["items"]]
    assert sorted(seen) == sorted(made)
    assert [one["created_at"] for one in first["items"]] == sorted(
        (one["created_at"] for one in first["items"]), reverse=True
    )
    assert second["next"] is None
    assert client.get("/api/v1/submissions", headers=bearer("grace")).json()["items"] == []


def test_a_cursor_that_is_not_ours_is_refused(client, bearer):
    for cursor in ("x", "%00", "MjAyNg"):
        answer = client.get(f"/api/v1/submissions?cursor={cursor}", headers=bearer("ada"))
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_cancel_ends_what_has_not_begun_and_gives_the_quota_back(client, world, bearer):
    submission = world.submit("ada")
    answer = client.post(f"/api/v1/submissions/{submission}/cancel", headers=bearer("ada"))
    assert (answer.status_code, answer.json()["status"]) == (202, "done")
    quota = client.get("/api/v1/competitions/digits", headers=bearer("ada")).json()["quota"]
    assert (quota["used"], quota["remaining"]) == (0, 3)
    again = client.post(f"/api/v1/submissions/{submission}/cancel", headers=bearer("ada"))
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_following_a_submission_that_is_done_says_so_and_ends(client, world, bearer):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    answer = client.get(f"/api/v1/submissions/{submission}/events", headers=bearer("ada"))
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert "event: changed" in answer.text
    assert '"final":true' in answer.text.replace(" ", "")


def test_competitions_are_public_and_quota_is_only_for_the_signed_in(client, bearer):
    [one] = client.get("/api/v1/competitions").json()["items"]
    assert (one["slug"], one["state"]) == ("digits", "open")
    assert client.get("/api/v1/competitions/digits").json()["quota"] is None
    mine = client.get("/api/v1/competitions/digits", headers=bearer("ada")).json()
    assert mine["quota"]["remaining"] == 3
    assert mine["entry_function"] == "unlearning"
    assert mine["retraining"]["score"] == 0.0923


def test_the_leaderboard_ranks_the_best_of_each_and_carries_the_row_of_retraining(client, world):
    world.scored("ada", 0.05, 0.98, 0.97)
    best = world.scored("ada", 0.08, 0.98, 0.97)
    world.scored("grace", 0.06, 0.98, 0.97)
    board = client.get("/api/v1/competitions/digits/leaderboard").json()
    assert [(row["rank"], row["user"]) for row in board["rows"]] == [(1, "ada"), (2, "grace")]
    assert board["rows"][0]["submission_id"] == best
    assert board["rows"][0]["entries"] == 2
    assert board["retraining"]["score"] == 0.0923
    assert board["tie_rule"]
    assert client.get("/api/v1/competitions/none/leaderboard").status_code == 404


def test_the_csv_holds_the_same_rows(client, world):
    world.scored("grace", 0.06, 0.98, 0.97)
    answer = client.get("/api/v1/competitions/digits/leaderboard.csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    first, second = csv.DictReader(io.StringIO(answer.text))
    assert (first["user"], first["rank"]) == ("(retraining from scratch)", "")
    assert (second["user"], second["rank"]) == ("grace", "1")
