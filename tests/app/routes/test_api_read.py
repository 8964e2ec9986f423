import csv
import io
import re
from contextlib import ExitStack
from dataclasses import replace

from sqlalchemy import select, update

from app import evaluations, regrading
from app.competitions import Publish
from app.db import unit_of_work
from app.evaluations import RunOutcome
from app.models import Evaluation, Reference, Score
from app.routes.examples import common as examples
from app.schemas.competitions import CompetitionOut
from app.schemas.scores import SummaryOut
from app.schemas.submissions import SubmissionOut
from app.status import Verdict
from app.streams import PER_PERSON
from tests.grades import FACTS, graded
from tests.lending import lend
from tests.seeding import DAY, LEASE, PAGES


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


def test_a_score_says_what_stands_behind_it_unless_an_older_grader_made_it(client, world, bearer):
    url = f"/api/v1/submissions/{world.scored('ada', 0.08, 0.98, 0.97)}"
    before = client.get(url, headers=bearer("ada")).json()["score"]["summary"]
    assert (before["forget_accuracy"], before["retrained_forget_accuracy"]) == (0.6312, 0.5742)
    assert (before["share_without_points"], before["share_rejected"]) == (0.0333, None)
    with unit_of_work(world.engine) as session:
        session.execute(update(Score).values(summary=None))
    # no transition does that, so what ada has been answered is kept for her
    assert client.get(url, headers=bearer("root")).json()["score"]["summary"] is None


def test_the_example_of_a_scored_submission_is_one():
    shown = SubmissionOut.model_validate(examples.SCORED, context=Publish())
    assert set(examples.SCORED["score"]["summary"]) == set(SummaryOut.model_fields)
    assert shown.model_dump(mode="json") == examples.SCORED


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
    assert answer.status_code == 202
    [reached] = answer.json()["evaluations"]
    assert (reached["status"], reached["verdict"], reached["published"]) == ("done", "cancelled", True)
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
    assert (one["slug"], one["phase"]) == ("digits", "open")
    assert client.get("/api/v1/competitions/digits").json()["quota"] is None
    mine = client.get("/api/v1/competitions/digits", headers=bearer("ada")).json()
    assert mine["quota"]["remaining"] == 3
    assert mine["entry_function"] == "unlearning"
    assert mine["retraining"]["score"] == 0.0923


def test_a_competition_has_its_pages_and_what_the_original_model_remembers(client, world):
    one = client.get("/api/v1/competitions/digits").json()
    assert [page["name"] for page in one["pages"]] == ["overview", "rules", "data"]
    assert [page["title"] for page in one["pages"]] == ["Overview", "Rules", "Data"]
    assert {page["name"]: page["markdown"] for page in one["pages"]} == PAGES
    assert one["facts"] == {who: FACTS[who] for who in ("original", "retrained")}
    world.competition("letters", prepared=False)
    assert client.get("/api/v1/competitions/letters").json()["facts"] is None
    for listed in client.get("/api/v1/competitions").json()["items"]:
        assert not {"pages", "facts"} & set(listed)


def test_the_example_of_a_competition_is_one():
    shown = CompetitionOut.model_validate(examples.COMPETITION, context=Publish())
    assert shown.model_dump(mode="json") == examples.COMPETITION


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
    assert (first["entrant"], first["rank"]) == ("(retraining from scratch)", "")
    assert (second["user"], second["rank"]) == ("grace", "1")
    assert second["score"] == "0.057"


def test_a_poll_reads_neither_runs_nor_json_and_a_new_run_state_is_never_missed(
    client, world, bearer, statements
):
    client.app.state.context.queues.clock = lambda: 0.0  # however slow this machine is
    submission = world.submit("ada")
    url = f"/api/v1/submissions/{submission}"
    tags = []
    for step in (lambda: None, world.claim_one, lambda: world.run(2), world.claim_one, lambda: None):
        step()
        tags.append(client.get(url, headers=bearer("ada")).headers["ETag"])
    assert len(set(tags)) == 4
    assert tags[-1] == tags[-2]
    with statements() as seen:
        again = client.get(url, headers=bearer("ada", **{"If-None-Match": tags[-1]}))
    assert again.status_code == 304
    queries = [one for one in seen if "FROM" in one and "tokens" not in one]
    assert len(queries) == 1
    assert not any(name in queries[0] for name in ("report", "facts", "pages", "runs.seed_index"))


def test_a_tag_changes_when_a_lost_run_gives_its_place_to_another(client, world, bearer):
    url = f"/api/v1/submissions/{world.submit('ada')}"
    kept = {"worker": "w", "limit": 1, "lease": LEASE, "queue_due": DAY}

    def taken():
        with unit_of_work(world.engine) as session:
            return lend(session, now=world.clock(), **kept)[0]

    first = taken()
    before = client.get(url, headers=bearer("ada"))
    with unit_of_work(world.engine) as session:
        evaluations.give_back(session, first, "worker_lost", world.clock())
    taken()
    after = client.get(url, headers=bearer("ada"))
    assert before.json()["runs"] == after.json()["runs"]
    assert before.headers["ETag"] != after.headers["ETag"]


def test_what_is_published_is_rounded_in_every_form(client, world, bearer, sign_in):
    submission = world.scored("ada", 0.0812345, 0.9876543, 0.9712345)
    body = client.get(f"/api/v1/submissions/{submission}", headers=bearer("ada")).json()
    board = client.get("/api/v1/competitions/digits/leaderboard").json()["rows"][0]
    text = client.get("/api/v1/competitions/digits/leaderboard.csv").text
    for one in (body["score"], board):
        assert (one["forgetting_quality"], one["retain_ratio"], one["test_ratio"]) == (0.0812, 0.9877, 0.9712)
    assert all(run["seconds"] == round(run["seconds"], 2) for run in body["run_details"])
    assert board["median_seconds"] == round(board["median_seconds"], 2)
    assert "0.0812," in text
    sign_in("ada")
    pages = [client.get(f"/submissions/{submission}"), client.get("/competitions/digits/leaderboard")]
    everything = body["score"], board, text, *(page.text for page in pages)
    assert not re.search(r"\d\.\d{5}", str(everything))


def test_scores_that_round_to_the_same_rank_by_the_earlier_submission(client, world):
    world.scored("grace", 0.050001, 1.0, 1.0)
    world.clock.forward(minutes=1)
    world.scored("ada", 0.050002, 1.0, 1.0)
    rows = client.get("/api/v1/competitions/digits/leaderboard").json()["rows"]
    assert [(row["rank"], row["user"], row["score"]) for row in rows] == [
        (1, "grace", 0.05),
        (2, "ada", 0.05),
    ]


def test_the_leaderboard_is_rendered_once_for_each_version_and_never_stale(client, world, bearer, statements):
    url = "/api/v1/competitions/digits/leaderboard"
    empty = client.get(url)
    world.scored("ada", 0.05, 0.98, 0.97)
    first = client.get(url)
    with statements() as seen:
        again = client.get(url)
        known = client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert len([one for one in seen if "FROM" in one]) == 2
    assert again.content == first.content != empty.content
    assert (known.status_code, known.content) == (304, b"")
    world.clock.forward(seconds=1)
    submission = world.submit("grace")
    assert client.get(url).json()["as_of"] != first.json()["as_of"]
    world.run(4)
    world.score(0.04, 0.98, 0.97)
    assert [row["user"] for row in client.get(url).json()["rows"]] == ["ada", "grace"]
    rerun = f"/api/v1/admin/submissions/{submission}/rerun"
    assert client.post(rerun, json={"reason": "r"}, headers=bearer("root")).status_code == 201
    world.run(4)
    world.score(0.06, 0.98, 0.97)
    assert [row["user"] for row in client.get(url).json()["rows"]] == ["grace", "ada"]
    assert "grace" in client.get(f"{url}.csv").text.splitlines()[2]


def test_scores_under_an_older_reference_are_counted_and_not_ranked(client, world, sign_in):
    submission = world.scored("ada", 0.05, 0.98, 0.97)
    url = "/api/v1/competitions/digits/leaderboard"
    assert client.get(url).json()["unranked"] == 0
    world.reference()
    board = client.get(url).json()
    assert (board["unranked"], board["rows"]) == (1, [])
    sign_in("ada")
    page = client.get("/competitions/digits/leaderboard").text
    assert "1 scored submission is not ranked." in page
    assert "under an older reference (version 1)" in client.get(f"/submissions/{submission}").text


def test_replicates_leave_in_no_form(client, world, bearer, sign_in):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    sign_in("ada")
    urls = ["/api/v1/competitions/digits/leaderboard", "/api/v1/competitions/digits/leaderboard.csv"]
    urls += [
        "/competitions/digits/leaderboard",
        f"/api/v1/submissions/{submission}",
        f"/submissions/{submission}",
    ]
    for url in urls:
        answer = client.get(url, headers=bearer("ada")).text
        assert "replicates" not in answer
        assert not re.search(r"\b0\.\d{5}", answer)


def test_scores_of_another_grader_are_seen_once_they_are_published(client, world, bearer):
    submission = world.scored("ada", 0.05, 0.98, 0.97)
    urls = ["/api/v1/competitions/digits/leaderboard", f"/api/v1/submissions/{submission}"]
    better = replace(graded(0.07, 0.98, 0.97), grader_version="9")

    def tags():
        return [client.get(url, headers=bearer("ada")).headers["ETag"] for url in urls]

    first = tags()
    with unit_of_work(world.engine) as session:
        evaluation, reference = (
            session.scalars(select(Evaluation)).one(),
            session.scalars(select(Reference)).one(),
        )
        row = evaluations.row_of(evaluation.id, reference.digest, better, world.clock(), current=False)
        session.add(row)
    assert tags() == first
    world.clock.forward(seconds=1)
    with unit_of_work(world.engine) as session:
        regrading.publish(session, "9", {reference.id: FACTS["retraining"]}, world.clock())
    assert not set(tags()) & set(first)
    board, mine = (client.get(url, headers=bearer("ada")).json() for url in urls)
    assert board["rows"][0]["forgetting_quality"] == 0.07
    assert mine["score"]["grader_version"] == "9"


def test_a_person_may_follow_only_so_many_submissions_at_once(client, world, bearer):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    url, places = f"/api/v1/submissions/{submission}/events", client.app.state.context.streams
    with ExitStack() as held:
        for _ in range(PER_PERSON):
            held.enter_context(places.hold(world.user("ada").id))
        refused = client.get(url, headers=bearer("ada"))
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
        assert refused.headers["Retry-After"] == "5"
        assert client.get(url, headers=bearer("root")).status_code == 200
    for _ in range(PER_PERSON + 1):
        assert client.get(url, headers=bearer("ada")).status_code == 200
