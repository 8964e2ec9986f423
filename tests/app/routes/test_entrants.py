"""Entrants as admins and they themselves meet them."""

import pytest

ENTRANT = "/api/v1/admin/competitions/digits/entrants/ada"


def post(client, bearer, path, body, who="root"):
    return client.post(f"/api/v1/admin/{path}", json=body, headers=bearer(who))


def test_the_api_disqualifies_a_submission_and_reinstates_it(client, world, bearer):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    board = "/api/v1/competitions/digits/leaderboard"
    etag = client.get(board).headers["ETag"]
    answer = post(client, bearer, f"submissions/{submission}/disqualify", {"reason": "copied"})
    assert (answer.status_code, answer.json()["disqualified"]["reason"]) == (200, "copied")
    out = client.get(board, headers={"If-None-Match": etag})
    assert (out.status_code, out.json()["rows"]) == (200, [])
    mine = client.get(f"/api/v1/submissions/{submission}", headers=bearer("ada")).json()
    assert (mine["disqualified"]["reason"], mine["disqualified"]["everything"]) == ("copied", False)
    assert client.get("/api/v1/submissions", headers=bearer("ada")).json()["items"][0]["disqualified"]
    again = post(client, bearer, f"submissions/{submission}/disqualify", {"reason": "copied"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    back = post(client, bearer, f"submissions/{submission}/reinstate", {"reason": "a mistake"})
    assert (back.status_code, back.json()["disqualified"]) == (200, None)
    assert [row["user"] for row in client.get(board).json()["rows"]] == ["ada"]


def test_a_disqualified_entrant_is_told_why_and_can_send_nothing(client, world, bearer, sign_in):
    world.scored("ada", 0.08, 0.98, 0.97)
    answer = client.post(f"{ENTRANT}/disqualify", json={"reason": "two accounts"}, headers=bearer("root"))
    assert (answer.status_code, answer.json()["disqualified"]["everything"]) == (200, True)
    sent = client.post("/api/v1/competitions/digits/submissions", content=b"zip", headers=bearer("ada"))
    assert (sent.status_code, sent.json()["code"]) == (403, "disqualified")
    assert "two accounts" in sent.json()["detail"]
    sign_in("ada")
    text = client.get("/competitions/digits/submit").text
    assert "two accounts" in text
    assert 'id="upload"' not in text
    for others in ("/competitions/digits/leaderboard", "/"):
        assert "two accounts" not in client.get(others).text
    client.post("/sign-out")
    sign_in("grace")
    assert "two accounts" not in client.get("/competitions/digits/submit").text


def test_a_gift_of_submissions_shows_in_the_quota_with_its_reason(client, world, bearer, sign_in):
    answer = client.post(
        f"{ENTRANT}/quota",
        json={"amount": 2, "day": "2026-03-02", "reason": "downtime"},
        headers=bearer("root"),
    )
    assert (answer.status_code, answer.json()["quota"]["limit"]) == (201, 5)
    seen = client.get("/api/v1/competitions/digits", headers=bearer("ada")).json()["quota"]
    assert (seen["limit"], seen["remaining"], seen["adjustments"][0]["reason"]) == (5, 5, "downtime")
    sign_in("ada")
    assert "+2 today by the organiser: downtime" in client.get("/competitions/digits/submit").text
    for wrong in ({"amount": 0, "reason": "x"}, {"amount": 1, "day": "2026-03-01", "reason": "x"}):
        assert client.post(f"{ENTRANT}/quota", json=wrong, headers=bearer("root")).status_code == 400
    for wrong in ({"amount": 1, "reason": "  "}, {"amount": 1}, {"amount": 1001, "reason": "x"}):
        assert client.post(f"{ENTRANT}/quota", json=wrong, headers=bearer("root")).status_code == 422


def test_the_pages_do_the_same_with_forms(client, world, sign_in):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    page = "/admin/competitions/digits/entrants/ada"
    sign_in("root")
    assert f'href="{page}"' in client.get("/admin/entrants?competition=digits&name=ad").text
    assert client.post(f"{page}/quota", data={"amount": "-1", "day": "", "reason": "spam"}).status_code == 303
    assert client.post(f"{page}/quota", data={"amount": "1", "day": "soon", "reason": "x"}).status_code == 400
    assert "every day" in client.get(page).text
    assert client.post(f"{page}/disqualify", data={"reason": "two accounts"}).headers["Location"] == page
    assert "two accounts" in client.get(f"/submissions/{submission}").text
    assert client.post(f"{page}/reinstate", data={"reason": "cleared"}).status_code == 303
    for act, words in (("disqualify", "copied"), ("reinstate", "a mistake")):
        answer = client.post(f"/admin/submissions/{submission}/{act}", data={"reason": words})
        assert answer.headers["Location"] == f"/submissions/{submission}"
        assert words in client.get(page).text
    assert client.get("/admin/competitions/digits/entrants/nobody").status_code == 404


def test_entrants_come_in_pages(client, world, bearer, monkeypatch):
    monkeypatch.setattr("app.views.entrants.PAGE_SIZE", 1)
    for name in ("grace", "ada"):
        world.submit(name)
    first = client.get("/api/v1/admin/entrants?competition=digits", headers=bearer("root")).json()
    second = client.get(first["next"], headers=bearer("root")).json()
    assert [one["name"] for one in first["items"] + second["items"]] == ["ada", "grace"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "/api/v1/admin/entrants"),
        ("GET", ENTRANT),
        ("POST", f"{ENTRANT}/quota"),
        ("POST", f"{ENTRANT}/disqualify"),
        ("POST", f"{ENTRANT}/reinstate"),
        ("POST", "/api/v1/admin/submissions/x/disqualify"),
        ("POST", "/api/v1/admin/submissions/x/reinstate"),
        ("GET", "/admin/entrants"),
        ("GET", "/admin/competitions/digits/entrants/ada"),
        ("POST", "/admin/competitions/digits/entrants/ada/quota"),
        ("POST", "/admin/competitions/digits/entrants/ada/disqualify"),
        ("POST", "/admin/competitions/digits/entrants/ada/reinstate"),
        ("POST", "/admin/submissions/x/disqualify"),
        ("POST", "/admin/submissions/x/reinstate"),
    ],
)
def test_participants_and_strangers_decide_nothing(client, bearer, method, url):
    words = {"reason": "r", "amount": 1}
    more = {"json": words} if "api" in url else {"data": words}
    body = more if method == "POST" else {}
    assert client.request(method, url, headers=bearer("ada"), **body).status_code == 403
    assert client.request(method, url, **body).status_code in {303, 401}
