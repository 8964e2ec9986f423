"""The board's scores with their intervals, down the board, with retraining where its score puts it."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.charts.scale import Frame, Scale, Tick, linear, nice_ticks, plain, rounded, short
from app.schemas.boards import LeaderboardOut

MOST = 40
ROW = 22.0
LEFT, RIGHT, TOP, FOOT, WIDTH = 124.0, 410.0, 8.0, 40.0, 420.0
NAME = 14
RETRAINING = "Retraining"


@dataclass(frozen=True)
class Score:
    """One line: whose, how much, and between what."""

    label: str
    score: float
    low: float | None
    high: float | None
    kind: str  # "entry", "own" or "baseline"
    place: str  # rank, ranks of a tie, or empty


@dataclass(frozen=True)
class Row:
    """Where a line is drawn."""

    score: Score
    name: str
    y: float
    x: float
    start: float | None
    end: float | None


@dataclass(frozen=True)
class PlacesChart:
    """Rows, best first. `left_out` entries are further down the board."""

    rows: tuple[Row, ...]
    baseline_x: float | None
    x_ticks: tuple[Tick, ...]
    left_out: int
    words: str
    frame: Frame


def of_board(board: LeaderboardOut, own: str | None) -> PlacesChart | None:
    """Lay out the first MOST entries, that of `own` or their team, and retraining; None for a board without an entry."""
    shown = [row for row in board.rows if row.rank <= MOST or own in row.members]
    if not shown:
        return None
    scores = [
        Score(row.entrant, row.score, row.interval_low, row.interval_high, kind, place)
        for row in shown
        for kind in ["own" if own in row.members else "entry"]
        for place in [
            str(row.rank)
            if row.band_first == row.band_last
            else f"{row.band_first}\N{EN DASH}{row.band_last}"
        ]
    ]
    baseline = _baseline(board)
    if baseline is not None:
        at = next((i for i, one in enumerate(scores) if baseline.score > one.score), len(scores))
        scores.insert(at, baseline)
    return places(scores, len(board.rows) - len(shown), 10.0**-board.decimals.score)


def places(scores: Sequence[Score], left_out: int = 0, least: float = 0.0) -> PlacesChart:
    """Lay out scores from top to bottom, with ticks no closer together than `least`."""
    ends = [end for one in scores for end in (one.score, one.low, one.high) if end is not None]
    low, high = min(ends), max(ends)
    margin = 0.04 * (high - low) or 0.05
    x = linear(low - margin, high + margin, LEFT, RIGHT)
    bottom = TOP + ROW * len(scores)
    baseline = next((one.score for one in scores if one.kind == "baseline"), None)
    return PlacesChart(
        rows=tuple(_row(index, one, x) for index, one in enumerate(scores)),
        baseline_x=None if baseline is None else x(baseline),
        x_ticks=tuple(Tick(x(one), plain(one)) for one in nice_ticks(low, high, 4, least)),
        left_out=left_out,
        words=_words(scores),
        frame=Frame(WIDTH, bottom + FOOT, LEFT, RIGHT, TOP, bottom),
    )


def _baseline(board: LeaderboardOut) -> Score | None:
    one = board.retraining
    if one is None:
        return None
    if board.ranked_by == "official":
        return Score(RETRAINING, one.score, one.interval_low, one.interval_high, "baseline", "")
    if one.calibrated_score is None:
        return None
    return Score(RETRAINING, one.calibrated_score, None, None, "baseline", "")  # 1 by definition


def _row(index: int, one: Score, x: Scale) -> Row:
    return Row(
        score=one,
        name=short(one.label, NAME),
        y=rounded(TOP + ROW * (index + 0.5)),
        x=x(one.score),
        start=None if one.low is None else x(one.low),
        end=None if one.high is None else x(one.high),
    )


def _words(scores: Sequence[Score]) -> str:
    entries = [one for one in scores if one.kind != "baseline"]
    said = f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'} from {plain(entries[0].score)}"
    said += f" down to {plain(entries[-1].score)}" if len(entries) > 1 else ""
    baseline = next((one for one in scores if one.kind == "baseline"), None)
    return said + ("." if baseline is None else f"; retraining itself has {plain(baseline.score)}.")
