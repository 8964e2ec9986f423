"""A leaderboard that is filtered, sorted and narrowed: on the page, as JSON and as CSV."""

import csv
import io
import re

import pytest

from tests.seeding import DAY

PAGE = "/competitions/digits/leaderboard"
API = "/api/v1/competitions/digits/leaderboard"


@pytest.fixture
def board(world):
    """Grace leads with one entry, ada follows with two, linus is last."""
    world.person("linus")
    world.scored("grace", 0.09, 0.98, 0.97)
    world.scored("ada", 0.08, 0.99, 0.97)
    world.scored("ada", 0.05, 0.99, 0.97)
    world.clock.forward(seconds=DAY.total_seconds())
    world.scored("linus", 0.03, 0.99, 0.99)
    return world


def shown(text):
    """Return place and name of each row of the page's table, retraining left out."""
    rows = re.findall(r'(?s)<td class="num place">(\d+).*?<th scope="row">(?:<a [^>]*>)?(\w+)', text)
    return [(int(place), name) for place, name in rows]


def names(answer):
    return [row["entrant"] for row in answer.json()["rows"]]


def test_a_filter_finds_names_whatever_their_case_and_keeps_true_ranks(client, board):
    assert shown(client.get(f"{PAGE}?name=LIN").text) == [(3, "linus")]
    [row] = client.get(f"{API}?name=LIN").json()["rows"]
    assert (row["rank"], row["entrant"]) == (3, "linus")
    text = client.get(f"{PAGE}?name=LIN").text
    assert "1 of 3 rows match" in text
    assert "Retraining from scratch" in text


def test_a_filter_that_nobody_matches_says_so_and_leads_back(client, board):
    text = client.get(f"{PAGE}?name=nobody").text
    assert "0 of 3 rows match" in text
    assert "Show all as usual" in text
    assert "No submission has been scored" not in text


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("rank", ["grace", "ada", "linus"]),
        ("-rank", ["linus", "ada", "grace"]),
        ("entrant", ["ada", "grace", "linus"]),
        ("-entries", ["ada", "grace", "linus"]),
        ("score", ["linus", "ada", "grace"]),
        ("-test_ratio", ["linus", "grace", "ada"]),
        ("last_at", ["grace", "ada", "linus"]),
    ],
)
def test_rows_come_in_the_order_that_is_asked_for_with_their_true_ranks(client, board, sort, expected):
    ranks = {"grace": 1, "ada": 2, "linus": 3}
    assert shown(client.get(f"{PAGE}?sort={sort}").text) == [(ranks[name], name) for name in expected]
    assert names(client.get(f"{API}?sort={sort}")) == expected
    lines = list(csv.DictReader(io.StringIO(client.get(f"{API}.csv?sort={sort}").text)))
    assert [line["entrant"] for line in lines if line["rank"]] == expected


def test_headers_say_by_arrow_and_in_words_which_way_is_better(client, board):
    heads = re.findall(
        r'<th scope="col"[^>]*><a class="sort"[^>]*>([^<]+?)(?: <span .*?)?</a>(.*?)</th>',
        client.get(PAGE).text,
    )
    higher = ' <span aria-hidden="true">↑</span><span class="hidden">, higher is better</span>'
    lower = ' <span aria-hidden="true">↓</span><span class="hidden">, lower is better</span>'
    assert dict(heads) == {
        **dict.fromkeys(("Place", "Participant or team", "Entries", "Last, UTC"), ""),
        **dict.fromkeys(("Score", "Calibrated", "Forgetting", "Retain", "Test"), higher),
        "Median run": lower,
    }


def test_headers_are_links_that_say_the_order_and_turn_it(client, board):
    text = client.get(PAGE).text
    assert re.findall(r'aria-sort="(\w+)"[^>]*><a class="sort" href="([^"]+)"', text) == [
        ("ascending", f"{PAGE}?sort=-rank")
    ]
    assert f'href="{PAGE}?sort=-entries"' in text
    text = client.get(f"{PAGE}?sort=-entries&name=a").text
    assert re.findall(r'aria-sort="(\w+)"[^>]*><a class="sort" href="([^"]+)"', text) == [
        ("descending", f"{PAGE}?name=a&amp;sort=entries")
    ]


def test_chosen_columns_are_shown_beside_place_name_and_score_and_in_csv(client, board):
    text = client.get(f"{PAGE}?columns=none&columns=entries").text
    heads = re.findall(r'class="sort" href="[^"]*">([^<]+?)\s*<', text)
    assert heads == ["Place", "Participant or team", "Score", "Entries"]
    assert client.get(f"{PAGE}?columns=none").text.count('class="sort"') == 3
    assert client.get(PAGE).text.count('class="sort"') == 10
    head = client.get(f"{API}.csv?columns=entries").text.splitlines()[0].split(",")
    assert "entries" in head
    assert not {"retain_ratio", "official_score", "last_at"} & set(head)
    assert {"rank", "entrant", "score", "interval_low"} <= set(head)


def test_links_to_csv_and_json_carry_what_is_shown(client, board):
    text = client.get(f"{PAGE}?name=a&sort=-entries&columns=entries").text
    assert f'href="{API}.csv?name=a&amp;sort=-entries&amp;columns=entries"' in text
    assert f'href="{API}?name=a&amp;sort=-entries"' in text


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("sort=shoe_size", "median_seconds"),
        ("sort=--rank", "median_seconds"),
        ("name=" + 65 * "a", "64 characters"),
        ("columns=shoe_size", "forgetting_quality"),
        ("columns=entries" + 20 * ",entries", "parted by commas"),
    ],
)
def test_odd_parameters_are_refused_with_what_is_allowed(client, board, query, allowed):
    answer = client.get(f"{PAGE}?{query}")
    assert answer.status_code == 422
    assert allowed in answer.text
    told = client.get(f"{API}.csv?{query}")
    assert (told.status_code, told.json()["code"]) == (422, "invalid_arrangement")
    assert allowed in told.json()["detail"] + told.json()["advice"]


def test_the_usual_board_is_still_answered_from_memory_and_others_from_the_kept_one(
    client, board, statements
):
    first = client.get(API)
    for url in (API, f"{API}?name=ada", f"{API}?sort=-entries", f"{API}?x=1"):
        with statements() as seen:
            assert client.get(url).status_code == 200
        assert not any("FROM scores" in one or "JOIN scores" in one for one in seen)
    assert client.get(f"{API}?x=1").content == first.content


def test_each_arrangement_has_a_tag_of_its_own_that_answers_304(client, board):
    tags = {client.get(f"{API}{query}").headers["ETag"] for query in ("", "?name=ada", "?sort=-entries")}
    assert len(tags) == 3
    url = f"{API}?name=ada"
    tag = client.get(url).headers["ETag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert client.get(API, headers={"If-None-Match": tag}).status_code == 200


def test_ones_own_row_is_linked_where_it_is_shown_and_else_named_with_its_place(client, board, sign_in):
    sign_in("ada")
    assert '<a href="#own">You are on place 2</a>' in client.get(f"{PAGE}?sort=-entries").text
    assert "You are on place 2, not among these rows" in client.get(f"{PAGE}?name=linus").text


def test_a_new_score_is_on_the_page_at_once(client, board):
    client.get(PAGE)
    board.person("katherine")
    board.scored("katherine", 0.2, 0.99, 0.99)
    assert shown(client.get(PAGE).text)[0] == (1, "katherine")
