"""What an operator sees when something is not right: one line, exit code 1, no traceback."""

import json
import socket
import stat

import pytest

from tests.cli.operator.refusals import is_one_line


@pytest.mark.parametrize("command", [["user", "add", "ada"], ["user", "token", "ada"], ["worker"], ["serve"]])
def test_before_migrate_each_command_says_what_to_run(lethe, tmp_path, command):
    assert is_one_line(lethe(*command), "Run `lethe migrate` first")
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize("command", [["user", "add", "ada"], ["migrate"], ["worker"], ["serve"]])
def test_a_database_that_cannot_be_reached_is_one_line(lethe, monkeypatch, tmp_path, command):
    monkeypatch.setenv("LETHE_DATABASE_URL", f"postgresql+psycopg://lethe@/lethe?host={tmp_path}")
    assert is_one_line(lethe(*command), "The database cannot be used")


def test_a_database_url_that_makes_no_sense_is_one_line(lethe, monkeypatch):
    monkeypatch.setenv("LETHE_DATABASE_URL", "oracle-of-delphi")
    assert is_one_line(lethe("migrate"), "LETHE_DATABASE_URL", exit_code=2)


def test_a_setting_that_makes_no_sense_is_named(lethe, monkeypatch):
    monkeypatch.setenv("LETHE_LEASE_SECONDS", "soon")
    assert is_one_line(lethe("migrate"), "LETHE_LEASE_SECONDS", exit_code=2)


def test_an_added_account_can_be_given_a_token(migrated):
    added = migrated("user", "add", "ada")
    assert added.exit_code == 0
    assert len(added.stdout.strip()) == 16
    token = migrated("user", "token", "ada")
    assert token.exit_code == 0
    assert token.stdout.startswith("lethe_")


def test_a_name_that_is_taken_is_one_line(migrated):
    migrated("user", "add", "ada")
    assert is_one_line(migrated("user", "add", "ada"), "The name ada is taken")


def test_a_token_for_nobody_says_how_to_add_them(migrated):
    assert is_one_line(migrated("user", "token", "eve"), "Add it with `lethe user add eve`")


def test_an_organiser_of_what_is_not_there_is_one_line(migrated):
    migrated("user", "add", "ada")
    assert is_one_line(migrated("user", "organise", "ada", "digits"), "There is no competition 'digits'")


def test_a_worker_refuses_a_device_that_its_sandboxes_lack(migrated, monkeypatch):
    monkeypatch.setenv("LETHE_DEVICE", "cuda")
    assert is_one_line(migrated("worker"), "bubblewrap sandboxes run on the CPU only")


def test_a_worker_without_bubblewrap_says_what_to_install(migrated, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = migrated("worker")
    assert is_one_line(result, "No untrusted code will be run")
    assert "apt-get install bubblewrap" in result.stderr


def test_a_port_that_is_taken_is_one_line(migrated):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        result = migrated("serve", "--port", str(other.getsockname()[1]))
    assert is_one_line(result, "Cannot listen on 127.0.0.1, port")


def test_the_data_folder_cannot_be_listed_by_others(migrated, tmp_path):
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o711


def test_with_json_migrating_answers_one_object_in_success_and_in_failure(lethe, monkeypatch):
    assert json.loads(lethe("migrate", "--json").stdout) == {"schema": "current"}
    monkeypatch.setenv("LETHE_DATABASE_URL", "no-such-kind://x")
    assert "error" in json.loads(lethe("migrate", "--json").stdout)
