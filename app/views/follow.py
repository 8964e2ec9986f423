"""What a stream of events tells of a submission."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.models import User
from app.schemas.progress import ChangedOut
from app.views import versions
from app.views.polls import Polls


@dataclass(frozen=True)
class Told:
    """A submission's state: `event` is the newest in the log that it holds, so whoever knows that one missed nothing."""

    mark: str
    event: int
    data: ChangedOut


def read(session: Session, polls: Polls, submission_id: str, viewer: User, now: datetime) -> Told:
    """Read how far a submission is. Raises NotFound unless it is the viewer's to see."""
    event = versions.newest_event(session, submission_id, viewer)  # first: what follows is newer at worst
    seen = polls.read_mark(session, submission_id, viewer, now)
    body = polls.body(submission_id, viewer, seen.mark)
    one = json.loads(body or polls.describe(session, submission_id, viewer, seen))
    facts = {name: one["progress"].get(name, one.get(name)) for name in ChangedOut.model_fields}
    return Told(seen.mark, event, ChangedOut.model_validate(facts | {"final": seen.final}))
