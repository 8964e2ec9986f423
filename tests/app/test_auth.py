"""Accounts and tokens, on both databases."""

import time
from datetime import timedelta
from threading import Event, Semaphore, Thread

import pytest
from sqlalchemy import select

from app import auth, teams, tokens
from app.db import read_only, unit_of_work
from app.errors import BadRequest, Busy, Conflict, NotAuthenticated
from app.models import Token, User
from tests.app.conftest import NOW

PASSWORD = "correct horse"


def create(engine, name="ada", password=PASSWORD, role="participant"):
    with unit_of_work(engine) as session:
        return auth.create_user(session, name, password, role, NOW)


def issue(engine, user, lifetime=None, kind="api"):
    with unit_of_work(engine) as session:
        return auth.issue_token(session, user, kind, "laptop", NOW, lifetime)


def whose(engine, secret, now=NOW, kind="api"):
    with read_only(engine) as session:
        return auth.holder_of(session, secret, now, kind).user.name


def test_the_right_password_signs_in_and_is_stored_only_as_a_hash(engine):
    user = create(engine)
    assert user.password_hash.startswith("$argon2id$")
    assert auth.verify_password(engine, "ada", PASSWORD).id == user.id


def test_a_wrong_password_and_an_unknown_name_get_the_same_words_and_work(engine, monkeypatch):
    create(engine)
    tried, verify = [], auth._HASHER.verify
    monkeypatch.setattr(auth._HASHER, "verify", lambda *args: (tried.append(args), verify(*args))[1])
    words = set()
    for name in ("ada", "nobody"):
        with pytest.raises(NotAuthenticated) as caught:
            auth.verify_password(engine, name, "wrong password")
        words.add(caught.value.detail)
    assert len(words) == 1
    assert len({hashed[:30] for _, hashed in tried}) == 1  # the same algorithm and cost
    assert len(tried) == 2


def test_beyond_two_hashes_and_four_who_wait_one_is_told_at_once_to_come_back(engine, monkeypatch):
    create(engine)
    going, arrived = Event(), Semaphore(0)

    def slow(*_):
        arrived.release()
        going.wait(30)
        return True

    monkeypatch.setattr(auth._HASHER, "verify", slow)
    admitted = []

    def attempt():
        admitted.append(auth.verify_password(engine, "ada", PASSWORD).name)

    threads = [Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    arrived.acquire()
    arrived.acquire()
    while auth._GATE._hall._value:  # until the four others wait
        time.sleep(0.01)
    try:
        with pytest.raises(Busy) as caught:
            auth.verify_password(engine, "ada", PASSWORD)
        assert caught.value.retry_after
    finally:
        going.set()
        for thread in threads:
            thread.join()
    assert admitted == ["ada"] * 6


def test_no_connection_is_held_while_a_password_is_hashed(engine, monkeypatch):
    create(engine)
    held = []
    monkeypatch.setattr(auth._HASHER, "verify", lambda *_: held.append(engine.pool.checkedout()) or True)
    auth.verify_password(engine, "ada", PASSWORD)
    assert held == [0]


def test_a_name_that_differs_from_anothers_or_a_teams_by_capitals_alone_is_taken(engine, world):
    with unit_of_work(engine) as session:
        teams.create(session, "digits", "Sieve", world.user("ada"), NOW)
        for name in ("Ada", "sieve"):
            with pytest.raises(Conflict, match="taken"):
                auth.create_user(session, name, PASSWORD, "participant", NOW)


def test_of_two_that_register_at_once_with_other_capitals_the_database_takes_one(engine, world, monkeypatch):
    monkeypatch.setattr(auth, "is_taken", lambda *_: False)  # as it was for both when they looked
    with unit_of_work(engine) as session:
        auth.insert_user(session, "Ada", "x", "participant", NOW)
        with pytest.raises(Conflict, match="taken"):
            auth.insert_user(session, "aDA", "x", "participant", NOW)
    with read_only(engine) as session:
        assert session.scalars(select(User.name)).all() == ["Ada"]


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


def test_a_revoked_token_is_dead_others_live_on_and_the_log_knows(engine, world, ada):
    first, second = issue(engine, ada), issue(engine, ada)
    with read_only(engine) as session:
        token_id = session.query(Token.id).filter_by(digest=auth.digest_of(first)).scalar()
    with unit_of_work(engine) as session:
        tokens.revoke(session, ada, token_id, NOW)
    with pytest.raises(NotAuthenticated):
        whose(engine, first)
    assert whose(engine, second) == "ada"
    assert world.events()[-3:] == ["token.issued", "token.issued", "token.revoked"]


def test_an_ended_session_is_dead_and_an_unknown_one_is_no_error(engine, world, ada):
    secret, program = issue(engine, ada, kind="session"), issue(engine, ada)
    with unit_of_work(engine) as session:
        for one in (secret, program, "lethe_unknown"):
            auth.end_session(session, one, NOW)
    with pytest.raises(NotAuthenticated):
        whose(engine, secret, kind="session")
    assert whose(engine, program) == "ada"
    assert world.events("token.revoked") == 1


def test_a_browsers_session_is_no_bearer_token_nor_the_other_way_round(engine, world, ada):
    for kind, other in (("session", "api"), ("api", "session")):
        secret = issue(engine, ada, kind=kind)
        assert whose(engine, secret, kind=kind) == "ada"
        with pytest.raises(NotAuthenticated):
            whose(engine, secret, kind=other)


def test_only_expired_tokens_are_swept(engine, world, ada):
    issue(engine, ada, timedelta(hours=1))
    lasting, endless = issue(engine, ada, timedelta(hours=3)), issue(engine, ada)
    with unit_of_work(engine) as session:
        auth.delete_expired(session, ada, NOW + timedelta(hours=2))
        left = {digest for (digest,) in session.query(Token.digest)}
    assert left == {auth.digest_of(lasting), auth.digest_of(endless)}


@pytest.mark.parametrize("secret", ["", "lethe_nothing", "\ud800"])
def test_an_unknown_token_is_not_authenticated(engine, secret):
    with pytest.raises(NotAuthenticated):
        whose(engine, secret)
