"""What the API tells of all evaluations of a submission: to each as much as its page, and nothing sooner."""

import pytest

from app import organisers, reruns
from app.db import unit_of_work


@pytest.fixture
def read(client, bearer):
    """Read a submission as somebody: whole, or 304 to whoever has its ETag."""

    def as_person(name, submission, etag=None):
        known = {} if etag is None else {"If-None-Match": etag}
        return client.get(f"/api/v1/submissions/{submission}", headers=bearer(name, **known))

    return as_person


def listed(answer):
    return [
        (one["split"], one["generation"], one["published"], one["status"], one["verdict"], one["score"])
        for one in answer.json()["evaluations"]
    ]


def test_its_evaluation_is_told_with_what_it_is_graded_against(world, read):
    submission = world.submit("ada")
    before = read("ada", submission)
    assert listed(before) == [("public", 1, True, "queued", None, None)]
    assert [before.json()[one] for one in ("reference_version", "refunded", "may_cancel")] == [1, False, True]
    world.run(4)
    world.score(0.08, 0.98, 0.97)
    after = read("ada", submission)
    assert listed(after) == [("public", 1, True, "done", "scored", 0.076)]
    assert after.json()["score"]["score"] == 0.076
    assert after.json()["may_cancel"] is False


def test_quota_that_was_given_back_is_told(client, world, bearer, read):
    submission = world.submit("ada")
    etag = read("ada", submission).headers["ETag"]
    client.post(f"/api/v1/submissions/{submission}/cancel", headers=bearer("ada"))
    after = read("ada", submission, etag).json()
    assert (after["refunded"], after["may_cancel"]) == (True, False)
    assert after["evaluations"][0]["reason"] == "cancelled_on_request"


def test_a_cancel_that_waits_for_a_run_is_told_by_api_and_page(client, world, bearer, read, sign_in):
    submission = world.submit("ada")
    world.claim_one()
    client.post(f"/api/v1/submissions/{submission}/cancel", headers=bearer("ada"))
    asked = read("ada", submission).json()
    assert (asked["evaluations"][0]["cancel_requested"], asked["may_cancel"]) == (True, False)
    sign_in("ada")
    page = client.get(f"/submissions/{submission}").text
    assert "Cancelling" in page
    assert "Cancel this submission" not in page


def test_a_rerun_stands_beside_the_first_and_only_organisers_may_stop_it(client, world, bearer, read):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    world.reference()
    world.clock.forward(seconds=1)
    rerun = f"/api/v1/admin/submissions/{submission}/rerun"
    assert client.post(rerun, json={"reason": "r"}, headers=bearer("root")).status_code == 201
    first = ("public", 1, True, "done", "scored", 0.076)
    for name, may_cancel in (("ada", False), ("root", True)):
        answer = read(name, submission)
        assert listed(answer) == [first, ("public", 2, False, "queued", None, None)]
        assert (answer.json()["may_cancel"], answer.json()["reference_version"]) == (may_cancel, 1)
    world.run(4)
    world.score(0.07, 0.98, 0.97)
    answer = read("ada", submission)
    assert [(one["generation"], one["published"]) for one in answer.json()["evaluations"]] == [
        (1, False),
        (2, True),
    ]
    assert answer.json()["reference_version"] == 2


def test_whoever_becomes_organiser_is_told_what_they_may_stop(client, world, bearer, read):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    rerun = f"/api/v1/admin/submissions/{submission}/rerun"
    assert client.post(rerun, json={"reason": "r"}, headers=bearer("root")).status_code == 201
    before = read("ada", submission)
    with unit_of_work(world.engine) as session:
        organisers.grant(session, "digits", "ada", "root", world.clock())
    after = read("ada", submission, before.headers["ETag"])
    assert (before.json()["may_cancel"], after.json()["may_cancel"]) == (False, True)


def test_the_private_split_is_only_the_organisers_until_the_reveal(world, read):
    world.organiser("olive")
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    world.reference("private")
    before = read("ada", submission)
    world.after_the_close()
    private = ("private", 1, True, "queued", None, None)
    assert listed(read("olive", submission))[1:] == [private]
    assert read("ada", submission).json() == before.json()
    assert read("ada", submission, before.headers["ETag"]).status_code == 304
    world.run(4)
    world.score(0.07, 0.98, 0.97)
    private = ("private", 1, True, "done", "scored", 0.0665)
    for _ in range(2):  # made anew by its route, then from memory
        assert listed(read("olive", submission))[1:] == [private]
        assert read("ada", submission).json() == before.json()
        assert read("ada", submission, before.headers["ETag"]).status_code == 304
    world.revealed()
    assert listed(read("ada", submission, before.headers["ETag"])) == [*listed(before), private]


@pytest.mark.parametrize("decision", ["applied", "dropped"])
def test_a_rerun_of_many_is_only_the_organisers_until_it_is_applied(world, read, decision):
    world.organiser("olive")
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    before = read("ada", submission)
    world.clock.forward(seconds=1)
    made = world.rerun(submission)
    unseen = ("public", 2, False, "queued", None, None)
    assert listed(read("olive", submission))[1:] == [unseen]
    assert read("olive", submission).json()["may_cancel"] is True
    assert read("ada", submission).json() == before.json()
    world.run(4)
    world.score(0.09, 0.98, 0.97)
    assert listed(read("olive", submission))[1:] == [("public", 2, False, "done", "scored", 0.0856)]
    assert read("ada", submission, before.headers["ETag"]).status_code == 304
    assert read("ada", submission).json() == before.json()
    root = world.user("root")
    with unit_of_work(world.engine) as session:
        (reruns.apply if decision == "applied" else reruns.drop)(session, made, root, world.clock())
    after = read("ada", submission)
    if decision == "dropped":
        assert after.json() == before.json()
        assert after.headers["ETag"] == before.headers["ETag"]
    else:
        assert listed(after) == [
            ("public", 1, False, "done", "scored", 0.076),
            ("public", 2, True, "done", "scored", 0.0856),
        ]
