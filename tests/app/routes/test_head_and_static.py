"""What browsers and monitors ask for besides pages."""

import re

import pytest


@pytest.mark.parametrize(
    "path", ["/", "/competitions/digits", "/sign-in", "/healthz", "/nothing", "/static/lethe.css"]
)
def test_head_answers_as_get_does_without_a_body(client, path):
    as_it_is = {"Accept-Encoding": "identity"}  # compressed, the request's id changes how long a page is
    got, head = client.get(path, headers=as_it_is), client.head(path, headers=as_it_is)
    assert (head.status_code, head.content) == (got.status_code, b"")
    for name in ("Content-Type", "Content-Length", "Content-Security-Policy"):
        assert head.headers[name] == got.headers[name]


def test_a_static_file_that_is_asked_for_by_its_version_may_be_kept_for_ever(client):
    [path] = re.findall(r'href="(/static/lethe\.css\?v=[0-9a-f]+)"', client.get("/").text)
    answer = client.get(path)
    assert "immutable" in answer.headers["Cache-Control"]
    again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, answer.headers["Cache-Control"])
    assert "immutable" not in client.get("/static/lethe.css").headers.get("Cache-Control", "")
    assert "immutable" not in client.get("/static/none.css?v=1").headers.get("Cache-Control", "")
