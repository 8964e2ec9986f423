"""Who moves on a board when something else is shown. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.competitions import Publish
from app.leaderboard import Board, Row


@dataclass(frozen=True)
class Standing:
    """An entrant's place and the score that gives it, by the competition's ranking, as it is published."""

    place: int
    score: float
    submission_id: str


@dataclass(frozen=True)
class Move:
    """An entrant's standing now and afterwards; None is without a place."""

    participant: str  # the name of a person or a team
    old: Standing | None
    new: Standing | None

    @property
    def is_change(self) -> bool:
        """Whether place or score are not the same."""
        return (self.old and (self.old.place, self.old.score)) != (
            self.new and (self.new.place, self.new.score)
        )


Standings = Mapping[str, tuple[str, Standing]]
"""By an entrant's id: their name, and where they stand; best first."""


def standings(board: Board, publish: Publish) -> Standings:
    """Return where each entrant of a board stands."""
    return {one.entry.entrant_id: (one.entry.entrant_name, _standing(one, publish)) for one in board.rows}


def _standing(row: Row, publish: Publish) -> Standing:
    return Standing(row.place.rank, publish.score(row.entry.score), row.entry.submission_id)


def moves(old: Standings, new: Standings) -> list[Move]:
    """Pair by entrant, in the new order; who would lose their place comes last."""
    names = {one: name for one, (name, _) in (*new.items(), *old.items())}
    return [Move(name, _of(old, one), _of(new, one)) for one, name in names.items()]


def _of(found: Standings, entrant_id: str) -> Standing | None:
    return found[entrant_id][1] if entrant_id in found else None
