"""The admin's pages and their API: how things stand, evaluations by filter, reruns of many, the event log."""

import csv
import io

import pytest

from app.db import unit_of_work
from app.evaluations import RunOutcome
from app.models import Evaluation
from app.status import Verdict


def evaluation_of(world, submission):
    with unit_of_work(world.engine) as session:
        return session.query(Evaluation.id).filter_by(submission_id=submission, split="public").first()[0]


def listed(client, bearer, **query):
    answer = client.get("/api/v1/admin/evaluations", params=query, headers=bearer("root"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def found(client, bearer, **query):
    return {one["submission_id"] for one in listed(client, bearer, **query)["items"]}


@pytest.fixture
def some(world):
    """A scored, a timed out and a queued submission."""
    scored = world.scored("ada", 0.08, 0.98, 0.97)
    late = world.submit("grace")
    world.run(1, RunOutcome(1.48, None, Verdict.TIMED_OUT, "over_cutoff"))
    world.clock.forward(days=1)
    return scored, late, world.submit("ada")


def test_each_part_of_the_filter_narrows_the_list(client, world, bearer, some):
    scored, late, queued = some
    assert found(client, bearer) == set(some)
    assert found(client, bearer, competition="digits") == set(some)
    assert found(client, bearer, competition="faces") == set()
    assert found(client, bearer, person="ada") == {scored, queued}
    assert found(client, bearer, status="queued") == {queued}
    assert found(client, bearer, verdict="timed_out") == {late}
    assert found(client, bearer, reason="over_cutoff", person="") == {late}
    assert found(client, bearer, split="private") == set()
    assert found(client, bearer, worker="worker-1") == {scored, late}
    assert found(client, bearer, since="2026-03-03") == {queued}
    assert found(client, bearer, until="2026-03-02") == {scored, late}
    assert found(client, bearer, shown="no") == set()
    device = found(client, bearer, device="nothing")
    assert device == set()
    counts = listed(client, bearer, person="ada", status="done")
    assert (counts["total"], counts["counts"]["queued"], counts["counts"]["done"]) == (1, 1, 1)


def test_a_device_is_found_by_the_name_that_runs_show(client, world, bearer, some):
    scored = client.get(f"/api/v1/submissions/{some[0]}", headers=bearer("ada")).json()
    assert found(client, bearer, device=scored["run_details"][0]["device"]) == {some[0], some[1]}


def test_pages_of_evaluations_follow_each_other_under_the_same_filter(
    client, world, bearer, some, monkeypatch
):
    monkeypatch.setattr("app.views.evaluation_list.PAGE_SIZE", 1)
    first = listed(client, bearer, person="ada")
    second = client.get(first["next"], headers=bearer("root")).json()
    assert [one["submission_id"] for one in first["items"] + second["items"]] == [some[2], some[0]]
    assert second["next"] is None


@pytest.mark.parametrize(
    "query", ["status=nonsense", "since=soon", "since=0001-01-01", "until=9999-12-31", "split=both"]
)
def test_a_filter_that_means_nothing_is_refused_with_what_is_wrong(client, bearer, query):
    answer = client.get(f"/api/v1/admin/evaluations?{query}", headers=bearer("root"))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_an_admin_reruns_what_is_ticked_looks_and_applies(client, world, sign_in, bearer, some):
    ticked = evaluation_of(world, some[0])
    sign_in("root")
    text = client.get("/admin/evaluations?person=ada").text
    assert f'value="{ticked}" form="chosen"' in text
    asked = client.get("/admin/evaluations/rerun", params={"evaluation": ticked})
    assert "Grade again: 1 submission" in asked.text
    made = client.post("/admin/reruns", data={"evaluation": [ticked], "reason": "a driver was wrong"})
    page = made.headers["Location"]
    assert "0 of 1 ended" in client.get(page).text
    assert client.post(f"{page}/apply").status_code == 409
    world.run(4)  # the queued submission goes first
    world.score(0.05, 0.98, 0.97)
    world.run(4)
    world.score(0.02, 0.98, 0.97)
    ready = client.get(page).text
    assert "Apply all" in ready
    assert "takes the place of what is shown" in ready
    assert "waits for your decision" in client.get("/admin").text
    before = client.get("/api/v1/competitions/digits/leaderboard").json()["rows"][0]
    assert (before["user"], before["forgetting_quality"]) == ("ada", 0.08)
    assert client.post(f"{page}/apply").headers["Location"] == page
    after = client.get("/api/v1/competitions/digits/leaderboard").json()["rows"][0]
    assert (after["submission_id"], after["forgetting_quality"]) == (some[2], 0.05)
    assert "Applied by root" in client.get(page).text
    assert client.post(f"{page}/drop").status_code == 409


def test_what_is_left_out_is_said(client, world, bearer, sign_in, some):
    both = [evaluation_of(world, one) for one in (some[0], some[2])]
    answer = client.post(
        "/api/v1/admin/reruns", json={"evaluations": both, "reason": "again"}, headers=bearer("root")
    )
    assert answer.status_code == 201
    made = answer.json()
    assert (made["total"], [one["submission_id"] for one in made["left_out"]]) == (1, [some[2]])
    read = client.get(answer.headers["Location"], headers=bearer("root")).json()
    assert (read["state"], read["evaluations"][0]["old_score"]) == ("running", pytest.approx(0.076, abs=1e-3))
    dropped = client.post(f"{made['links']['self']}/drop", headers=bearer("root")).json()
    assert (dropped["state"], dropped["evaluations"][0]["verdict"]) == ("dropped", "cancelled")
    none = client.post(
        "/api/v1/admin/reruns", json={"evaluations": both[1:], "reason": "again"}, headers=bearer("root")
    )
    assert (none.status_code, none.json()["code"]) == (409, "conflict")
    sign_in("root")
    assert "again" in client.get("/admin/reruns").text
    nothing = client.get("/admin/evaluations/rerun")
    assert (nothing.status_code, "Nothing is chosen" in nothing.text) == (400, True)
    assert client.post("/admin/reruns", data={"reason": "none"}).status_code == 422


def test_all_that_match_can_be_cancelled_with_one_reason(client, world, bearer, sign_in, some):
    sign_in("root")
    asked = client.get("/admin/evaluations/cancel?person=ada&all=yes").text
    assert "Cancel: 1 evaluation" in asked
    which = evaluation_of(world, some[2])
    assert f'name="evaluation" value="{which}"' in asked
    sent = {"evaluation": [which], "reason": "sent by mistake"}
    assert client.post("/admin/evaluations/cancel", data=sent).status_code == 303
    assert listed(client, bearer, verdict="cancelled")["total"] == 1
    again = client.post(
        f"/api/v1/admin/evaluations/{which}/cancel", json={"reason": "twice"}, headers=bearer("root")
    )
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert client.post("/admin/evaluations/cancel", data=sent | {"evaluation": ["x"]}).status_code == 404


def test_the_overview_names_what_needs_somebody(client, world, bearer, sign_in, some):
    told = client.get("/api/v1/admin/overview", headers=bearer("root")).json()
    [waiting] = told["waiting"]
    assert (waiting["lane"], waiting["device_class"], waiting["runs"], waiting["served"]) == (
        "normal",
        "any",
        4,
        False,
    )
    assert (told["stalled"], told["evaluations"]) == (0, {"queued": 1, "running": 0, "scoring": 0})
    for _ in range(3):
        world.lose_one()
    assert client.get("/api/v1/admin/overview", headers=bearer("root")).json()["stalled"] == 1
    sign_in("root")
    assert "1 stalled evaluation" in client.get("/admin").text


def test_the_event_log_is_filtered_paged_and_downloaded(client, world, bearer, sign_in, some, monkeypatch):
    def kinds(**query):
        answer = client.get("/api/v1/admin/events", params={"limit": 500, **query}, headers=bearer("root"))
        return [one["kind"] for one in answer.json()["items"]]

    assert set(kinds(kind="evaluation.done")) == {"evaluation.done"}
    assert {one.partition(".")[0] for one in kinds(kind="run.")} == {"run"}
    assert set(kinds(actor="ada")) >= {"submission.accepted"}
    assert "submission.accepted" in kinds(submission=some[2])
    assert kinds(submission=some[2], kind="run.") == []
    assert set(kinds(since="2026-03-03")) == {"submission.accepted", "evaluation.queued"}
    assert "submission.accepted" in kinds(until="2026-03-02")
    monkeypatch.setattr("app.views.event_log.PAGE_SIZE", 5)
    sign_in("root")
    page = client.get("/admin/events?kind=run.").text
    assert 'href="/admin/events?kind=run.&amp;before=' in page
    assert '<option value="run." selected>run.*</option>' in page
    text = client.get("/api/v1/admin/events.csv?kind=evaluation.done", headers=bearer("root")).text
    table = list(csv.DictReader(io.StringIO(text)))
    assert [one["detail"] for one in table] == ["timed_out: over_cutoff", "scored"]
    assert client.get("/api/v1/admin/events.csv", headers=bearer("ada")).status_code == 403


def test_a_lease_can_be_ended_from_the_workers_page(client, world, sign_in, some):
    world.claim_one()
    sign_in("root")
    which = evaluation_of(world, some[2])
    assert f'action="/admin/evaluations/{which}/cancel"' in client.get("/admin/workers").text
