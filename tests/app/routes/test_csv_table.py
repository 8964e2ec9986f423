import pytest

from app.competitions import Publish
from app.routes.csv_table import leaderboard_csv
from app.routes.examples.common import LEADERBOARD
from app.schemas.boards import LeaderboardOut


def board(**changes):
    found = LeaderboardOut.model_validate(LEADERBOARD, context=Publish())
    return found.model_copy(update={"rows": [found.rows[0].model_copy(update=changes)]})


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)"],
)
def test_a_name_that_a_spreadsheet_would_run_is_written_as_text(name):
    assert f"'{name}" in leaderboard_csv(board(entrant=name))


def test_flags_are_parted_by_spaces():
    assert ",clipped ties," in leaderboard_csv(board(flags=["clipped", "ties"]))


def test_retraining_stands_under_the_score_that_ranks():
    official = leaderboard_csv(board()).splitlines()[1]
    assert official.startswith(",,,,(retraining from scratch),,,,0.0921,0.0842,0.1,0.0921,1.0,")
    by_calibrated = board().model_copy(update={"ranked_by": "calibrated"})
    calibrated = leaderboard_csv(by_calibrated).splitlines()[1]
    assert calibrated.startswith(",,,,(retraining from scratch),,,,1.0,,,0.0921,1.0,")
