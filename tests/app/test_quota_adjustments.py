"""Submissions that an admin gives or takes, for a day or for every day; on both databases."""

from datetime import timedelta

import pytest

from app import quota, registry
from app.db import read_only, unit_of_work
from app.errors import BadRequest, QuotaExhausted
from tests.app.conftest import NOW

TOMORROW = NOW + timedelta(days=1)


def adjust(world, user, admin, amount, day=None):
    with unit_of_work(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        quota.adjust(session, user, competition, amount, day, "the queue stood still", actor=admin, now=NOW)


def left(world, user, at=NOW):
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        found = quota.remaining(session, user.id, competition, registry.config_of(competition), at)
        return found.limit, found.used


def test_what_is_given_for_a_day_counts_on_that_day_alone(world, ada, admin):
    world.submission(ada)
    adjust(world, ada, admin, 2, NOW.date())
    assert left(world, ada) == (7, 1)
    assert left(world, ada, TOMORROW) == (5, 0)
    assert world.events("quota.adjusted") == 1


def test_what_is_given_or_taken_for_good_counts_every_day(world, ada, admin):
    adjust(world, ada, admin, -2)
    assert left(world, ada) == left(world, ada, TOMORROW) == (3, 0)
    adjust(world, ada, admin, 1)
    assert left(world, ada, TOMORROW) == (4, 0)
    assert left(world, world.user("eve")) == (5, 0)


def test_no_more_can_be_taken_than_there_is_and_then_nothing_is_accepted(world, ada, admin):
    world.submission(ada)
    adjust(world, ada, admin, -100, NOW.date())
    assert left(world, ada) == (0, 1)
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        found = quota.remaining(session, ada.id, competition, registry.config_of(competition), NOW)
        with pytest.raises(QuotaExhausted, match="no submissions today"):
            quota.check(found, NOW)


def test_an_adjustment_by_nothing_or_for_a_day_that_is_over_is_refused(world, ada, admin):
    with pytest.raises(BadRequest, match="changes nothing"):
        adjust(world, ada, admin, 0)
    with pytest.raises(BadRequest, match="is over"):
        adjust(world, ada, admin, 1, NOW.date() - timedelta(days=1))
    assert left(world, ada) == (5, 0)


def test_the_person_and_the_admin_see_what_holds_today_the_admin_what_comes_too(world, ada, admin):
    adjust(world, ada, admin, 1)
    adjust(world, ada, admin, 2, TOMORROW.date())
    with read_only(world.engine) as session:
        competition = registry.get_competition(session, "digits")
        today = quota.adjustments(session, ada.id, competition, NOW)
        assert [(one.amount, one.day, one.reason) for one in today] == [(1, None, "the queue stood still")]
        ahead = quota.adjustments(session, ada.id, competition, NOW, ahead=True)
        assert sorted(one.amount for one in ahead) == [1, 2]  # given at one moment
