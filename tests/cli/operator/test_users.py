"""`lethe user` and `lethe admin invite`, as an operator meets them."""

import json

import pytest

from tests.cli.operator.refusals import is_one_line


@pytest.fixture
def place(migrated, monkeypatch):
    """An installation with an account."""
    monkeypatch.setenv("LETHE_BASE_URL", "https://lethe.example.org")
    migrated("user", "add", "ada")
    return migrated


def user(place, name="ada"):
    items = json.loads(place("user", "list", "--json").stdout)["items"]
    return next(one for one in items if one["name"] == name)


def test_accounts_are_listed_as_a_table_and_as_json(place):
    place("user", "add", "grace", "--role", "admin")
    table = place("user", "list").stdout
    assert [line.split()[:2] for line in table.splitlines() if "active" in line] == [
        ["grace", "admin"],
        ["ada", "participant"],
    ]
    assert "grace" not in place("user", "list", "--search", "ad").stdout.split("\n", 1)[1]
    assert user(place)["role"] == "participant"


def test_a_role_is_given_and_an_account_is_disabled_and_enabled(place):
    assert place("user", "role", "ada", "admin").exit_code == 0
    assert user(place)["role"] == "admin"
    assert "enable ada" in place("user", "disable", "ada").stderr
    assert user(place)["disabled_at"] is not None
    assert place("user", "enable", "ada").exit_code == 0
    assert user(place)["disabled_at"] is None
    assert place("user", "role", "ada", "king").exit_code == 2


@pytest.mark.parametrize(
    "command", [["role", "eve", "admin"], ["disable", "eve"], ["enable", "eve"], ["reset-link", "eve"]]
)
def test_who_is_not_there_is_one_line(place, command):
    assert is_one_line(place("user", *command), "There is no account named 'eve'")


def test_a_reset_link_is_the_only_thing_on_stdout(place, monkeypatch):
    link = place("user", "reset-link", "ada").stdout
    assert link.startswith("https://lethe.example.org/reset?link=lethe_")
    assert link.count("\n") == 1
    monkeypatch.delenv("LETHE_BASE_URL")
    result = place("user", "reset-link", "ada")
    assert result.stdout.startswith("/reset?link=lethe_")
    assert "LETHE_BASE_URL" in result.stderr


def test_an_invitation_is_made_listed_and_taken_back(place):
    result = place("admin", "invite", "--label", "first row", "--days", "3")
    assert result.stdout.startswith("https://lethe.example.org/register?invitation=lethe_")
    assert "LETHE_REGISTRATION is closed" in result.stderr
    made = json.loads(place("admin", "invite", "--role", "admin", "--json").stdout)
    items = json.loads(place("admin", "invite", "--list", "--json").stdout)["items"]
    assert {one["state"] for one in items} == {"open"}
    assert "first row" in place("admin", "invite", "--list").stdout
    assert place("admin", "invite", "--revoke", made["id"]).exit_code == 0
    assert is_one_line(place("admin", "invite", "--revoke", made["id"]), "used or taken back before")
    assert is_one_line(place("admin", "invite", "--revoke", "nothing"), "no such invitation")
    assert place("admin", "invite", "--list", "--revoke", "x").exit_code == 2
