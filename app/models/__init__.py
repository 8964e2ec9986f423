"""All tables. The database is the only truth."""

from app.models.base import Base, UTCDateTime
from app.models.competitions import Calibration, Competition, CompetitionOrganiser, Reference
from app.models.decisions import Disqualification, QuotaEntry, Rerun
from app.models.grading import Evaluation, FinalEntry, Run, Score, Submission
from app.models.notices import Notice, Webhook
from app.models.operations import Event, Worker
from app.models.people import Identity, Invitation, PasswordReset, Token, User
from app.models.teams import Team, TeamInvitation, TeamMember

__all__ = [
    "Base",
    "Calibration",
    "Competition",
    "CompetitionOrganiser",
    "Disqualification",
    "Evaluation",
    "Event",
    "FinalEntry",
    "Identity",
    "Invitation",
    "Notice",
    "PasswordReset",
    "QuotaEntry",
    "Reference",
    "Rerun",
    "Run",
    "Score",
    "Submission",
    "Team",
    "TeamInvitation",
    "TeamMember",
    "Token",
    "UTCDateTime",
    "User",
    "Webhook",
    "Worker",
]
