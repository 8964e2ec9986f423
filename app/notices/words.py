"""What a notice says: what its reader sees on the submission's page, and nothing else."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app import submissions
from app.models import Evaluation, Notice, Submission, User
from app.notices import outbox
from app.views.evaluations import evaluation_out, publish_of, ranked_score, ranking_of, reason_of

TEST_TEXT = "This is a test: notices of Lethe reach you.\n"


@dataclass(frozen=True)
class Message:
    """A notice in words for people and in JSON for programs."""

    subject: str
    text: str
    body: bytes


def message(session: Session, notice: Notice, reader: User, base_url: str) -> Message:
    """Return what a notice says. Raises NotFound when the evaluation is not its reader's to see any more."""
    head = {"id": notice.id, "type": notice.kind, "created_at": notice.created_at.isoformat()}
    if notice.kind == outbox.TEST or notice.evaluation_id is None:
        return Message("A test", TEST_TEXT, _json(head))
    found = submissions.get_evaluation(session, notice.evaluation_id, reader)
    url = f"{base_url}/submissions/{found.submission_id}"
    outcome = _outcome(found)
    body = {
        **head,
        "submission": _about(found.submission, url),
        "evaluation": evaluation_out(found).model_dump(mode="json", exclude={"links"}),
    }
    subject = f"{found.submission.competition.title}: {outcome}"
    return Message(subject, _letter(found, outcome, url, base_url), _json(body))


def _outcome(evaluation: Evaluation) -> str:
    """Return the verdict, and the score that ranks, as it is published."""
    verdict, score = str(evaluation.verdict).replace("_", " "), ranked_score(evaluation)
    if score is None:
        return verdict
    publish = publish_of(evaluation)
    shown = f"{publish.score(score):.{publish.score_decimals}f}"
    return f"{verdict}, {ranking_of(evaluation)} score {shown}"


def _about(submission: Submission, url: str) -> dict[str, str | None]:
    return {
        "id": submission.id,
        "competition": submission.competition.slug,
        "user": submission.user.name,
        "team": None if submission.team is None else submission.team.name,
        "note": submission.note,
        "url": url,
    }


def _letter(evaluation: Evaluation, outcome: str, url: str, base_url: str) -> str:
    submission, reason = evaluation.submission, reason_of(evaluation)
    by = submission.user.name + (f" for the team {submission.team.name}" if submission.team else "")
    lines = [
        f"{submission.competition.title}, submission {submission.id[:8]} by {by}: {outcome}.",
        *([f"Note: {submission.note}"] if submission.note else []),
        *(["", reason.cause, reason.advice] if reason is not None else []),
        "",
        url,
        "",
        f"Your account has this address. To get no more letters: {base_url}/account/notices",
        "",
    ]
    return "\n".join(lines)


def _json(what: dict[str, Any]) -> bytes:
    return json.dumps(what, separators=(",", ":")).encode()
