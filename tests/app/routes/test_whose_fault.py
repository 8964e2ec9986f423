"""Every error says whose fault it was, to programs and to people."""

import re

import pytest

from app.errors import Busy, NotPrepared
from tests.bundles import zipped


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (Busy("Too much at once.", retry_after=5), "lethe"),
        (RuntimeError("a bug"), "lethe"),
        (NotPrepared("It has no reference yet."), "nobody"),
    ],
)
def test_the_api_says_whose_fault_an_error_was(client, monkeypatch, error, fault):
    def broken(*_anything):
        raise error

    monkeypatch.setattr("app.routes.api_competitions.competitions.describe", broken)
    assert client.get("/api/v1/competitions/digits").json()["fault"] == fault


def test_a_bundle_that_is_refused_is_its_senders_fault_as_the_reasons_have_it(client, bearer, sign_in):
    path = "competitions/digits/submissions"
    refused = client.post(f"/api/v1/{path}", content=zipped("x = 1"), headers=bearer("ada")).json()
    assert (refused["code"], refused["fault"]) == ("missing_entry_function", "participant")
    sign_in("ada")
    form = client.post("/competitions/digits/submit", files={"bundle": ("b.zip", zipped("x = 1"))}).text
    assert "whose fault: yours" in form


def test_the_catalogue_says_it_of_every_code(client):
    page = client.get("/problems").text
    told = dict(re.findall(r'<tr id="(\w+)">.*?<td data-name="Whose fault">([^<]*)</td></tr>', page))
    assert set(told) == set(re.findall(r'<tr id="(\w+)">', page))
    some = ("forbidden", "busy", "not_found", "raised", "worker_lost")
    assert [told[one] for one in some] == ["yours", "ours", "nobody&#39;s", "yours", "ours"]
