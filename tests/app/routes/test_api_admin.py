import pytest


def test_a_rerun_makes_an_evaluation_beside_the_old_and_keeps_the_reason(client, world, bearer):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    url = f"/api/v1/admin/submissions/{submission}/rerun"
    answer = client.post(url, json={"split": "public", "reason": "a new reference"}, headers=bearer("root"))
    assert answer.status_code == 201
    assert (answer.json()["generation"], answer.json()["published"]) == (2, False)
    made = client.get(answer.headers["Location"], headers=bearer("root")).json()
    assert made == answer.json()
    assert (made["status"], made["verdict"], made["reason"], made["split"]) == (
        "queued",
        None,
        None,
        "public",
    )
    shown = client.get(f"/api/v1/submissions/{submission}", headers=bearer("ada")).json()
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
        ("POST", "/admin/evaluations/y/cancel"),
    ],
)
def test_admin_routes_are_closed_to_participants_and_strangers(client, bearer, method, url):
    more = {"json": {"reason": "r"}} if "api" in url else {"data": {"reason": "r"}}
    body = more if method == "POST" else {}
    assert client.request(method, url, headers=bearer("ada"), **body).status_code == 403
    assert client.request(method, url, **body).status_code in {303, 401}


def private_rerun(client, world, bearer, submission):
    world.reference("private")
    url = f"/api/v1/admin/submissions/{submission}/rerun"
    answer = client.post(url, json={"split": "private", "reason": "final"}, headers=bearer("root"))
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_the_private_split_is_hidden_from_the_owner_until_the_reveal(client, world, bearer, sign_in):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    page, events = f"/submissions/{submission}", f"/api/v1/submissions/{submission}/events"
    private = private_rerun(client, world, bearer, submission)["links"]["self"]
    assert client.get(private, headers=bearer("ada")).status_code == 404
    assert client.get(private, headers=bearer("root")).status_code == 200
    assert '"final":true' in client.get(events, headers=bearer("ada")).text.replace(" ", "")
    sign_in("ada")
    assert "<td>private</td>" not in client.get(page).text
    assert "<noscript>" not in client.get(page).text
    world.run(4)
    world.score(0.07, 0.98, 0.97)
    world.clock.now = world.clock.now.replace(month=7)
    assert client.get(private, headers=bearer("ada")).status_code == 404
    sign_in("ada")
    assert "<td>private</td>" not in client.get(page).text
    world.revealed()
    assert client.get(private, headers=bearer("ada")).json()["score"]["forgetting_quality"] == 0.07
    assert client.get(private, headers=bearer("grace")).status_code == 404
    sign_in("ada")
    assert "<td>private</td>" in client.get(page).text


def test_an_admin_cancels_exactly_the_evaluation_of_the_row(client, world, bearer, sign_in):
    submission = world.submit("ada")
    private = private_rerun(client, world, bearer, submission)
    sign_in("root")
    button = f"/admin/evaluations/{private['id']}/cancel"
    assert f'action="{button}"' in client.get("/admin/evaluations").text
    assert client.post(button).status_code == 422
    reason = {"data": {"reason": "it hangs"}}
    assert client.post(button, **reason).headers["Location"] == f"/submissions/{submission}"
    assert "it hangs" in client.get("/admin/events?kind=evaluation.cancel_asked").text
    ended = client.get(private["links"]["self"], headers=bearer("root")).json()
    assert (ended["verdict"], ended["reason"]["code"]) == ("cancelled", "cancelled_on_request")
    assert client.get(f"/api/v1/submissions/{submission}", headers=bearer("ada")).json()["status"] == "queued"
    assert client.post(button, **reason).status_code == 409


def test_cancel_answers_with_the_evaluations_that_it_reached(client, world, bearer):
    submission = world.submit("ada")
    private = private_rerun(client, world, bearer, submission)
    url = f"/api/v1/submissions/{submission}/cancel"
    hidden = client.post(f"{url}?evaluation={private['id']}", headers=bearer("ada"))
    assert hidden.status_code == 404
    one = client.post(f"{url}?evaluation={private['id']}", headers=bearer("root")).json()["evaluations"]
    assert [(each["id"], each["status"]) for each in one] == [(private["id"], "done")]
    rest = client.post(url, headers=bearer("root")).json()["evaluations"]
    assert [(each["split"], each["verdict"]) for each in rest] == [("public", "cancelled")]
    other = client.post(
        f"/api/v1/submissions/{world.submit('ada')}/cancel?evaluation={rest[0]['id']}", headers=bearer("root")
    )
    assert other.status_code == 404


def test_the_admins_list_reads_no_report(client, world, sign_in, statements):
    world.scored("ada", 0.08, 0.98, 0.97)
    world.submit("grace")
    sign_in("root")
    with statements() as seen:
        text = client.get("/admin/evaluations").text
    assert "queued (1)" in text
    assert "done (1)" in text
    assert not [one for one in seen if "report" in one or "facts" in one or "pages" in one]
