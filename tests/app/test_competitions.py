from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.competitions import InvalidCompetition, load_config, load_pages

ROOT = Path(__file__).parents[2]
LEAST = """
slug = "least"
title = "The least"
opens_at = 2026-01-01T00:00:00+02:00
closes_at = 2027-01-01T00:00:00Z
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "competition.toml").write_text(LEAST)
    return tmp_path


def write(folder, text):
    (folder / "competition.toml").write_text(LEAST + text)
    return folder


def test_four_keys_are_enough_and_times_come_out_as_utc(folder):
    config = load_config(folder)
    assert config.opens_at == datetime(2025, 12, 31, 22, tzinfo=UTC)
    assert config.opens_at.tzinfo is UTC
    assert (config.entry_function, config.evaluation.models, config.batches.kind) == (
        "unlearning",
        32,
        "tuple",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("summery = 'x'", "summery: there is no such key"),
        ("[evaluation]\nmodels = 2", "evaluation.models"),
        ("[evaluation]\ncutoff_fraction = 0", "evaluation.cutoff_fraction"),
        ("[evaluation]\nranking = 'mine'", "evaluation.ranking"),
        ("[evaluation]\nranking = 'calibrated'\nmodels = 5", "models = 6 or more"),
        ("[sandbox]\nmemory_mb = 10", "sandbox.memory_mb"),
        ("[batches]\nkind = 'dict'", "[batches.fields]"),
        ("[batches]\nkind = 'dict'\nfields = {image = 'images'}", "[batches.fields]"),
        ("entry_function = 'not a name'", "entry_function"),
        ("slug = 'twice'", "competition.toml"),
    ],
)
def test_a_bad_configuration_names_the_file_and_the_key(folder, text, words):
    with pytest.raises(InvalidCompetition) as raised:
        load_config(write(folder, text))
    assert words in raised.value.detail
    assert "competition.toml" in raised.value.detail


def test_a_time_without_a_zone_is_refused_with_an_example(folder):
    (folder / "competition.toml").write_text(LEAST.replace("+02:00", ""))
    with pytest.raises(
        InvalidCompetition, match=r"opens_at: give a time zone, for example 2026-01-01T00:00:00Z"
    ):
        load_config(folder)


def test_a_key_that_is_missing_is_named(folder):
    (folder / "competition.toml").write_text(LEAST.replace("title", "titel"))
    with pytest.raises(InvalidCompetition, match="title: this key is required; titel: there is no such key"):
        load_config(folder)


def test_a_competition_cannot_close_before_it_opens(folder):
    (folder / "competition.toml").write_text(LEAST.replace("2027", "2020"))
    with pytest.raises(InvalidCompetition, match="opens_at must be before closes_at"):
        load_config(folder)


def test_a_missing_configuration_is_named(tmp_path):
    with pytest.raises(InvalidCompetition, match=r"competition\.toml is missing"):
        load_config(tmp_path)


def test_bytes_that_are_no_text_are_refused(folder):
    (folder / "competition.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidCompetition, match="utf-8"):
        load_config(folder)


def test_pages_are_read_by_name_and_an_overview_is_needed(folder):
    (folder / "pages").mkdir()
    (folder / "pages" / "rules.md").write_text("# Rules")
    with pytest.raises(InvalidCompetition, match=r"overview\.md is missing"):
        load_pages(folder)
    (folder / "pages" / "overview.md").write_text("# Hello")
    assert load_pages(folder) == {"overview": "# Hello", "rules": "# Rules"}


@pytest.mark.parametrize("path", ["competitions/digits", "tests/fixtures/tiny"])
def test_the_competitions_that_ship_are_valid(path):
    config = load_config(ROOT / path)
    assert config.slug == Path(path).name
    assert "overview" in load_pages(ROOT / path)
