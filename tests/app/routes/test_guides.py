"""The documentation's pages."""

import pytest


@pytest.mark.parametrize("path", ["/docs", "/docs/quickstart", "/docs/faq", "/docs/reference/api/teams"])
def test_anybody_may_read_the_guides(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.text.count("<h1") == 1
    assert 'aria-labelledby="guides"' in answer.text


def test_a_part_of_a_guide_leads_to_the_whole_which_alone_is_listed(client):
    page = client.get("/docs/reference/api/teams").text
    assert page.count('href="/docs/reference/api"') == 2, "in the crumbs, and in the list"
    assert "/docs/reference/api/admin" not in page


def test_a_guide_that_is_not_there_is_a_page_that_says_so(client):
    answer = client.get("/docs/nothing", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "/docs" in answer.text
    assert client.get("/docs/..%2f..%2fREADME").status_code == 404


def test_images_of_guides_are_shown(client):
    answer = client.get("/docs/images/epsilon.svg")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert client.get("/docs/images/other.svg").status_code == 404


def test_every_page_leads_to_the_documentation(client):
    home = client.get("/").text
    assert 'href="/docs"' in home
    assert 'href="/docs/faq"' in home
