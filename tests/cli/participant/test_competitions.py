"""`lethe competitions`."""

import json

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
