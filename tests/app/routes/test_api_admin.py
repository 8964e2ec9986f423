import pytest


def test_a_rerun_makes_an_evaluation_beside_the_old_and_keeps_the_reason(client, world, bearer):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    url = f"/api/v1/admin/submissions/{submission}/rerun"
    answer = client.post(url, json={"split": "public", "reason": "a new reference"}, headers=bearer("root"))
    assert answer.status_code == 201
    assert (answer.json()["generation"], answer.json()["published"]) == (2, False)
    assert answer.headers["Location"] == f"/api/v1/submissions/{submission}"
    shown = client.get(answer.headers["Location"], headers=bearer("ada")).json()
    assert (shown["verdict"], shown["generation"]) == ("scored", 1)
    events = client.get("/api/v1/admin/events?limit=500", headers=bearer("root")).json()["items"]
    assert "a new reference" in [one["detail"] for one in events]
    again = client.post(url, json={"reason": "twice"}, headers=bearer("root"))
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_a_rerun_needs_a_reason_and_a_split_that_is_prepared(client, world, bearer):
    url = f"/api/v1/admin/submissions/{world.scored('ada', 0.08, 0.98, 0.97)}/rerun"
    assert client.post(url, json={}, headers=bearer("root")).json()["code"] == "invalid_request"
    private = {"split": "private", "reason": "final"}
    assert client.post(url, json=private, headers=bearer("root")).json()["code"] == "not_prepared"


def test_the_event_log_goes_on_where_next_points(client, world, bearer):
    world.submit("ada")
    first = client.get("/api/v1/admin/events?limit=2", headers=bearer("root")).json()
    second = client.get(first["next"], headers=bearer("root")).json()
    ids = [one["id"] for one in first["items"] + second["items"]]
    assert ids == sorted(set(ids))
    assert len(first["items"]) == 2


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "/api/v1/admin/submissions/x/rerun"),
        ("GET", "/api/v1/admin/events"),
        ("GET", "/admin"),
        ("GET", "/admin/events"),
        ("POST", "/admin/submissions/x/rerun"),
    ],
)
def test_admin_routes_are_closed_to_participants_and_strangers(client, bearer, method, url):
    more = {"json": {"reason": "r"}} if "api" in url else {"data": {"reason": "r"}}
    body = more if method == "POST" else {}
    assert client.request(method, url, headers=bearer("ada"), **body).status_code == 403
    assert client.request(method, url, **body).status_code in {303, 401}
