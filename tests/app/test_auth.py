"""Accounts and tokens, on both databases."""

from datetime import timedelta
from threading import BoundedSemaphore

import pytest

from app import auth
from app.db import read_only, unit_of_work
from app.errors import BadRequest, Busy, Conflict, NotAuthenticated
from app.models import Token
from tests.app.conftest import NOW

PASSWORD = "correct horse"


def create(engine, name="ada", password=PASSWORD, role="participant"):
    with unit_of_work(engine) as session:
        return auth.create_user(session, name, password, role, NOW)


def issue(engine, user, lifetime=None):
    with unit_of_work(engine) as session:
        return auth.issue_token(session, user, "api", "laptop", NOW, lifetime)


def whose(engine, secret, now=NOW):
    with read_only(engine) as session:
        return auth.user_for_token(session, secret, now).name


def test_the_right_password_signs_in_and_is_stored_only_as_a_hash(engine):
    user = create(engine)
    assert user.password_hash.startswith("$argon2id$")
    with read_only(engine) as session:
        assert auth.verify_password(session, "ada", PASSWORD).id == user.id


def test_a_wrong_password_and_an_unknown_name_get_the_same_words_and_work(engine, monkeypatch):
    create(engine)
    tried, verify = [], auth._HASHER.verify
    monkeypatch.setattr(auth._HASHER, "verify", lambda *args: (tried.append(args), verify(*args))[1])
    words = set()
    for name in ("ada", "nobody"):
        with read_only(engine) as session, pytest.raises(NotAuthenticated) as caught:
            auth.verify_password(session, name, "wrong password")
        words.add(caught.value.detail)
    assert len(words) == 1
    assert len({hashed[:30] for _, hashed in tried}) == 1  # the same algorithm and cost
    assert len(tried) == 2


def test_too_many_attempts_at_once_are_asked_to_wait(engine, monkeypatch):
    monkeypatch.setattr(auth, "_SLOTS", BoundedSemaphore(1))
    monkeypatch.setattr(auth, "_PATIENCE_SECONDS", 0.01)
    with auth._SLOTS, read_only(engine) as session, pytest.raises(Busy) as caught:
        auth.verify_password(session, "ada", PASSWORD)
    assert caught.value.retry_after


def test_a_taken_name_is_a_conflict_and_the_transaction_goes_on(engine):
    create(engine)
    with unit_of_work(engine) as session:
        with pytest.raises(Conflict, match="taken"):
            auth.create_user(session, "ada", PASSWORD, "participant", NOW)
        auth.create_user(session, "eve", PASSWORD, "participant", NOW)


@pytest.mark.parametrize(
    "bad",
    [
        {"name": ""},
        {"name": "a b"},
        {"name": "-a"},
        {"name": "a" * 65},
        {"password": "short"},
        {"role": "king"},
    ],
)
def test_bad_names_passwords_and_roles_are_refused(engine, bad):
    with pytest.raises(BadRequest):
        create(engine, **bad)


def test_a_token_is_its_users_and_only_its_digest_is_kept(engine, world, ada):
    secret = issue(engine, ada)
    assert secret.startswith("lethe_")
    assert whose(engine, secret) == "ada"
    with read_only(engine) as session:
        row = session.query(Token).one()
        assert secret not in {row.digest, row.label, row.id}


def test_a_token_ends_with_its_lifetime(engine, world, ada):
    secret = issue(engine, ada, timedelta(hours=1))
    assert whose(engine, secret, NOW + timedelta(minutes=59)) == "ada"
    with pytest.raises(NotAuthenticated, match="expired"):
        whose(engine, secret, NOW + timedelta(hours=1))


def test_a_revoked_token_is_dead_and_others_live_on(engine, world, ada):
    first, second = issue(engine, ada), issue(engine, ada)
    with unit_of_work(engine) as session:
        auth.revoke_token(session, first)
        auth.revoke_token(session, "lethe_unknown")
    with pytest.raises(NotAuthenticated):
        whose(engine, first)
    assert whose(engine, second) == "ada"


@pytest.mark.parametrize("secret", ["", "lethe_nothing", "\ud800"])
def test_an_unknown_token_is_not_authenticated(engine, secret):
    with pytest.raises(NotAuthenticated):
        whose(engine, secret)
