"""What the API's description owes to whoever writes a program against it."""

import csv
import io
import re

import pytest
from fastapi.routing import iter_route_contexts

from app import problems
from app.dependencies import get_account_holder
from app.reasons import REASONS, Fault
from tests.bundles import zipped
from tests.seeding import GOOD

SHOWN_ONCE = {"invite_to_register", "make_reset_link"}
"""They answer a link for somebody else, which is nowhere to be read again."""
METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture
def document(client):
    return client.get("/api/v1/openapi.json").json()


@pytest.fixture
def operations(document):
    """Each operation, by method and path."""
    return {
        f"{method.upper()} {path}": one
        for path, item in document["paths"].items()
        for method, one in item.items()
        if method in METHODS
    }


def resolved(document, schema):
    reference = schema.get("$ref")
    return document["components"]["schemas"][reference.rsplit("/", 1)[1]] if reference else schema


def successes(operation):
    return {status: one for status, one in operation["responses"].items() if status < "300"}


def asks(dependant, call):
    """Whether an endpoint's dependencies have this one among them."""
    return any(one.call is call or asks(one, call) for one in dependant.dependencies)


def errors(operation):
    """Its errors but 416, whose answer is a header."""
    return {status: one for status, one in operation["responses"].items() if "400" <= status != "416"}


def test_every_operation_says_in_words_what_it_is_for(operations):
    for name, one in operations.items():
        assert 8 <= len(one["summary"]) <= 60, name
        assert one["summary"][-1] not in ".!", name
        assert one["description"], name
        assert one["tags"], name
        for parameter in one.get("parameters", []):
            assert parameter.get("description"), (
                f"{name}: the parameter {parameter['name']} needs a description"
            )


def test_operations_are_named_by_what_they_do_each_by_its_own_name(operations):
    named = {}
    for name, one in operations.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", one["operationId"]), (
            f"{name}: call its function by a verb and what it does it to, as in list_workers"
        )
        assert one["operationId"] not in named, (
            f"{name} and {named[one['operationId']]} need names of their own"
        )
        named[one["operationId"]] = name


def test_schemas_have_names_of_their_own_and_none_of_our_modules(document):
    assert [name for name in document["components"]["schemas"] if "__" in name] == []


def test_every_answer_has_an_example_and_a_schema_or_a_type_that_is_no_json(operations):
    for name, one in operations.items():
        assert len(set(successes(one)) - {"206"}) == 1, name
        for status, answer in successes(one).items():
            for media, content in answer.get("content", {}).items():
                if media not in {"application/octet-stream", "application/zip"}:
                    assert {"example", "examples"} & set(content), f"{name}: {status} needs an example"
                assert media != "application/json" or content["schema"], name


def test_every_json_body_has_an_example(document, operations):
    for name, one in operations.items():
        content = one.get("requestBody", {}).get("content", {})
        for media, body in content.items():
            if media != "application/zip":
                schema = resolved(document, body["schema"])
                needed = [schema["properties"][field] for field in schema.get("required", [])]
                by_field = needed and all("examples" in field for field in needed)
                assert by_field or {"example", "examples"} & {*schema, *body}, (
                    f"{name}: its body needs an example"
                )


def test_every_error_is_a_problem_with_a_code_that_the_catalogue_explains(operations):
    known = {one.code for one in problems.catalogue()} | set(REASONS)
    for name, one in operations.items():
        assert {"400", "422", "500", "503"} <= set(errors(one)), name
        for status, answer in errors(one).items():
            assert list(answer["content"]) == ["application/problem+json"], name
            described = answer["content"]["application/problem+json"]
            assert described["schema"]["properties"]["fault"]["enum"] == list(Fault), name
            examples = described["examples"]
            for code, example in examples.items():
                assert code in known, f"{name}: {code} is in no catalogue"
                assert example["value"]["code"] == code, name
                assert example["value"]["status"] == int(status), name
                assert (example["value"]["fault"] == "lethe") == (status >= "500"), name


def test_what_refuses_tokens_says_that_it_needs_a_browsers_session(client, operations):
    refusing = {
        f"{method} {route.path}"
        for route in iter_route_contexts(client.app.routes)
        if route.methods and route.include_in_schema and asks(route.dependant, get_account_holder)
        for method in route.methods
    }
    assert refusing == {
        name for name, one in operations.items() if one.get("security") == [{"browserSession": []}]
    }
    assert "PUT /api/v1/webhook" in refusing


def test_whoever_must_wait_is_told_how_long(operations):
    for name, one in operations.items():
        for status in set(errors(one)) & {"429", "503"}:
            assert one["responses"][status]["headers"]["Retry-After"]["required"], f"{name}: {status}"


def test_what_was_made_says_where_it_is(operations):
    for name, one in operations.items():
        if "201" in one["responses"] and one["operationId"] not in SHOWN_ONCE:
            assert one["responses"]["201"]["headers"]["Location"]["required"], f"{name}: use examples.created"


def test_every_list_comes_in_pages_and_names_the_next(document, operations):
    lists = []
    for name, one in operations.items():
        for answer in successes(one).values():
            schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
            fields = resolved(document, schema).get("properties", {})
            is_list = one["summary"].startswith("List") and "$ref" in fields.get("items", {}).get("items", {})
            if is_list:  # names alone are few
                lists.append(name)
                assert "next" in fields, f"{name}: a list needs pages (app.cursors) and the path of the next"
                asked = {parameter["name"] for parameter in one.get("parameters", [])}
                assert asked & {"cursor", "after"}, f"{name}: its next page cannot be asked for"
    assert len(lists) >= 5


def test_the_example_of_a_board_as_csv_is_what_the_server_answers(client, world, operations):
    world.scored("ada", 0.08, 0.99, 0.98)
    answered = client.get("/api/v1/competitions/digits/leaderboard.csv").text
    [answer] = successes(operations["GET /api/v1/competitions/{slug}/leaderboard.csv"]).values()
    shown = answer["content"]["text/csv"]["example"]
    assert shown.splitlines()[0] == answered.splitlines()[0]
    assert [row["entrant"] for row in csv.DictReader(io.StringIO(shown))] == [
        "(retraining from scratch)",
        "the sieve",
    ]


def test_what_is_polled_has_an_etag_and_says_how_often_to_look(operations):
    for name, one in operations.items():
        if "304" in one["responses"]:
            assert "if-none-match" in {each["name"].lower() for each in one["parameters"]}, name
    for name in (
        "GET /api/v1/submissions/{submission_id}",
        "GET /api/v1/evaluations/{evaluation_id}",
        "GET /api/v1/competitions/{slug}/leaderboard",
    ):
        for status in ("200", "304"):
            headers = operations[name]["responses"][status]["headers"]
            assert {"ETag", "Lethe-Poll-Interval"} <= set(headers), f"{name}: use examples.polled"


def test_each_list_is_read_to_its_end_by_following_next(client, world, bearer, monkeypatch):
    monkeypatch.setattr("app.cursors.PART_SIZE", 2)
    for index in range(4):
        world.competition(f"more-{index}")
    found, path = [], "/api/v1/competitions"
    while path is not None:
        page = client.get(path, headers=bearer("root")).json()
        assert len(page["items"]) <= 2
        found += [one["slug"] for one in page["items"]]
        path = page["next"]
    assert sorted(found) == ["digits", *(f"more-{index}" for index in range(4))]
    assert len(found) == 5


@pytest.mark.parametrize("path", ["competitions", "admin/workers", "admin/calibrations", "submissions"])
def test_a_cursor_that_is_not_ours_is_refused(client, bearer, path):
    answer = client.get(f"/api/v1/{path}?cursor=bm9wZQ", headers=bearer("root"))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_poll_of_an_evaluation_answers_304_until_something_changes(client, world, bearer):
    world.submit("ada")
    [shown] = client.get("/api/v1/submissions", headers=bearer("ada")).json()["items"]
    cancelled = client.post(f"/api/v1/submissions/{shown['id']}/cancel", headers=bearer("ada")).json()
    path = cancelled["evaluations"][0]["links"]["self"]
    first = client.get(path, headers=bearer("ada"))
    again = client.get(path, headers=bearer("ada", **{"If-None-Match": first.headers["ETag"]}))
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again.headers["Lethe-Poll-Interval"] == first.headers["Lethe-Poll-Interval"] == "2"


def test_a_key_answers_the_same_upload_again_and_refuses_another(client, bearer):
    path, headers = "/api/v1/competitions/digits/submissions", bearer("ada", **{"Idempotency-Key": "one"})
    data = zipped(GOOD)
    first, again = (client.post(path, content=data, headers=headers) for _ in range(2))
    other = client.post(path, content=zipped(GOOD + "\n# more"), headers=headers)
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json()["id"] == again.json()["id"]
    assert first.headers["Location"] == again.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert other.json()["code"] == "idempotency_mismatch"
