import pytest

from cli.client.config import DEFAULT_URL, connection, normal_url, write
from cli.errors import CliError
from cli.exit_codes import ExitCode


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lethe" / "config.toml"


def test_flag_beats_environment_beats_file_beats_default(path):
    write(path, "https://file.example", "t")
    env = {"LETHE_CONFIG": str(path), "LETHE_URL": "https://env.example/"}
    assert connection("https://flag.example", env).url == "https://flag.example"
    assert connection(None, env).url == "https://env.example"
    assert connection(None, {"LETHE_CONFIG": str(path)}).url == "https://file.example"
    assert connection(None, {"LETHE_CONFIG": str(path.parent / "none")}).url == DEFAULT_URL


def test_the_token_comes_from_the_environment_then_a_file_it_names_then_the_configuration(path, tmp_path):
    write(path, "https://file.example", "stored")
    secret = tmp_path / "secret"
    secret.write_text("from-file\n")
    env = {"LETHE_CONFIG": str(path)}
    assert connection(None, env).token == "stored"
    assert connection(None, env | {"LETHE_TOKEN_FILE": str(secret)}).token == "from-file"
    assert (
        connection(None, env | {"LETHE_TOKEN_FILE": str(secret), "LETHE_TOKEN": "direct"}).token == "direct"
    )


def test_a_stored_token_is_never_sent_to_another_address(path):
    write(path, "https://file.example", "stored")
    other = connection("https://other.example", {"LETHE_CONFIG": str(path)})
    assert other.token is None
    with pytest.raises(CliError, match=r"belongs to https://file\.example") as caught:
        other.needed_token()
    assert caught.value.exit_code is ExitCode.AUTH


def test_the_file_is_readable_by_its_owner_alone_and_replaced_whole(path):
    write(path, "https://a.example", "one")
    write(path, "https://b.example", "two")
    assert path.stat().st_mode & 0o777 == 0o600
    assert connection(None, {"LETHE_CONFIG": str(path)}).token == "two"
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


def test_a_token_that_others_can_read_is_warned_of(path, capsys):
    write(path, "https://a.example", "one")
    path.chmod(0o644)
    connection(None, {"LETHE_CONFIG": str(path)})
    assert "chmod 600" in capsys.readouterr().err


@pytest.mark.parametrize(
    "url", ["lethe.example", "ftp://x", "http://", "http://a b", "http://x:99999", "http://[", ""]
)
def test_what_is_no_address_is_a_usage_error(url):
    with pytest.raises(CliError, match="is no address") as caught:
        normal_url(url, "--url")
    assert caught.value.exit_code is ExitCode.USAGE


def test_an_address_with_a_password_is_refused_without_repeating_it():
    with pytest.raises(CliError) as caught:
        normal_url("https://ada:secret@x.example", "LETHE_URL")
    assert "secret" not in caught.value.line()


@pytest.mark.parametrize("text", ["url = ", "urls = 'x'", "token = 3"])
def test_a_faulty_file_is_named(path, text):
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(CliError, match=r"config\.toml") as caught:
        connection(None, {"LETHE_CONFIG": str(path)})
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("token", ["two words", "líne", 'quo"te', " \n"])
def test_a_token_that_cannot_stand_in_a_header_is_refused_without_repeating_it(token, path):
    with pytest.raises(CliError) as caught:
        connection(None, {"LETHE_CONFIG": str(path), "LETHE_TOKEN": token})
    assert caught.value.code == "bad_token"
    assert token not in caught.value.line()


def test_the_token_is_not_in_the_connections_repr(path):
    assert "hidden" not in repr(connection(None, {"LETHE_CONFIG": str(path), "LETHE_TOKEN": "hidden"}))
