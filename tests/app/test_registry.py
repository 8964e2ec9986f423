"""Competitions and references, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app import registry
from app.db import read_only, unit_of_work
from app.errors import BadRequest, Conflict, NotFound, NotPrepared
from app.models import Reference
from tests.app.conftest import NOW, make_config


def register(engine, config, pages=None, now=NOW):
    with unit_of_work(engine) as session:
        return registry.register(session, config, pages or {"overview": "# Hello"}, now)


def add(engine, competition, digest, split="public"):
    with unit_of_work(engine) as session:
        return registry.add_reference(session, competition, split, digest, 8, 9.5, {"auc": 0.8}, NOW)


def test_a_competition_comes_back_as_it_was_registered(engine):
    config = make_config(entry_function="forget_it")
    register(engine, config, {"overview": "# Hello", "data": "Digits."})
    with read_only(engine) as session:
        row = registry.get_competition(session, "digits")
        assert registry.config_of(row) == config
        assert (row.pages["data"], row.opens_at) == ("Digits.", config.opens_at)


def test_registering_again_updates_the_same_competition(engine):
    first = register(engine, make_config())
    second = register(engine, make_config(per_day=9), now=NOW + timedelta(days=1))
    assert first.id == second.id
    with read_only(engine) as session:
        assert registry.config_of(registry.get_competition(session, "digits")).bundle.per_day == 9


def test_an_unknown_competition_is_not_found(engine):
    with read_only(engine) as session, pytest.raises(NotFound):
        registry.get_competition(session, "nothing")


def test_references_are_versioned_by_split_and_the_newest_is_the_current_one(engine):
    competition = register(engine, make_config())
    first, second = add(engine, competition, "a" * 64), add(engine, competition, "b" * 64)
    private = add(engine, competition, "c" * 64, "private")
    assert (first.version, second.version, private.version) == (1, 2, 1)
    with read_only(engine) as session:
        latest = registry.current_reference(session, competition, "public")
        assert (latest.id, latest.facts, latest.retrain_seconds) == (second.id, {"auc": 0.8}, 9.5)


def test_a_reference_that_comes_back_is_the_same_row_and_the_current_one_again(engine):
    competition = register(engine, make_config())
    first, _, private = (
        add(engine, competition, "a" * 64),
        add(engine, competition, "b" * 64),
        add(engine, competition, "c" * 64, "private"),
    )
    assert add(engine, competition, "a" * 64).id == first.id
    with read_only(engine) as session:
        current = session.scalars(select(Reference).where(Reference.current)).all()
        assert {row.id for row in current} == {first.id, private.id}
        assert registry.current_reference(session, competition, "public").version == 1
        assert session.query(Reference).count() == 3


def test_a_digest_belongs_to_one_split(engine):
    competition = register(engine, make_config())
    add(engine, competition, "a" * 64)
    with pytest.raises(Conflict):
        add(engine, competition, "a" * 64, "private")
    with pytest.raises(BadRequest):
        add(engine, competition, "d" * 64, "secret")


def test_a_split_without_a_reference_is_not_prepared(engine):
    competition = register(engine, make_config())
    with read_only(engine) as session, pytest.raises(NotPrepared, match="public split of digits"):
        registry.current_reference(session, competition, "public")
