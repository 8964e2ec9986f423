import tomllib
from pathlib import Path

from tests.cli.service import Answer, problem

MINE = "GET /submissions"
EMPTY = Answer(200, {"items": [], "next_cursor": None})


def test_a_good_token_from_stdin_is_checked_and_kept_for_its_owner_alone(service, lethe, env, tmp_path):
    env.delenv("LETHE_TOKEN")
    service.on(MINE, EMPTY)
    result = lethe("login", stdin="lethe_new\n")
    path = tmp_path / "config" / "config.toml"
    assert result.exit_code == 0
    assert service.seen[0].headers["Authorization"] == "Bearer lethe_new"
    assert tomllib.loads(path.read_text()) == {"url": service.url, "token": "lethe_new"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert "lethe_new" not in result.output

    env.delenv("LETHE_URL")
    assert lethe("submissions").exit_code == 0
    assert service.seen[1].headers["Authorization"] == "Bearer lethe_new"


def test_a_wrong_token_is_exit_code_3_and_not_kept(service, lethe, tmp_path):
    service.on(MINE, problem(401, "not_authenticated", "The token is not valid."))
    assert lethe("login", stdin="lethe_wrong\n").exit_code == 3
    assert not (tmp_path / "config").exists()


def test_an_empty_stdin_is_exit_code_2(lethe, service):
    assert lethe("login", stdin="").exit_code == 2
    assert service.seen == []


def test_a_token_is_not_taken_from_the_command_line(lethe):
    assert lethe("login", "lethe_secret").exit_code == 2
    assert lethe("login", "--token", "lethe_secret").exit_code == 2


def test_a_file_that_cannot_be_written_is_said(service, lethe, env, tmp_path):
    (tmp_path / "plain").touch()
    env.setenv("LETHE_CONFIG", str(Path(tmp_path, "plain", "config.toml")))
    service.on(MINE, EMPTY)
    result = lethe("login", stdin="lethe_new\n")
    assert result.exit_code == 2
    assert "config.toml" in result.stderr
