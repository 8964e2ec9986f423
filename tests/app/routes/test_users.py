"""What admins do with accounts: find them, change roles, disable, hand out links; on pages and by the API."""

import re

import pytest

from app.routes.examples import accounts as examples
from app.schemas.accounts import InvitationMade, UserPage
from tests.seeding import PASSWORD

USERS = "/api/v1/admin/users"


def test_the_examples_are_what_the_api_answers():
    assert UserPage.model_validate(examples.USERS).model_dump(mode="json") == examples.USERS
    assert InvitationMade.model_validate(examples.INVITED).model_dump(mode="json") == examples.INVITED


def test_accounts_are_found_by_a_part_of_name_or_address(client, bearer, sign_in):
    sign_in("grace")
    client.post("/account/email", data={"email": "hopper@example.org", "password": PASSWORD})
    for search, found in (
        ("", {"ada", "grace", "root"}),
        ("RAC", {"grace"}),
        ("hopper@", {"grace"}),
        ("%", set()),
    ):
        answer = client.get(USERS, params={"search": search}, headers=bearer("root")).json()
        assert {one["name"] for one in answer["items"]} == found
    sign_in("root")
    page = client.get("/admin/users?search=hop").text
    assert 'href="/admin/users/grace"' in page
    assert "/admin/users/ada" not in page
    assert "Nobody is found" in client.get("/admin/users?search=zzz").text


def test_pages_of_accounts_follow_each_other_without_gap_or_repeat(client, bearer, monkeypatch):
    monkeypatch.setattr("app.views.users.PAGE_SIZE", 2)
    first = client.get(USERS, headers=bearer("root")).json()
    second = client.get(first["next"], headers=bearer("root")).json()
    assert second["next"] is None
    names = [one["name"] for one in first["items"] + second["items"]]
    assert sorted(names) == ["ada", "grace", "root"]
    assert client.get(f"{USERS}?cursor=nonsense", headers=bearer("root")).status_code == 400


def test_a_role_holds_from_the_next_request_on_and_is_taken_back(client, bearer):
    assert client.get("/api/v1/admin/workers", headers=bearer("ada")).status_code == 403
    answer = client.patch(f"{USERS}/ada", json={"role": "admin"}, headers=bearer("root"))
    assert answer.json()["role"] == "admin"
    assert client.get("/api/v1/admin/workers", headers=bearer("ada")).status_code == 200
    client.patch(f"{USERS}/ada", json={"role": "participant"}, headers=bearer("root"))
    assert client.get("/api/v1/admin/workers", headers=bearer("ada")).status_code == 403


def test_a_disabled_account_is_out_at_once_and_its_tokens_do_not_come_back(client, world, bearer, sign_in):
    sign_in("ada")
    assert client.get("/api/v1/account", headers=bearer("ada")).status_code == 200
    answer = client.patch(f"{USERS}/ada", json={"disabled": True}, headers=bearer("root"))
    assert answer.json()["disabled_at"] is not None
    assert client.get("/api/v1/account", headers=bearer("ada")).status_code == 401
    assert client.get("/account").status_code == 303
    refused = client.post("/sign-in", data={"name": "ada", "password": PASSWORD})
    assert (refused.status_code, "disabled" in refused.text) == (403, True)
    client.patch(f"{USERS}/ada", json={"disabled": False}, headers=bearer("root"))
    assert client.get("/api/v1/account", headers=bearer("ada")).status_code == 401
    sign_in("ada")


@pytest.mark.parametrize("body", [{"role": "participant"}, {"disabled": True}])
def test_nobody_demotes_or_disables_themselves(client, bearer, body):
    answer = client.patch(f"{USERS}/root", json=body, headers=bearer("root"))
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("body", [{"role": "king"}, {"disabled": "perhaps"}, {"name": "x"}])
def test_a_change_that_makes_no_sense_is_refused(client, bearer, body):
    assert client.patch(f"{USERS}/ada", json=body, headers=bearer("root")).status_code == 422


def test_the_page_of_an_account_changes_role_state_and_competitions(client, world, bearer, sign_in):
    sign_in("root")
    for path, form, words in (
        ("role", {"role": "admin"}, "<dd>admin</dd>"),
        ("role", {"role": "participant"}, "<dd>participant</dd>"),
        ("organise", {"competition": "digits"}, 'href="/organise/digits"'),
        ("organise", {"competition": "digits", "withdraw": "yes"}, "No competition."),
        ("disable", {}, "disabled</span>"),
        ("enable", {}, "Disable</button>"),
    ):
        answer = client.post(f"/admin/users/ada/{path}", data=form)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/users/ada")
        assert words in client.get("/admin/users/ada").text
    assert "your own account" in client.get("/admin/users/root").text
    link = client.post("/admin/users/ada/reset-link")
    assert (link.status_code, "/reset?link=lethe_" in link.text) == (201, True)
    kinds = [
        one["kind"]
        for one in client.get("/api/v1/admin/events?limit=500", headers=bearer("root")).json()["items"]
    ]
    assert {"user.role_changed", "user.disabled", "user.enabled", "user.reset_issued"} <= set(kinds)


def test_the_page_of_invitations_makes_shows_and_takes_back(client, sign_in):
    sign_in("root")
    assert "Registration is closed" in client.get("/admin/invitations").text
    made = client.post("/admin/invitations", data={"label": "first row", "days": "30"})
    assert (made.status_code, "/register?invitation=lethe_" in made.text) == (201, True)
    page = client.get("/admin/invitations").text
    assert "first row" in page
    assert "lethe_" not in page
    [path] = re.findall(r'action="(/admin/invitations/\w+/revoke)"', page)
    assert client.post(path).status_code == 303
    assert "taken back" in client.get("/admin/invitations").text
    assert client.post(path).status_code == 409


def test_the_holder_of_a_token_reads_who_they_are(client, bearer):
    client.put("/api/v1/admin/competitions/digits/organisers/grace", headers=bearer("root"))
    found = client.get("/api/v1/account", headers=bearer("grace")).json()
    assert (found["name"], found["role"], found["organises"]) == ("grace", "organiser", ["digits"])
