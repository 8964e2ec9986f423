"""Granting competitions to organisers, on both databases."""

import pytest

from app import access, accounts, auth, organisers
from app.db import read_only, unit_of_work
from app.errors import BadRequest, NotFound
from app.models import User
from tests.app.conftest import NOW


def granted(engine, *arguments):
    with unit_of_work(engine) as session:
        organisers.grant(session, *arguments, "root", NOW)


def test_a_grant_is_of_one_competition_and_can_be_taken_back(engine, world, ada):
    world.competition("faces")
    with unit_of_work(engine) as session:
        secret = auth.issue_token(session, ada, "api", "t", NOW, None)
    granted(engine, "digits", "ada")
    with read_only(engine) as session:
        viewer = auth.holder_of(session, secret, NOW, "api").user
        assert access.organised(viewer) == {"digits"}
        assert organisers.names(session, "digits") == ["ada"]
        assert organisers.names(session, "faces") == []
    with unit_of_work(engine) as session:
        organisers.withdraw(session, "digits", "ada", "root", NOW)
    with read_only(engine) as session:
        assert access.organised(auth.holder_of(session, secret, NOW, "api").user) == set()


def test_a_second_grant_and_a_second_withdrawal_change_nothing(engine, world, ada):
    granted(engine, "digits", "ada")
    granted(engine, "digits", "ada")
    for _ in range(2):
        with unit_of_work(engine) as session:
            organisers.withdraw(session, "digits", "ada", "root", NOW)
    assert world.events("user.organiser_granted") == world.events("user.organiser_withdrawn") == 1


@pytest.mark.parametrize("arguments", [("nowhere", "ada"), ("digits", "nobody"), ("digits", "a\x00")])
def test_unknown_competitions_and_people_are_not_found(engine, world, ada, arguments):
    with pytest.raises(NotFound):
        granted(engine, *arguments)


def test_an_address_is_kept_changed_and_forgotten_and_the_log_does_not_tell_it(engine, world, ada):
    for given, kept in ((" ada@example.org ", "ada@example.org"), ("", None)):
        with unit_of_work(engine) as session:
            accounts.set_email(session, ada.id, given, NOW)
        with read_only(engine) as session:
            assert session.get_one(User, ada.id).email == kept
    assert world.events("user.email_changed") == 2


@pytest.mark.parametrize(
    "bad",
    ["ada", "a b@c.de", "ada@example", "ä@example.org", "a@b.c\r\nBcc: x@y.z", "a@" + 300 * "b" + ".de"],
)
def test_what_is_no_address_is_refused(bad):
    with pytest.raises(BadRequest, match="not an e-mail address"):
        accounts.checked_email(bad)
