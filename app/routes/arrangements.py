"""How a leaderboard is asked for in the query, by pages and API alike."""

from typing import Annotated

from fastapi import Depends, Query

from app.competitions import Split
from app.views.arranged import CHOICE, SORTS, Arrangement, arrangement

Name = Annotated[
    str | None,
    Query(description="a part of the name of a participant, a team or a member; at most 64 characters"),
]
Sort = Annotated[
    str | None, Query(description=f"one of {', '.join(SORTS)}; with '-' before it, the largest first")
]
SplitQuery = Annotated[
    Split,
    Query(
        alias="split",
        description="private: what decides, by final entries alone; the organisers' to read until the results are revealed",
    ),
]
Columns = Annotated[
    list[str] | None, Query(description=f"among {', '.join(CHOICE)}, parted by commas; or none")
]


async def from_query(
    name: Name = None, sort: Sort = None, columns: Columns = None, split: SplitQuery = "public"
) -> Arrangement:
    """Return what is asked for. Raises InvalidArrangement."""
    return arrangement(name, sort, columns, split)


async def rows_from_query(name: Name = None, sort: Sort = None, split: SplitQuery = "public") -> Arrangement:
    """Return which rows are asked for. Raises InvalidArrangement."""
    return arrangement(name, sort, None, split)


Arranged = Annotated[Arrangement, Depends(from_query)]
ArrangedRows = Annotated[Arrangement, Depends(rows_from_query)]
