"""`lethe competitions`."""

import json

import pytest

from app.routes.examples.common import COMPETITION
from tests.cli.service import Answer

ITEMS = [
    {
        "slug": "digits",
        "title": "Forget some digits",
        "phase": "open",
        "opens_at": "2026-01-01T00:00:00Z",
        "closes_at": "2026-06-01T00:00:00Z",
        "submissions": 41,
    },
    {
        "slug": "faces",
        "title": "Forget a face\x1b[2J",
        "phase": "upcoming",
        "opens_at": "2026-04-01T00:00:00Z",
        "closes_at": "2026-06-01T00:00:00Z",
        "submissions": 0,
    },
]


def test_each_has_a_row_with_its_next_date(service, lethe, env):
    env.delenv("LETHE_TOKEN")
    service.on("GET /competitions", Answer(200, {"items": ITEMS}))
    header, digits, faces = lethe("competitions").stdout.splitlines()
    assert header.split() == ["slug", "phase", "when", "submissions", "title"]
    assert "digits  open      closes 2026-06-01 00:00 UTC" in digits
    assert "faces   upcoming  opens 2026-04-01 00:00 UTC" in faces
    assert "\x1b" not in faces
    assert json.loads(lethe("competitions", "--json").stdout) == {"items": ITEMS}


def test_where_there_is_none_that_is_said(service, lethe):
    service.on("GET /competitions", Answer(200, {"items": []}))
    result = lethe("competitions")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no competitions here yet" in result.stderr


ONE = "GET /competitions/digits"


def test_one_is_shown_with_its_dates_limits_and_my_quota(service, lethe):
    service.on(ONE, Answer(200, COMPETITION))
    result = lethe("competitions", "digits")
    shown = dict(line.split("  ", 1) for line in result.stdout.splitlines())
    assert {name: words.strip() for name, words in shown.items()} == {
        "competition": "digits",
        "title": "Forget the digits",
        "phase": "open",
        "opened": "2026-01-01 00:00 UTC (59 days ago)",
        "closes": "2026-06-01 00:00 UTC (in 91 days)",
        "next": COMPETITION["what_next"],
        "bundle": "at most 10.0 MB, 200 files, 50.0 MB unpacked",
        "entry function": "unlearning(net, retain_loader, forget_loader, val_loader)",
        "runs": "32, each with a seed of its own",
        "cutoff": "about 1.48 s a run, 20 % of what retraining takes on its device",
        "quota": "1 of 7 submissions used today; the count starts again at 2026-03-02 00:00 UTC (in 12 hours)",
        "page": f"{service.url}/competitions/digits",
    }
    assert json.loads(lethe("competitions", "digits", "--json").stdout) == COMPETITION


@pytest.mark.parametrize(
    ("phase", "revealed_at", "words"),
    [
        ("upcoming", None, {"opens", "closes"}),
        ("finals", None, {"opened", "closed"}),
        ("revealed", "2026-02-20T00:00:00Z", {"opened", "closed", "revealed"}),
    ],
)
def test_its_dates_are_said_as_its_phase_has_them(service, lethe, phase, revealed_at, words):
    service.on(ONE, Answer(200, COMPETITION | {"phase": phase, "revealed_at": revealed_at}))
    lines = lethe("competitions", "digits").stdout.splitlines()
    assert {line.split()[0] for line in lines if " UTC (" in line} == words | {"quota"}


def test_without_a_token_the_daily_quota_is_shown(service, lethe, env):
    env.delenv("LETHE_TOKEN")
    service.on(ONE, Answer(200, COMPETITION | {"quota": None}))
    assert "5 submissions a day; with a token, how many are used" in lethe("competitions", "digits").stdout


def test_one_that_is_not_prepared_has_no_seconds_yet(service, lethe):
    service.on(ONE, Answer(200, COMPETITION | {"cutoff_seconds": None}))
    shown = lethe("competitions", "digits").stdout
    assert "20 % of what retraining takes; the competition is not prepared yet" in shown


def test_who_is_disqualified_is_told_why(service, lethe):
    why = {"reason": "Two accounts.", "at": "2026-02-01T00:00:00Z", "everything": True}
    service.on(ONE, Answer(200, COMPETITION | {"disqualified": why}))
    assert "Two accounts." in lethe("competitions", "digits").stdout


def test_one_that_there_is_not_is_exit_code_1(lethe):
    result = lethe("competitions", "digits")
    assert (result.exit_code, result.stdout) == (1, "")
