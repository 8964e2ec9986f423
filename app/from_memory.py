"""A shortcut past the routes for what is asked most: polls and leaderboards whose answer this process still knows.

It only ever answers what the route would, from what the route left behind; whatever it does not know goes there.
Finding a route and its dependencies takes longer than all of this.
"""

import re
from types import SimpleNamespace

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app import problems
from app.competitions import Split
from app.context import Context
from app.db import DATABASE_AWAY
from app.dependencies import shown_by
from app.routes.api import POLL_HEADERS
from app.routes.api_competitions import BOARD_HEADERS
from app.routes.etags import is_known, unless_known

_SUBMISSION = re.compile(r"/api/v1/submissions/([0-9a-f]{32})")
_BOARD = re.compile(r"/api/v1/competitions/([a-z0-9-]{1,64})/leaderboard(\.csv)?")
_SPLITS: dict[bytes, Split] = {b"": "public", b"split=public": "public", b"split=private": "private"}
"""By query; of any other, which filters or sorts, its route sees to that."""
# by which metrics count them with the others
_SUBMISSION_ROUTE = SimpleNamespace(path="/api/v1/submissions/{submission_id}")
_BOARD_ROUTE = SimpleNamespace(path=r"/api/v1/competitions/{slug}/leaderboard")


class FromMemory:
    """Answers polls and leaderboards that have not changed."""

    def __init__(self, app: ASGIApp, *, context: Context) -> None:
        self.app = app
        self.context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the routes do so."""
        response = await self._known(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        await (response or self.app)(scope, receive, send)

    async def _known(self, scope: Scope) -> Response | None:
        submission, board = _SUBMISSION.fullmatch(scope["path"]), _BOARD.fullmatch(scope["path"])
        if submission is None and board is None:
            return None
        request = Request(scope)
        try:
            await self.context.changes.fresh()
        except DATABASE_AWAY as error:
            return problems.database_away(request, error)
        response, route = None, _BOARD_ROUTE
        if submission is not None:
            response, route = self._poll(request, submission[1]), _SUBMISSION_ROUTE
        elif board is not None and not board[2]:  # CSV has headers of its own: its route finds it in memory
            response = self._board(request, board[1], _SPLITS.get(scope["query_string"]))
        if response is not None:
            scope["route"] = route
        return response

    def _poll(self, request: Request, submission_id: str) -> Response | None:
        now, shown = self.context.clock(), shown_by(request, self.context)
        person = None if shown is None else self.context.people.known(*shown, now)
        if person is None:
            return None
        seen = self.context.polls.mark(submission_id, person)
        if seen is None:
            return None
        mark = seen.mark
        given, body = _if_none_match(request), self.context.polls.body(submission_id, person, mark)
        if body is None and not is_known(mark, given):
            return None
        return unless_known(mark, given, lambda: body or b"", "application/json", POLL_HEADERS)

    def _board(self, request: Request, slug: str, split: Split | None) -> Response | None:
        # of a private leaderboard nothing is known before it is revealed
        kept = None if split is None else self.context.boards.known(slug, "json", split)
        if kept is None:
            return None
        return unless_known(
            kept.etag, _if_none_match(request), lambda: kept.body, "application/json", BOARD_HEADERS
        )


def _if_none_match(request: Request) -> str | None:
    return request.headers.get("if-none-match")
