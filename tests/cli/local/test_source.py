"""Where `lethe local` looks for public data."""

from pathlib import Path

import pytest

from cli.errors import CliError
from cli.local.source import Source, cache_dir, find
from tests.cli.participant.test_data import FILES, listed, path_of
from tests.cli.service import Answer

NO_CHECKOUT = Path("nowhere")


@pytest.fixture
def here(tmp_path, monkeypatch, env):
    monkeypatch.chdir(tmp_path)
    env.setenv("LETHE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


def downloaded(folder):
    folder.mkdir(parents=True)
    (folder / "lethe-data.json").write_text("{}")
    return folder


def organisers(folder):
    folder.mkdir(parents=True)
    (folder / "competition.toml").write_text("")
    return folder


def test_a_folder_is_what_its_files_say(here, time):
    downloaded(here / "one")
    organisers(here / "two")
    assert find("one", NO_CHECKOUT, None, time.clock) == Source(Path("one"), downloaded=True)
    assert find("two", NO_CHECKOUT, None, time.clock) == Source(Path("two"), downloaded=False)


def test_a_slug_is_looked_for_here_before_the_checkout_and_there_before_the_service(here, time, service):
    checkout = organisers(here / "competitions" / "digits").parent
    found = find("digits", checkout, None, time.clock)
    assert found == Source(checkout / "digits", downloaded=False)
    downloaded(here / "digits-data")
    assert find("digits", checkout, None, time.clock) == Source(Path("digits-data"), downloaded=True)
    assert service.seen == []


def test_the_services_data_are_kept_and_fetched_again_only_where_they_changed(here, time, service):
    service.on("GET /competitions/digits/data", Answer(body=listed(FILES)))
    for name, content in FILES.items():
        service.on(path_of(name), Answer(body=content))
    first = find("digits", NO_CHECKOUT, None, time.clock)
    assert first.downloaded
    assert first.folder.is_relative_to(here / "cache" / "data")
    assert (first.folder / "model.py").read_bytes() == FILES["model.py"]
    service.seen.clear()
    assert find("digits", NO_CHECKOUT, None, time.clock) == first
    assert [seen.path for seen in service.seen] == ["/api/v1/competitions/digits/data"]


def test_without_a_name_the_only_data_here_are_meant(here, time):
    downloaded(here / "digits-data")
    assert find(None, NO_CHECKOUT, None, time.clock).folder == Path("digits-data")


@pytest.mark.parametrize("folders", [[], ["a-data", "b-data"]])
def test_without_a_name_none_or_several_is_a_usage_error_that_says_what_to_do(here, time, folders):
    for name in folders:
        downloaded(here / name)
    with pytest.raises(CliError) as raised:
        find(None, NO_CHECKOUT, None, time.clock)
    assert raised.value.exit_code == 2
    assert "--competition" in raised.value.advice
    assert all(name in raised.value.message for name in folders)


@pytest.mark.parametrize("given", ["empty", "no such/folder", "../up"])
def test_what_is_neither_is_a_usage_error(here, time, given, service):
    (here / "empty").mkdir()
    with pytest.raises(CliError) as raised:
        find(given, NO_CHECKOUT, None, time.clock)
    assert (raised.value.code, raised.value.exit_code) == ("no_public_data", 2)
    assert service.seen == []


def test_the_cache_is_where_the_environment_says():
    assert cache_dir({"LETHE_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert cache_dir({"XDG_CACHE_HOME": "/b"}) == Path("/b/lethe")
    assert cache_dir({}) == Path.home() / ".cache" / "lethe"
