"""The service's own processes, and the system's own browser."""

from collections.abc import Iterator

import pytest

from tests.browser.conftest import browser
from tests.e2e.service import Service
from tests.smoky import make_smoky

__all__ = ["browser", "service"]


@pytest.fixture(scope="session")
def service(tmp_path_factory) -> Iterator[Service]:
    """The service's own processes, with the tiny competition and its public data. It stays open."""
    competitions = make_smoky(tmp_path_factory.mktemp("smoky")).parent
    with Service.prepared(tmp_path_factory.mktemp("service"), competitions) as running:
        yield running
