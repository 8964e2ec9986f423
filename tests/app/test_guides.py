"""The documentation on the site: every link in it leads somewhere, and nothing else of the project is shown."""

import re

import pytest

from app.errors import NotFound
from app.guides import INDEX, ORDER, Guides, rendered
from app.rendering import GUIDES as FOLDER

GUIDES = Guides()
ALL = (INDEX, *GUIDES.slugs())


def test_the_guides_that_are_put_in_order_are_there():
    assert set(ORDER) <= set(GUIDES.slugs())
    assert GUIDES.slugs()[0] == "quickstart"


@pytest.mark.parametrize("slug", ALL)
def test_every_link_leads_to_a_page_and_a_heading_that_exist(slug):
    found = GUIDES.get(slug)
    for href in re.findall(r'href="([^"]+)"', found.html):
        if href.startswith(("http://", "https://")) or not href.startswith(("/docs", "#")):
            continue
        path, _, fragment = href.partition("#")
        there = GUIDES.get(path.removeprefix("/docs").strip("/") or INDEX) if path else found
        if fragment:
            assert f'id="{fragment}"' in there.html, href
    for source in re.findall(r'src="/docs/images/([^"]+)"', found.html):
        assert GUIDES.image(source).is_file()


@pytest.mark.parametrize("slug", ALL)
def test_a_page_has_one_first_heading_and_no_inline_style(slug):
    html = GUIDES.get(slug).html
    assert html.count("<h1") == 1
    assert "style=" not in html


def test_links_of_the_text_itself_lead_to_pages_that_exist_in_the_folder():
    for slug in ALL:
        path = FOLDER / f"{slug}.md"
        for href in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
            if not re.match(r"https?:|/", href):
                assert (path.parent / href).exists(), f"{slug}: {href}"


def test_files_of_the_project_are_words_and_pages_are_links():
    text = "# T\n\n[a](other.md#x) [b](../README.md) [c](../app/main.py) [d](https://example.org) [e](#t)\n"
    html = rendered("one", text, {"one", "other"}).html
    assert '<a href="/docs/other#x">a</a>' in html
    assert "<span>b</span> <span>c</span>" in html
    assert '<a href="https://example.org">d</a> <a href="#t">e</a>' in html


def test_headings_of_one_name_have_anchors_of_their_own_and_html_is_text():
    found = rendered("one", "# A\n\n## B c\n\n## B c\n\n<script>1</script>\n", {"one"})
    assert found.sections == (("b-c", "B c"), ("b-c-1", "B c"))
    assert "<script>" not in found.html


@pytest.mark.parametrize(
    "slug", ["../README", "nothing", "", "images/epsilon", "quickstart.md", "/etc/passwd"]
)
def test_what_is_no_guide_is_not_found(slug):
    with pytest.raises(NotFound):
        GUIDES.get(slug)
    with pytest.raises(NotFound):
        GUIDES.image(slug)
