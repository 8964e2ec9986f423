import json
from datetime import UTC, datetime

import pytest

from app import auth
from app.db import make_engine, migrate, unit_of_work
from cli.operator.accounts import demo_accounts, fresh_participant

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path):
    url = f"sqlite:///{tmp_path / 'lethe.db'}"
    migrate(url)
    return make_engine(url)


def test_secrets_are_random_private_and_kept(engine, tmp_path):
    path = tmp_path / "demo-accounts.json"
    first = demo_accounts(path, engine, NOW)
    assert demo_accounts(path, engine, NOW) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert len({a.password for a in first} | {a.token for a in first}) == 4
    for account in first:
        assert auth.verify_password(engine, account.name, account.password).role == account.role
        with unit_of_work(engine) as session:
            assert auth.holder_of(session, account.token, NOW, "api").user.name == account.name


@pytest.mark.parametrize(
    "damage", [lambda path: path.unlink(), lambda path: path.write_text('[{"name": "adm')]
)
def test_a_lost_or_damaged_file_gives_the_same_accounts_new_secrets(engine, tmp_path, damage):
    path = tmp_path / "demo-accounts.json"
    first = demo_accounts(path, engine, NOW)
    damage(path)
    second = demo_accounts(path, engine, NOW)
    assert [a.name for a in second] == [a.name for a in first]
    assert json.loads(path.read_text())[0]["password"] == second[0].password != first[0].password
    assert auth.verify_password(engine, "admin", second[0].password).role == "admin"


def test_each_check_gets_a_participant_of_its_own(engine):
    tokens = {fresh_participant(engine, NOW) for _ in range(3)}
    with unit_of_work(engine) as session:
        assert len({auth.holder_of(session, token, NOW, "api").user.name for token in tokens}) == 3
