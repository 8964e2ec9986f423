"""What an organiser meets: their competitions' pages, and only theirs; grants and withdrawals hold at once."""

import pytest

from app import organisers
from app.db import read_only, unit_of_work
from app.models import User
from tests.lending import lend
from tests.seeding import DAY, LEASE, PASSWORD

GRANTS = "/api/v1/admin/competitions/digits/organisers"


@pytest.fixture
def organiser(world):
    """Grace, who organises the digits."""
    with unit_of_work(world.engine) as session:
        organisers.grant(session, "digits", "grace", "root", world.clock())


def test_an_admin_grants_lists_and_withdraws_and_it_holds_at_once(client, world, bearer):
    submission = f"/api/v1/submissions/{world.submit('ada')}"
    assert client.get(submission, headers=bearer("grace")).status_code == 404
    answer = client.put(f"{GRANTS}/grace", headers=bearer("root"))
    assert (answer.status_code, answer.json()) == (200, {"competition": "digits", "items": ["grace"]})
    assert client.get(GRANTS, headers=bearer("root")).json()["items"] == ["grace"]
    for _ in range(2):  # the second comes from memory
        assert client.get(submission, headers=bearer("grace")).status_code == 200
    assert client.delete(f"{GRANTS}/grace", headers=bearer("root")).json()["items"] == []
    assert client.get(submission, headers=bearer("grace")).status_code == 404


@pytest.mark.parametrize("path", [f"{GRANTS}/nobody", GRANTS.replace("digits", "nowhere") + "/grace"])
def test_a_grant_to_nobody_or_of_nothing_is_not_found(client, bearer, path):
    for method in ("PUT", "DELETE"):
        assert client.request(method, path, headers=bearer("root")).json()["code"] == "not_found"


def test_an_organiser_finds_everybodys_evaluations_of_their_competition_alone(
    client, world, sign_in, organiser
):
    world.competition("faces", n_models=4, title="Forget a face")
    ours, other = world.submit("ada"), world.submit("ada", slug="faces")
    sign_in("grace")
    home = client.get("/organise").text
    assert 'href="/organise/digits"' in home
    assert "/organise/faces" not in home
    page = client.get("/organise/digits")
    assert ours in page.text
    assert other not in page.text
    assert client.get("/organise/digits?status=done").text.count("No evaluation matches") == 1
    assert "Nothing has been measured yet" in client.get("/organise/digits/calibrations").text


def test_the_filter_offers_an_organiser_nothing_of_other_competitions(client, world, sign_in, organiser):
    world.competition("faces", n_models=4, title="Forget a face")
    for slug, worker in (("digits", "gpu-8"), ("faces", "gpu-7")):
        world.submit("ada", slug=slug)
        with unit_of_work(world.engine) as session:
            assert lend(session, worker=worker, limit=4, now=world.clock(), lease=LEASE, queue_due=DAY)
    for name, path, workers in (
        ("grace", "/organise/digits", {"gpu-8"}),
        ("root", "/admin/evaluations", {"gpu-7", "gpu-8"}),
    ):
        sign_in(name)
        page = client.get(path).text
        assert {one for one in ("gpu-7", "gpu-8") if f"<option>{one}</option>" in page} == workers


def test_an_organiser_reruns_and_cancels_and_the_log_names_them(client, world, bearer, sign_in, organiser):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    sign_in("grace")
    assert "Why grade it again?" in client.get(f"/submissions/{submission}").text
    answer = client.post(f"/admin/submissions/{submission}/rerun", data={"reason": "a new reference"})
    assert answer.status_code == 303
    assert client.post(f"/submissions/{submission}/cancel").status_code == 303
    log = client.get("/api/v1/admin/events?limit=500", headers=bearer("root")).json()["items"]
    [asked] = [one for one in log if one["kind"] == "evaluation.rerun_asked"]
    assert (asked["actor"], asked["detail"]) == ("grace", "a new reference")


def test_the_board_links_an_organiser_to_submissions_and_a_participant_to_their_own(
    client, world, sign_in, organiser
):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    for name, linked in (("grace", True), ("ada", True), ("root", True)):
        sign_in(name)
        assert (f"/submissions/{submission}" in client.get("/competitions/digits/leaderboard").text) == linked
    client.cookies.clear()
    assert submission not in client.get("/competitions/digits/leaderboard").text


def test_ones_address_is_changed_with_ones_password_only(client, world, sign_in):
    sign_in("ada")
    wrong = client.post("/account/email", data={"email": "ada@example.org", "password": "wrong"})
    assert wrong.status_code == 403
    assert "not your password" in wrong.text
    bad = client.post("/account/email", data={"email": "ada", "password": PASSWORD})
    assert (bad.status_code, "not an e-mail address" in bad.text) == (400, True)
    assert (
        client.post("/account/email", data={"email": "ada@example.org", "password": PASSWORD}).status_code
        == 303
    )
    assert 'value="ada@example.org"' in client.get("/account").text
    with read_only(world.engine) as session:
        assert session.query(User.email).filter_by(name="ada").scalar() == "ada@example.org"


def test_a_token_cannot_change_the_address_that_a_new_password_would_be_sent_to(client, bearer):
    form = {"email": "eve@example.org", "password": PASSWORD}
    assert client.post("/account/email", data=form, headers=bearer("ada")).status_code == 403
