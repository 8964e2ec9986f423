"""What organisers decide in their competition as admins do, and what of another competition they neither see nor change."""

import pytest

from app import organisers
from app.db import read_only, unit_of_work
from app.models import Disqualification, Evaluation, QuotaEntry, Rerun

API = "/api/v1/admin"
WHY = {"reason": "copied from another entry"}


@pytest.fixture
def worlds(client, world):
    """Grace organises the digits alone; a submission of ada's there, and one to the faces."""
    world.competition("faces", n_models=4, title="Forget a face")
    with unit_of_work(world.engine) as session:
        organisers.grant(session, "digits", "grace", "root", world.clock())
    ours = world.scored("ada", 0.08, 0.98, 0.97)
    other = world.submit("ada", slug="faces")
    assert world.run(4) == "last"
    world.score(0.07, 0.98, 0.97)
    return ours, other


def evaluation_of(world, submission):
    with read_only(world.engine) as session:
        return session.query(Evaluation.id).filter_by(submission_id=submission).scalar()


def rows(world, table):
    with read_only(world.engine) as session:
        return session.query(table).count()


def board(client):
    return [one["entrant"] for one in client.get("/api/v1/competitions/digits/leaderboard").json()["rows"]]


def test_an_organiser_disqualifies_and_reinstates_a_submission_from_its_page(client, worlds, world, sign_in):
    ours, other = worlds
    sign_in("grace")
    page = client.get(f"/submissions/{ours}").text
    assert f'action="/admin/submissions/{ours}/disqualify"' in page
    assert "/admin/events" not in page
    assert client.post(f"/admin/submissions/{ours}/disqualify", data=WHY).status_code == 303
    assert board(client) == []
    assert client.post(f"/admin/submissions/{ours}/reinstate", data=WHY).status_code == 303
    assert board(client) == ["ada"]
    for act in ("disqualify", "reinstate"):
        assert client.post(f"/admin/submissions/{other}/{act}", data=WHY).status_code == 404
    assert rows(world, Disqualification) == 1


def test_whose_a_submission_is_does_not_decide_whether_it_counts(client, worlds, world, bearer):
    own = world.submit("grace", slug="faces")
    answer = client.post(f"{API}/submissions/{own}/disqualify", json=WHY, headers=bearer("grace"))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_an_organiser_finds_their_entrants_and_decides_about_them(client, worlds, world, sign_in):
    sign_in("grace")
    listed = client.get("/organise/digits/entrants").text
    assert 'href="/admin/competitions/digits/entrants/ada"' in listed
    page = client.get("/admin/competitions/digits/entrants/ada").text
    assert 'href="/organise/digits/entrants"' in page
    assert "/admin/events" not in page
    given = client.post(
        "/admin/competitions/digits/entrants/ada/quota", data={"amount": "2", "reason": "a fault"}
    )
    assert given.status_code == 303
    assert client.post("/admin/competitions/digits/entrants/ada/disqualify", data=WHY).status_code == 303
    assert board(client) == []
    log = rows(world, QuotaEntry)
    for act, form in (("quota", {"amount": "2"}), ("disqualify", {})):
        answer = client.post(f"/admin/competitions/faces/entrants/ada/{act}", data=WHY | form)
        assert answer.status_code == 404
    assert (rows(world, QuotaEntry), rows(world, Disqualification)) == (log, 1)


def test_lists_hold_what_one_organises_and_an_admin_reads_all(client, worlds, bearer):
    def places(path, name):
        return {
            one["competition"] for one in client.get(f"{API}/{path}", headers=bearer(name)).json()["items"]
        }

    for path in ("evaluations", "entrants"):
        assert places(path, "grace") == {"digits"}
        assert places(path, "root") == {"digits", "faces"}
        assert places(f"{path}?competition=faces", "grace") == set()


def test_an_organiser_grades_many_again_looks_and_applies(client, worlds, world, sign_in):
    ours, _ = worlds
    sign_in("grace")
    assert 'formaction="/organise/digits/evaluations/cancel"' in client.get("/organise/digits").text
    page = client.get("/organise/digits/evaluations/rerun?all=yes").text
    assert page.count('name="evaluation"') == 1
    assert evaluation_of(world, ours) in page
    made = client.post("/admin/reruns", data=WHY | {"evaluation": evaluation_of(world, ours)})
    address = made.headers["location"]
    assert world.run(4, seed=5) == "last"
    world.score(0.09, 0.98, 0.97)
    assert 'href="/organise/digits/reruns"' in client.get(address).text
    assert "Apply all" in client.get(address).text
    assert client.post(f"{address}/apply").status_code == 303
    assert "Applied by grace" in client.get(address).text
    assert address in client.get("/organise/digits/reruns").text


def test_nothing_of_another_competition_is_chosen_graded_again_or_stopped(client, worlds, world, sign_in):
    ids = [evaluation_of(world, one) for one in worlds]
    sign_in("grace")
    chosen = "&".join(f"evaluation={one}" for one in ids)
    page = client.get(f"/organise/digits/evaluations/rerun?competition=faces&{chosen}").text
    assert ids[0] in page
    assert ids[1] not in page
    for path in ("reruns", "evaluations/cancel"):
        assert client.post(f"/admin/{path}", data=WHY | {"evaluation": ids}).status_code == 404
    assert rows(world, Rerun) == 0


def test_a_rerun_that_reaches_into_another_competition_is_not_there(client, worlds, world, bearer):
    ids = [evaluation_of(world, one) for one in worlds]
    wanted = {"evaluations": ids, "reason": "a wrong driver"}
    made = client.post(f"{API}/reruns", json=wanted, headers=bearer("root")).json()
    address = f"{API}/reruns/{made['id']}"
    for method, path in (("GET", ""), ("POST", "/apply"), ("POST", "/drop")):
        answer = client.request(method, address + path, headers=bearer("grace"))
        assert (answer.status_code, "not all of it is yours" in answer.text) == (404, True)
    assert client.get(f"{API}/reruns", headers=bearer("grace")).json()["items"] == []
    with unit_of_work(world.engine) as session:
        organisers.grant(session, "faces", "grace", "root", world.clock())
    assert (
        client.get(f"{API}/reruns?competition=faces", headers=bearer("grace")).json()["items"][0]["total"]
        == 2
    )
    assert client.post(f"{address}/drop", headers=bearer("grace")).json()["state"] == "dropped"
