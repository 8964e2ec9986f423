import json
import re
import ssl
import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest

from app.views.arranged import SORTS
from tests.cli.service import Answer, problem

BOARD = "GET /competitions/digits/leaderboard"


def board(*scores, **more):
    utility = {"forgetting_quality": 0.1, "retain_ratio": 1.0, "test_ratio": 1.0}
    rows = [
        {
            "rank": rank,
            "entrant": f"person{rank}",
            "kind": "person",
            "members": [f"person{rank}"],
            "user": f"person{rank}",
            "submission_id": "s",
            "band": rank,
            "band_first": rank,
            "band_last": rank,
            "score": score,
            "interval_low": score - 0.01,
            "interval_high": score + 0.01,
            "official_score": score,
            "calibrated_score": score * 10,
            "flags": [],
            "entries": 2,
            "last_at": "2026-03-01T12:34:56Z",
            "median_seconds": 1.25,
            **utility,
        }
        for rank, score in enumerate(scores, 1)
    ]
    retraining = {
        "score": 0.09,
        "interval_low": 0.08,
        "interval_high": 0.1,
        "calibrated_score": 1.0,
        "median_seconds": 13.72,
        **utility,
    }
    head = {
        "competition": "digits",
        "split": "public",
        "as_of": "2026-03-01T13:00:00Z",
        "ranked_by": "official",
        "ranking": "official score",
    }
    return head | {"tie_rule": "earlier first", "flags": [], "retraining": retraining, "rows": rows} | more


def test_the_row_of_retraining_stands_where_its_score_puts_it_without_a_rank(service, lethe):
    service.on(BOARD, Answer(200, board(0.12, 0.05)))
    lines = lethe("leaderboard", "digits").stdout.splitlines()
    assert lines[0] == "digits, public split, as of 2026-03-01 13:00 UTC, ranked by the official score"
    assert [line.split()[:2] for line in lines[3:]] == [
        ["1", "person1"],
        ["-", "(retraining"],
        ["2", "person2"],
    ]
    assert lines[3].split()[2:5] == ["0.1200", "0.0100", "1.2000"]


def test_a_board_has_the_decimals_that_its_competition_publishes(service, lethe):
    service.on(BOARD, Answer(200, board(0.12, decimals={"score": 2, "seconds": 0})))
    best = lethe("leaderboard", "digits").stdout.splitlines()[3].split()
    assert best[2:9] == ["0.12", "0.01", "1.20", "0.10", "1.00", "1.00", "1"]


def test_a_private_board_shows_the_places_gained_and_lost(service, lethe):
    found = board(0.2, 0.1, 0.05, 0.04, split="private")
    for row, change in zip(found["rows"], (2, -1, 0, None), strict=True):
        row["rank_change"] = change
    service.on(f"{BOARD}?split=private", Answer(200, found))
    _, _, header, *lines = lethe("leaderboard", "digits", "--private").stdout.splitlines()
    assert header.split()[:3] == ["place", "change", "entrant"]
    assert [line.split()[:3] for line in lines] == [
        ["1", "+2", "person1"],
        ["2", "-1", "person2"],
        ["-", "-", "(retraining"],
        ["3", "=", "person3"],
        ["4", "new", "person4"],
    ]


def test_a_board_by_calibrated_score_shows_the_official_one_beside_it(service, lethe):
    service.on(BOARD, Answer(200, board(1.2, 0.5, ranked_by="calibrated")))
    lines = lethe("leaderboard", "digits").stdout.splitlines()
    assert lines[2].split()[:5] == ["place", "entrant", "score", "+-", "official"]
    assert lines[4].split() == [
        "-",
        "(retraining",
        "itself)",
        "1.0000",
        "-",
        "0.0900",
        "0.1000",
        *["1.0000"] * 2,
        "13.7",
        *"--",
    ]


def test_ties_and_flags_are_shown_and_said(service, lethe):
    found = board(0.2, 0.1, 0.05)
    for row in found["rows"][1:]:
        row |= {"band": 2, "band_first": 2, "band_last": 3, "flags": ["clipped"]}
    found["flags"] = [{"code": "clipped", "name": "clipped", "meaning": "Cut off."}]
    service.on(BOARD, Answer(200, found | {"unranked": 2, "without_score": 1}))
    result = lethe("leaderboard", "digits")
    places = [line.split()[0] for line in result.stdout.splitlines()[3:]]
    assert places == ["1", "2-3", "-", "2-3"]
    assert result.stdout.splitlines()[4].endswith("  clipped")
    assert result.stderr.splitlines() == [
        "earlier first",
        "clipped: Cut off.",
        "3 scored submissions not ranked: made under an older reference, or without the score that ranks.",
    ]


def test_a_service_that_knows_no_bands_yet_is_shown_all_the_same(service, lethe):
    found = board(0.2)
    for name in (
        "band",
        "band_first",
        "band_last",
        "interval_low",
        "official_score",
        "calibrated_score",
        "flags",
    ):
        del found["rows"][0][name]
    del found["ranked_by"], found["flags"]
    service.on(BOARD, Answer(200, found))
    assert lethe("leaderboard", "digits").stdout.splitlines()[3].split()[:5] == [
        "1",
        "person1",
        "0.2000",
        "-",
        "-",
    ]


def test_scores_without_the_one_that_ranks_are_told_of_on_an_empty_board_too(service, lethe):
    service.on(BOARD, Answer(200, board(ranked_by="calibrated", unranked=0, without_score=2)))
    assert lethe("leaderboard", "digits").stderr.splitlines() == [
        "Nobody has a place yet.",
        "2 scored submissions not ranked: made under an older reference, or without the score that ranks.",
    ]


def test_an_empty_board_says_so_on_stderr(service, lethe):
    service.on(BOARD, Answer(200, board()))
    result = lethe("leaderboard", "digits")
    assert "retraining itself" in result.stdout
    assert "Nobody" in result.stderr


def test_json_and_csv_are_the_services_own(service, lethe):
    service.on(BOARD, Answer(200, board(0.1)))
    service.on(f"{BOARD}.csv", Answer(200, b"rank,user\r\n1,ada\r\n"))
    assert json.loads(lethe("leaderboard", "digits", "--json").stdout) == board(0.1)
    assert lethe("leaderboard", "digits", "--csv").stdout_bytes == b"rank,user\r\n1,ada\r\n"


def test_json_and_csv_together_are_a_usage_error(lethe):
    assert lethe("leaderboard", "digits", "--json", "--csv").exit_code == 2


def test_no_token_is_needed(service, lethe, env):
    env.delenv("LETHE_TOKEN")
    service.on(BOARD, Answer(200, board(0.1)))
    assert lethe("leaderboard", "digits").exit_code == 0
    assert "Authorization" not in service.seen[0].headers
    assert len(service.seen) == 1


def test_with_a_token_my_own_row_is_marked_in_words(service, lethe):
    service.on(BOARD, Answer(200, board(0.2, 0.1)))
    service.on("GET /account", Answer(200, {"name": "person2"}))
    lines = lethe("leaderboard", "digits").stdout.splitlines()
    assert [line.split()[1:3] for line in lines[3:5]] == [["person1", "0.2000"], ["person2", "(you)"]]


def test_with_a_token_my_teams_row_is_marked_and_others_are_not(service, lethe):
    found = board(0.2, 0.1)
    for row, members in zip(found["rows"], (["ada", "grace"], ["olive"]), strict=True):
        row |= {"kind": "team", "entrant": "The sieve", "members": members}
    service.on(BOARD, Answer(200, found))
    service.on("GET /account", Answer(200, {"name": "grace"}))
    text = lethe("leaderboard", "digits").stdout
    assert "The sieve (your team: ada, grace)  " in text
    assert "The sieve (olive)  " in text


@pytest.mark.parametrize("answer", [problem(401, "not_authenticated", "No."), Answer(hang_up=True)])
def test_who_cannot_be_told_by_their_token_sees_the_board_all_the_same(service, lethe, answer):
    service.on(BOARD, Answer(200, board(0.2)))
    service.on("GET /account", answer)
    result = lethe("leaderboard", "digits")
    assert (result.exit_code, result.stderr) == (0, "earlier first\n")
    assert result.stdout.splitlines()[3].split()[:3] == ["1", "person1", "0.2000"]


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_what_is_not_a_table_is_not_asked_for_twice(service, lethe, form):
    service.on(BOARD, Answer(200, board(0.2)))
    service.on(f"{BOARD}.csv", Answer(200, b"rank\r\n"))
    assert lethe("leaderboard", "digits", form).exit_code == 0
    assert len(service.seen) == 1


def test_a_slug_cannot_leave_its_place_in_the_address(service, lethe):
    lethe("leaderboard", "a/b?c")
    assert service.seen[0].path == "/api/v1/competitions/a%2Fb%3Fc/leaderboard"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"<html>hello</html>"),
        Answer(200, [1, 2]),
        Answer(200, {"other": "api"}),
        Answer(404, b"<html>nginx</html>"),
        Answer(500, b"oops"),
        Answer(302, b"", {"Location": "https://elsewhere.example/"}),
    ],
)
def test_what_does_not_answer_like_lethe_is_exit_code_5_in_one_line(service, lethe, answer):
    service.on(BOARD, answer)
    result = lethe("leaderboard", "digits")
    assert result.exit_code == 5
    assert len(result.stderr.splitlines()) == 1
    assert "does not look like Lethe" in result.stderr


def test_a_bare_502_of_a_proxy_is_exit_code_5(service, lethe):
    service.on(BOARD, Answer(502, b"Bad gateway"))
    result = lethe("leaderboard", "digits")
    assert result.exit_code == 5
    assert "answers 502" in result.stderr


def test_a_fault_of_the_service_names_its_request(service, lethe):
    service.on(BOARD, problem(500, "internal_error", "Something broke."))
    told = lethe("leaderboard", "digits").stderr
    assert told.endswith("[internal_error] (our fault, not yours) (request req-1)\n")


def test_a_refused_connection_names_the_address(lethe):
    result = lethe("leaderboard", "digits", "--url", "http://127.0.0.1:9")
    assert result.exit_code == 5
    assert "Cannot reach http://127.0.0.1:9: Connection refused." in result.stderr


def test_what_is_no_address_is_exit_code_2(lethe):
    assert lethe("leaderboard", "digits", "--url", "digits.example").exit_code == 2


def test_a_certificate_that_cannot_be_checked_is_exit_code_5(service, lethe, tmp_path):
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-days",
        "1",
    ]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    service.server.socket = context.wrap_socket(service.server.socket, server_side=True)
    result = lethe("leaderboard", "digits", "--url", service.url.replace("http:", "https:"))
    assert result.exit_code == 5
    assert "No safe connection" in result.stderr


def test_a_filter_and_an_order_are_the_services_and_retraining_comes_first(service, lethe):
    service.on(f"{BOARD}?name=a&sort=-entries", Answer(200, board(0.12, 0.05)))
    result = lethe("leaderboard", "digits", "--name", "a", "--sort", "-entries")
    assert result.exit_code == 0
    [_, _, _, first, *_] = result.stdout.splitlines()
    assert "(retraining itself)" in first


def test_a_filter_that_nobody_matches_says_so(service, lethe):
    service.on(f"{BOARD}?name=zz", Answer(200, board()))
    assert "No row has 'zz' in a name." in lethe("leaderboard", "digits", "--name", "zz").stderr


@pytest.mark.parametrize(("ranked_by", "split"), [("official", "public"), ("calibrated", "private")])
def test_each_heading_is_an_order_that_the_service_knows(service, lethe, ranked_by, split):
    service.on(BOARD, Answer(200, board(0.12, ranked_by=ranked_by, split=split)))
    headings = re.split("  +", lethe("leaderboard", "digits").stdout.splitlines()[2].strip())
    asked = []
    for heading in set(headings) - {"+-", "flags"}:
        for sort in (heading, f"-{heading}"):
            lethe("leaderboard", "digits", "--sort", sort)
            [found] = parse_qs(urlsplit(service.seen[-1].path).query)["sort"]
            assert found.startswith("-") == sort.startswith("-")
            asked.append(found.removeprefix("-"))
    assert len(set(asked)) == len(headings) - 2
    assert set(asked) <= set(SORTS)


def test_a_column_may_be_named_as_in_the_api_too(service, lethe):
    service.on(f"{BOARD}?sort=-median_seconds", Answer(200, board(0.12)))
    for sort in ("-seconds", "-median_seconds"):
        assert lethe("leaderboard", "digits", "--sort", sort).exit_code == 0


def test_by_its_heading_the_place_is_the_usual_order_too(service, lethe):
    service.on(f"{BOARD}?sort=rank", Answer(200, board(0.12, 0.05)))
    assert "(retraining" not in lethe("leaderboard", "digits", "--sort", "place").stdout.splitlines()[3]
