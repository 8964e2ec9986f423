"""Asks the API what its description allows and what it does not, and holds the answers against the description.

LETHE_CONTRACT_EXAMPLES says how many requests of each kind an operation gets (`make contract` sends many).
"""

import os
import tempfile
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import select
from starlette.testclient import TestClient

from app.db import read_only
from app.main import create_app
from app.models import Calibration, Evaluation
from app.settings import Settings
from tests.bundles import zipped
from tests.seeding import GOOD, World, populate, submissions_of

EXAMPLES = int(os.environ.get("LETHE_CONTRACT_EXAMPLES", "12"))
PEOPLE = (None, "ada", "grace", "root")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS = {("GET", "/api/v1/submissions/{submission_id}/events")}
"""Streams, which end when the work does: asked only for what is not there."""

schemathesis.openapi.media_type(
    "application/zip", st.one_of(st.binary(max_size=200), st.just(zipped(GOOD)), st.just(zipped("x = 1")))
)


@schemathesis.serializer("application/zip")
def as_it_is(_context, value):
    return {"data": value if isinstance(value, bytes) else str(value).encode(errors="replace")}


def described():
    """Return the operations of the API's description."""
    with tempfile.TemporaryDirectory() as folder:
        document = create_app(Settings(data_dir=Path(folder))).openapi()
    generation = GenerationConfig(with_security_parameters=False, allow_extra_parameters=False)
    config = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(generation=generation)))
    schema = schemathesis.openapi.from_dict(document, config=config)
    return [one.ok() for one in schema.get_all_operations()]


@pytest.fixture(scope="module")
def week(tmp_path_factory):
    """A world with something in every state, and its submissions' ids."""
    world = World(tmp_path_factory.mktemp("week"))
    return world, populate(world)


@pytest.fixture
def asked(week, tmp_path):
    """Send a case to a service of its own, as somebody; return the answer."""
    world = week[0].copy(tmp_path / "data")
    application = create_app(Settings(data_dir=world.data_dir), clock=world.clock)
    with TestClient(application, raise_server_exceptions=False, follow_redirects=False) as client:

        def ask(case, name):
            headers = {} if name is None else {"Authorization": f"Bearer {world.tokens[name]}"}
            return client.request(**case.as_transport_kwargs(headers=headers) | {"cookies": None})

        yield ask


def known_of(world, ids):
    """Return values of path parameters that lead to something in the week's world."""
    with read_only(world.engine) as session:
        calibrations, evaluations = (
            list(session.scalars(select(one.id))) for one in (Calibration, Evaluation)
        )
    return {
        "slug": ["digits", "faces"],
        "submission_id": submissions_of(ids),
        "evaluation_id": evaluations,
        "calibration_id": calibrations,
    }


def cases(operation, mode, known):
    """Generate requests; most have path parameters that lead somewhere."""
    endless = (operation.method.upper(), operation.path) in ENDLESS
    names = [] if endless else [one for one in known if f"{{{one}}}" in operation.path]
    real = st.fixed_dictionaries({name: st.sampled_from(known[name]) for name in names})
    generated = operation.as_strategy(generation_mode=mode)
    return st.tuples(generated, real, st.sampled_from((True, True, False))).map(_mixed)


def _mixed(drawn):
    case, real, wanted = drawn
    if wanted and real:
        case.path_parameters = {**(case.path_parameters or {}), **real}
    return case


def label(operation):
    return operation.label.replace(" ", "-")


def takes_values(operation):
    """Whether there is something that it could be asked wrongly: paths are text, and all text is allowed there."""
    return bool(operation.body or operation.query)


OPERATIONS = described()


@pytest.mark.parametrize("operation", OPERATIONS, ids=label)
def test_what_the_description_allows_is_answered_as_it_says(operation, asked, week):
    _ask(operation, asked, week, GenerationMode.POSITIVE, CHECKS)


@pytest.mark.parametrize("operation", filter(takes_values, OPERATIONS), ids=label)
def test_what_the_description_forbids_is_refused_as_it_says(operation, asked, week):
    _ask(operation, asked, week, GenerationMode.NEGATIVE, [*CHECKS, negative_data_rejection])


def _ask(operation, asked, week, mode, checks):
    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation, mode, known_of(*week)), name=st.sampled_from(PEOPLE))
    def one(case, name):
        case.validate_response(asked(case, name), checks=checks)

    one()
