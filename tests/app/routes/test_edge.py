import re

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.seeding import PASSWORD


def test_every_answer_carries_a_request_id_and_strict_headers(client):
    for path in ("/", "/nothing", "/api/v1/competitions", "/static/lethe.css", "/healthz"):
        headers = client.get(path).headers
        assert len(headers["X-Request-Id"]) == 32
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_sane_request_id_is_kept_and_an_odd_one_is_replaced(client):
    assert client.get("/", headers={"X-Request-Id": "trace-12345"}).headers["X-Request-Id"] == "trace-12345"
    assert client.get("/", headers={"X-Request-Id": "<script>"}).headers["X-Request-Id"] != "<script>"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_a_write_that_did_not_come_from_our_own_pages_is_refused(client, world, sign_in, headers):
    sign_in("ada")
    submission = world.submit("ada")
    del client.headers["Sec-Fetch-Site"]
    for url in (f"/submissions/{submission}/cancel", f"/api/v1/submissions/{submission}/cancel", "/sign-out"):
        answer = client.post(url, headers=headers)
        assert answer.status_code == 403
        assert "cross_site_request" in answer.text
    assert "queued" in client.get(f"/submissions/{submission}").text


def test_the_origin_of_our_own_host_passes_without_sec_fetch_site(client, world):
    del client.headers["Sec-Fetch-Site"]
    form = {"name": "ada", "password": PASSWORD}
    assert client.post("/sign-in", data=form, headers={"Origin": "http://testserver"}).status_code == 303


def test_unknown_paths_and_methods_are_problems_for_programs_and_pages_for_people(client):
    missing = client.get("/api/v1/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    wrong = client.delete("/api/v1/competitions")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    page = client.get("/nothing")
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["X-Request-Id"] in page.text


def test_a_body_that_is_larger_than_any_form_is_refused(client, sign_in):
    answer = client.post("/sign-in", data={"name": "a" * 1_200_000})
    assert answer.status_code == 413
    assert "body_too_large" in answer.text


def test_what_nobody_foresaw_answers_500_without_its_inside(client, monkeypatch):
    def explode(*_args):
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("app.views.competitions.listing", explode)
    for path, kind in (("/", "text/html"), ("/api/v1/competitions", "application/problem+json")):
        answer = client.get(path)
        assert answer.status_code == 500
        assert answer.headers["Content-Type"].startswith(kind)
        assert "hunter2" not in answer.text
        assert answer.headers["X-Request-Id"] in answer.text


def test_health_asks_the_database(client):
    assert client.get("/healthz").json() == {"status": "ok", "database": "ok"}


def test_in_production_the_cookie_travels_only_over_https(world):
    application = create_app(Settings(data_dir=world.data_dir, environment="production"), clock=world.clock)
    with TestClient(application, base_url="https://lethe.example", follow_redirects=False) as client:
        form = {"name": "ada", "password": PASSWORD}
        answer = client.post("/sign-in", data=form, headers={"Origin": "https://lethe.example"})
        cookie = answer.headers["Set-Cookie"].lower()
        assert cookie.startswith("__host-lethe_session=")
        assert "secure" in cookie
        assert "max-age" in answer.headers["Strict-Transport-Security"]
        assert "/account" in client.get("/").text


def test_openapi_describes_every_operation_with_examples(client):
    document = client.get("/api/v1/openapi.json").json()
    paths = document["paths"]
    schemes = document["components"]["securitySchemes"]
    assert {name: one["type"] for name, one in schemes.items()} == {
        "bearerToken": "http",
        "browserSession": "apiKey",
    }
    operations = [(path, method, one) for path, methods in paths.items() for method, one in methods.items()]
    assert len(operations) >= 11
    for path, method, one in operations:
        assert one["summary"], path
        assert one["description"], path
        problems = [r for status, r in one["responses"].items() if int(status) >= 400]
        assert problems, f"{method} {path} names no error"
        codes = {
            status: set(answer["content"]["application/problem+json"]["examples"])
            for status, answer in one["responses"].items()
            if int(status) >= 400 and status != "416"
        }
        assert codes["503"] == ({"not_ready"} if path == "/readyz" else {"busy"}), path
        assert ("cross_site_request" in codes.get("403", ())) == (method != "get"), path
        required = [each for each in one.get("security", []) if each]
        assert bool(required) == ("401" in codes), path


def test_a_body_that_hides_its_length_is_cut_off_too(client):
    def endless():
        for _ in range(40):
            yield b"a" * 50_000

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.post("/sign-in", content=endless(), headers=headers)
    assert answer.status_code == 413
    assert "body_too_large" in answer.text


def test_every_problem_leads_to_an_explanation_of_its_code(client, bearer):
    refused = client.post("/api/v1/competitions/digits/submissions", content=b"x", headers=bearer("ada"))
    for problem in (refused.json(), client.get("/api/v1/x").json(), client.get("/api/v1/submissions").json()):
        page, _, anchor = problem["type"].partition("#")
        text = client.get(page).text
        assert f'id="{anchor}"' in text
    assert len(re.findall(r'id="([a-z_]+)"', text)) == len(set(re.findall(r'id="([a-z_]+)"', text)))
