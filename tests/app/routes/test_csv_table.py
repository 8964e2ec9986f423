from datetime import UTC, datetime

import pytest

from app.routes.csv_table import leaderboard_csv
from app.schemas import LeaderboardOut, LeaderboardRow

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_name_that_a_spreadsheet_would_run_is_written_as_text(name):
    row = LeaderboardRow(
        rank=1, user=name, submission_id="a", score=0.1, forgetting_quality=0.1, retain_ratio=1.0,
        test_ratio=1.0, entries=1, last_at=NOW, median_seconds=1.0,
    )  # fmt: skip
    board = LeaderboardOut(
        competition="c",
        split="public",
        as_of=NOW,
        ranking="",
        tie_rule="",
        retraining=None,
        unranked=0,
        rows=[row],
    )
    assert f"'{name}" in leaderboard_csv(board)
