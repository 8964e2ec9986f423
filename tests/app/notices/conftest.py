"""A receiver of webhooks and a mail server, for each test its own."""

import pytest

from tests.receiver import mail_server, receiving


@pytest.fixture
def receiver():
    with receiving() as server:
        yield server


@pytest.fixture
def post():
    with mail_server() as server:
        yield server
