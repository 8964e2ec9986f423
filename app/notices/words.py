"""What a notice says: what its reader sees on the submission's page or the board's, and nothing else."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import disqualification, entrants, submissions
from app.models import Competition, Evaluation, FinalEntry, Notice, Submission, User
from app.schemas.submissions import ReasonOut
from app.status import FinalState
from app.views.evaluations import evaluation_out, publish_of, ranked_score, ranking_of, reason_of

TEST_TEXT = "This is a test: notices of Lethe reach you.\n"


@dataclass(frozen=True)
class Message:
    """A notice in words for people and in JSON for programs."""

    subject: str
    text: str
    body: bytes


def message(session: Session, notice: Notice, reader: User, base_url: str) -> Message:
    """Return what a notice says. Raises NotFound when what it tells of is not its reader's to see any more."""
    head = {"id": notice.id, "type": notice.kind, "created_at": notice.created_at.isoformat()}
    if notice.evaluation_id is not None:
        found = submissions.get_evaluation(session, notice.evaluation_id, reader)
        subject = f"{found.submission.competition.title}: {_outcome(found)}"
        return Message(subject, _letter(found, base_url), _json({**head, **_graded(found, base_url)}))
    if notice.competition_id is not None:
        competition = session.get_one(Competition, notice.competition_id)
        return _results(competition, _final(session, competition, reader), head, base_url)
    return Message("A test", TEST_TEXT, _json(head))


def _final(session: Session, competition: Competition, reader: User) -> list[Evaluation]:
    """Return how its reader's final entries were evaluated on the private split, which is theirs to see since the reveal."""
    entrant = entrants.of(session, reader.id, competition.id)
    query = (
        select(Evaluation)
        .join(Submission, Submission.id == Evaluation.submission_id)
        .join(FinalEntry, FinalEntry.submission_id == Submission.id)
        .where(
            Submission.competition_id == competition.id,
            entrants.whose == entrant.id,
            FinalEntry.state == FinalState.ENTERED,
            disqualification.counts(),
            Evaluation.split == "private",
            Evaluation.published,
        )
        .order_by(Submission.created_at, Submission.id)
    )
    return list(session.scalars(query))


def _results(
    competition: Competition, final: list[Evaluation], head: dict[str, str], base_url: str
) -> Message:
    url = f"{base_url}/competitions/{competition.slug}/leaderboard?split=private"
    about = {"slug": competition.slug, "title": competition.title, "url": url}
    lines = [
        f"The results of {competition.title} are there: {url}",
        *(["", "Your final entries on the private split:"] if final else []),
        *(f"submission {one.submission_id[:8]}: {_outcome(one)}" for one in final),
        *_farewell(base_url),
    ]
    body = {**head, "competition": about, "final_entries": [_graded(one, base_url) for one in final]}
    return Message(f"{competition.title}: the results are there", "\n".join(lines), _json(body))


def _graded(evaluation: Evaluation, base_url: str) -> dict[str, Any]:
    submission = evaluation.submission
    return {
        "submission": _about(submission, _url(submission, base_url)),
        "evaluation": evaluation_out(evaluation).model_dump(mode="json", exclude={"links"}),
    }


def _url(submission: Submission, base_url: str) -> str:
    return f"{base_url}/submissions/{submission.id}"


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


def _letter(evaluation: Evaluation, base_url: str) -> str:
    submission, reason = evaluation.submission, reason_of(evaluation)
    by = submission.user.name + (f" for the team {submission.team.name}" if submission.team else "")
    lines = [
        f"{submission.competition.title}, submission {submission.id[:8]} by {by}: {_outcome(evaluation)}.",
        *([f"Note: {submission.note}"] if submission.note else []),
        *([] if reason is None else ["", reason.cause, reason.advice, _code(reason, base_url)]),
        "",
        _url(submission, base_url),
        *_farewell(base_url),
    ]
    return "\n".join(lines)


def _code(reason: ReasonOut, base_url: str) -> str:
    return f"Code {reason.code}, whose fault: {reason.fault.whose}. {base_url}/problems#{reason.code}"


def _farewell(base_url: str) -> list[str]:
    return ["", f"Your account has this address. To get no more letters: {base_url}/account/notices", ""]


def _json(what: dict[str, Any]) -> bytes:
    return json.dumps(what, separators=(",", ":")).encode()
