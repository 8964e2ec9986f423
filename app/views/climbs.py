"""How the first places of a board came to their scores, from what the board has shown."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app import leaderboard, registry
from app.charts import front, places, progress
from app.charts.front import FrontChart
from app.charts.places import PlacesChart
from app.charts.progress import Climb, ProgressChart, Step
from app.schemas.boards import LeaderboardOut
from app.schemas.plots import BoardProgressOut, EntrantProgressOut, StepOut

FIRST = 10
Steps = dict[tuple[str, str], list[StepOut]]
"""When each entrant's best published score rose, by kind and name."""


def steps_of(session: Session, slug: str, split: str, now: datetime) -> Steps:
    """Read every scored submission of a split, and return the steps; who may see it is the caller's to check."""
    competition = registry.get_competition(session, slug)
    publish = registry.config_of(competition).publish
    found: Steps = {}
    for entry in leaderboard.history(session, competition, now, split):
        kind = "person" if entry.team_name is None else "team"
        steps, score = found.setdefault((kind, entry.entrant_name), []), publish.score(entry.score)
        if not steps or score > steps[-1].score:
            steps.append(StepOut(at=entry.submitted_at, score=score))
    return found


def of_board(board: LeaderboardOut, steps: Steps, own: str | None) -> BoardProgressOut:
    """Return when the best published score of each of the first places rose, and of the place of `own` or their team."""
    shown = [row for row in board.rows if row.rank <= FIRST or own in row.members]
    return BoardProgressOut(
        competition=board.competition,
        split=board.split,
        ranked_by=board.ranked_by,
        entrants=[
            EntrantProgressOut(
                entrant=row.entrant,
                kind=row.kind,
                rank=row.rank,
                steps=steps.get((row.kind, row.entrant), []),
            )
            for row in shown
        ],
    )


@dataclass(frozen=True)
class BoardPlots:
    """What is drawn under a board; each is None where there is nothing to draw."""

    places: PlacesChart | None
    front: FrontChart | None
    progress: ProgressChart | None


def drawn(board: LeaderboardOut, steps: Steps, own: str | None, now: datetime) -> BoardPlots | None:
    """Return a board's pictures, made of nothing but what the board shows or has shown; None without an entry."""
    if not board.rows:
        return None
    found = of_board(board, steps, own)
    mine = {(row.kind, row.entrant) for row in board.rows if own in row.members}
    climbs = [
        Climb(
            one.entrant,
            one.rank,
            (one.kind, one.entrant) in mine,
            [Step(step.at, step.score) for step in one.steps],
        )
        for one in found.entrants
    ]
    return BoardPlots(
        places.of_board(board, own),
        front.of_board(board, own),
        progress.progress(climbs, now, 10.0**-board.decimals.score),
    )
