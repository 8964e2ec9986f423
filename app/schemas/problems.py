"""Errors and health."""

from typing import Literal

from pydantic import Field

from app.schemas.base import Out


class ProblemOut(Out):
    """An error: RFC 9457 problem details with a stable code."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    advice: str
    fault: Literal["participant", "lethe", "nobody"] = Field(
        description="whose doing it was: that of who sent the request, Lethe's own, which costs nothing, or nobody's"
    )
    request_id: str
    instance: str


class Ready(Out):
    """What the service needs, and how it found it: "ok", or in words what is wrong with what it can do without."""

    status: str
    checks: dict[str, str]


class Health(Out):
    """Whether the service can reach its database."""

    status: str
    database: str
