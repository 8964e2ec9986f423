"""Names of teams: none that cannot be read, or looks like another."""

import pytest

from app import teams
from app.errors import BadRequest, Conflict


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 41, "--", "a\u200bb", "a\u202eb", "a\x00b", "\u3164", "ada\u115f"]
)
def test_a_name_that_nobody_could_read_or_tell_from_another_is_refused(do, ada, name):
    with pytest.raises(BadRequest):
        do(teams.create, "digits", name, ada)


@pytest.mark.parametrize(
    "name",
    [
        *("THE SIEVE", "The\u00a0sieve", "\uff34he sieve", "ada", "ADA", "ada\ufe0f"),
        *("\u0430\u0501\u0430", "\u0410\u0500\u0410"),  # ada in Cyrillic, small and capital
        "The s\u0131eve",
    ],
)
def test_a_name_that_looks_like_another_teams_or_is_an_accounts_is_taken(do, sieve, grace, name):
    with pytest.raises(Conflict):
        do(teams.create, "digits", name, grace)
    assert sieve.name == "The sieve"


@pytest.mark.parametrize(
    "name", ["The s\u0456eve", "Th\u03b5 sieve", "\u0421afe", "\u10d0da", "\u4e16\u0430", "a\u0561"]
)
def test_a_word_that_mixes_scripts_is_refused(do, ada, name):
    with pytest.raises(BadRequest, match="several scripts"):
        do(teams.create, "digits", name, ada)


@pytest.mark.parametrize(
    "name",
    [
        "\u0421\u0438\u0442\u043e 2",  # Russian
        "Team \u03b2",
        "\u6771\u4eac\u30e9\u30dcA",  # Japanese, with a Latin letter
        "\ud55c\uae00 AI",
        "Na\u00efve \u00c9l\u00e8ves",
        "\u0928\u092e\u0938\u094d\u0924\u0947",
        "\u0645\u0631\u062d\u0628\u0627 1",
        "R2\u00b2",
    ],
)
def test_names_as_people_write_them_are_taken(do, ada, name):
    assert do(teams.create, "digits", name, ada).name == name


def test_a_name_is_taken_in_one_competition_only_and_a_member_may_give_theirs(world, do, sieve, grace):
    world.competition("faces")
    assert do(teams.create, "faces", sieve.name, grace).name == sieve.name
    assert do(teams.create, "digits", "grace", grace).name == "grace"
