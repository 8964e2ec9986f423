import pytest


@pytest.fixture
def lethe(on_machine):
    return on_machine


@pytest.fixture
def migrated(lethe):
    assert lethe("migrate").exit_code == 0
    return lethe
