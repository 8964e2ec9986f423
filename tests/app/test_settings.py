import pytest
from pydantic import ValidationError
from sqlalchemy import make_url

from app.secret_files import read_secret, with_password
from app.settings import Settings


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "password"
    path.write_text("p@ss/w:rd%\n")
    return path


def test_a_password_comes_from_its_file_and_means_itself(secret):
    settings = Settings(
        database_url="postgresql+psycopg://lethe@db:5432/lethe?sslmode=require", database_password_file=secret
    )
    url = make_url(settings.url)
    assert (url.username, url.password, url.host, url.database) == ("lethe", "p@ss/w:rd%", "db", "lethe")
    assert url.query == {"sslmode": "require"}


def test_a_broker_may_have_a_password_and_no_user(secret):
    settings = Settings(broker_url="redis://redis:6379/0", broker_password_file=secret)
    assert settings.broker_url == "redis://:p%40ss%2Fw%3Ard%25@redis:6379/0"


def test_settings_show_no_password(secret):
    settings = Settings(database_url="postgresql+psycopg://lethe@db/lethe", database_password_file=secret)
    assert "p@ss" not in repr(settings)
    assert "p%40ss" not in repr(settings)


@pytest.mark.parametrize("url", ["", "postgresql+psycopg://lethe:other@db/lethe"])
def test_a_password_without_a_place_is_an_error_that_shows_nothing(secret, url):
    with pytest.raises(ValidationError, match="must be a URL that has no password") as raised:
        Settings(database_url=url, database_password_file=secret)
    assert "other" not in str(raised.value)


@pytest.mark.parametrize("content", ["", "\n", "two\nlines\n"])
def test_a_secret_is_one_line(tmp_path, content):
    path = tmp_path / "secret"
    path.write_text(content)
    with pytest.raises(ValueError, match="must hold one line"):
        read_secret(path)


def test_a_secret_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="nowhere"):
        with_password("redis://redis", tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["lease_seconds", "poll_seconds", "queue_due_hours", "session_hours"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf"])
def test_a_time_that_is_none_is_refused(name, value):
    with pytest.raises(ValidationError, match=name):
        Settings(**{name: value})
