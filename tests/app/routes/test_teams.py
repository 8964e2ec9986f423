"""Teams by the API and by the pages' forms."""

from app import teams
from app.db import unit_of_work

API = "/api/v1/competitions/digits/team"
PAGE = "/competitions/digits/team"


def test_two_people_become_a_team_by_the_api_and_share_a_submission(client, world, bearer):
    sent = world.submit("ada")
    created = client.post(API, json={"name": "The sieve"}, headers=bearer("ada"))
    assert (created.status_code, created.json()["team"]["leader"]) == (201, "ada")
    client.post(API + "/invitations", json={"name": "grace"}, headers=bearer("ada"))
    (invitation,) = client.get(API, headers=bearer("grace")).json()["invitations"]
    assert (invitation["team"], invitation["may_answer"]) == ("The sieve", True)
    path = f"/api/v1/submissions/{sent}"
    assert client.get(path, headers=bearer("grace")).status_code == 404
    world.clock.forward(minutes=1)
    joined = client.post(f"/api/v1/invitations/{invitation['id']}/accept", headers=bearer("grace"))
    assert [one["name"] for one in joined.json()["team"]["members"]] == ["ada", "grace"]
    shown = client.get(path, headers=bearer("grace")).json()
    assert (shown["team"], shown["user"]) == ("The sieve", "ada")
    assert [
        one["id"] for one in client.get("/api/v1/submissions", headers=bearer("grace")).json()["items"]
    ] == [sent]
    renamed = client.patch(API, json={"name": "The colander"}, headers=bearer("ada"))
    assert renamed.json()["team"]["name"] == "The colander"
    assert client.get(path, headers=bearer("grace")).json()["team"] == "The colander"
    led = client.post(API + "/hand-over", json={"name": "grace"}, headers=bearer("ada")).json()["team"]
    assert (led["leader"], led["may_lead"]) == ("grace", False)
    refused = client.post(API + "/leave", headers=bearer("grace"))
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")


def test_the_board_from_memory_follows_a_team(client, world, bearer):
    world.scored("ada", 0.08, 0.98, 0.97)
    board = "/api/v1/competitions/digits/leaderboard"
    assert client.get(board).json()["rows"][0]["kind"] == "person"
    for name in ("The sieve", "The colander"):
        method = client.post if name == "The sieve" else client.patch
        method(API, json={"name": name}, headers=bearer("ada"))
        (row,) = client.get(board).json()["rows"]
        assert (row["entrant"], row["kind"], row["members"], row["user"]) == (name, "team", ["ada"], "ada")


def test_a_team_forms_on_its_page_and_a_refusal_is_shown_there(client, world, sign_in):
    sign_in("ada")
    assert "You take part alone" in client.get(PAGE).text
    made = client.post(PAGE + "/create", data={"name": "The sieve"})
    assert (made.status_code, made.headers["location"]) == (303, PAGE)
    assert client.post(PAGE + "/invite", data={"name": "grace"}).status_code == 303
    again = client.post(PAGE + "/invite", data={"name": "grace"})
    assert (again.status_code, "They are invited already" in again.text) == (409, True)
    page = client.get(PAGE).text
    assert all(words in page for words in ("The sieve", "1 of at most 5 people", "Withdraw", "Dissolve"))
    client.post("/sign-out")
    sign_in("grace")
    assert "<strong>The sieve</strong> asks you" in client.get("/").text
    page = client.get(PAGE).text
    assert "The sieve invites you" in page
    action = page.split("/accept")[0].rsplit('action="', 1)[1] + "/accept"
    assert client.post(action).status_code == 303
    assert "2 of at most 5 people" in client.get(PAGE).text
    assert "asks you" not in client.get("/").text
    assert "Hand over" not in client.get(PAGE).text
    client.post("/sign-out")
    sign_in("ada")
    assert "Hand over" in client.get(PAGE).text
    assert client.post(PAGE + "/hand-over", data={"name": "grace"}).status_code == 303
    page = client.get(PAGE).text
    assert "Hand over" not in page
    assert 'grace <span class="badge">leader</span>' in page


def test_a_merge_is_asked_for_and_accepted_by_the_api(client, world, bearer):
    for name, team in (("ada", "The sieve"), ("grace", "The colander")):
        with unit_of_work(world.engine) as session:
            teams.create(session, "digits", team, world.user(name), world.clock())
    asked = client.post(
        API + "/invitations", json={"kind": "team", "name": "The colander"}, headers=bearer("ada")
    )
    (sent,) = asked.json()["team"]["invitations"]
    assert (sent["kind"], sent["invited"]) == ("team", "The colander")
    merged = client.post(f"/api/v1/invitations/{sent['id']}/accept", headers=bearer("grace"))
    assert merged.json()["team"]["name"] == "The sieve"


def test_a_team_whose_name_would_be_markup_is_shown_as_text(client, world, sign_in, bearer):
    world.scored("ada", 0.08, 0.98, 0.97)
    client.post(API, json={"name": "<b>1</b>"}, headers=bearer("ada"))
    sign_in("ada")
    for path in (PAGE, "/competitions/digits/leaderboard", "/submissions"):
        assert "<b>1</b>" not in client.get(path).text


def test_after_the_close_nobody_is_asked_to_submit_as_themselves(client, world, sign_in):
    world.after_the_close()
    sign_in("ada")
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "Teams could form until" in page.text
    assert "as yourself" not in page.text
