"""What must be true after any fault, read from the database and the disk."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import read_only
from app.evaluations.ending import MAX_LOSSES
from app.models import Evaluation, Event, QuotaEntry, Run, Score, Submission, User, Worker
from app.reasons import REASONS, Fault
from app.status import RunStatus, Status, Verdict
from app.storage import LocalStorage, sweep
from tests.chaos.site import Site
from tests.chaos.traffic import Sent
from worker import material

FINAL = (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.SKIPPED)


def findings(site: Site, sent: Sequence[Sent]) -> list[str]:
    """Return everything that is wrong, once all processes have stopped; [] when nothing is."""
    with read_only(site.engine) as session:
        found = list(_submissions(session, sent))
        found += _ledger(session)
        found += _blobs(session, site.storage, {one.id for one in sent if one.lost})
        found += [f"worker {name} has not left" for name in session.scalars(select(Worker.name))]
    return [*found, *_left_behind(site.data, site.deaths)]


def _submissions(session: Session, sent: Sequence[Sent]) -> Iterator[str]:
    stored = set(session.scalars(select(Submission.id)))
    answered = {one.id for one in sent}
    yield from (f"submission {one} was answered with 201 and is lost" for one in answered - stored)
    yield from (f"submission {one} is there, and nobody was answered" for one in stored - answered)
    yield from (
        f"submission {one} was answered twice" for one, n in Counter(o.id for o in sent).items() if n > 1
    )
    events = _events(session)
    scores = Counter(session.scalars(select(Score.evaluation_id)))
    current = Counter(session.scalars(select(Score.evaluation_id).where(Score.current)))
    for one in sent:
        # what a close may have made on the private split is nobody's request
        of_it = Evaluation.submission_id == one.id, Evaluation.split == "public"
        evaluations = session.scalars(select(Evaluation).where(*of_it)).all()
        if len(evaluations) != 1 + one.reruns:
            yield f"submission {one.id} has {len(evaluations)} evaluations and was rerun {one.reruns} times"
        if sum(evaluation.published for evaluation in evaluations) != 1:
            yield f"submission {one.id} does not show exactly one evaluation"
        for evaluation in evaluations:
            for wrong in _evaluation(evaluation, one, events[evaluation.id]):
                yield f"evaluation {evaluation.id} ({one.plan}): {wrong}"
            due = int(evaluation.verdict is Verdict.SCORED)
            if (scores[evaluation.id], current[evaluation.id]) != (due, due):
                yield f"evaluation {evaluation.id} has {scores[evaluation.id]} scores and is {evaluation.verdict}"


def _events(session: Session) -> dict[str, Counter[str]]:
    """Count, for each evaluation, what happened; the end of a run counts under its label."""
    found: dict[str, Counter[str]] = {one: Counter() for one in session.scalars(select(Evaluation.id))}
    rows = select(Event.evaluation_id, Event.kind, Event.detail).where(Event.evaluation_id.is_not(None))
    for evaluation_id, kind, detail in session.execute(rows):
        ended = kind in {"run.succeeded", "run.failed"}
        found[evaluation_id][f"end of {detail.partition(',')[0]}" if ended else kind] += 1
    return found


def _evaluation(evaluation: Evaluation, one: Sent, events: Counter[str]) -> Iterator[str]:
    if (
        evaluation.status is not Status.DONE
        or evaluation.due_at is not None
        or evaluation.finished_at is None
    ):
        yield f"is {evaluation.status}, due at {evaluation.due_at}"
        return
    if events["evaluation.done"] != 1:
        yield f"ended {events['evaluation.done']} times"
    yield from (
        f"{name} was recorded {n} times" for name, n in events.items() if name[:4] == "end " and n > 1
    )
    yield from (f"a run is {run.status}" for run in evaluation.runs if run.status not in FINAL)
    yield from (f"run {run.id} is lent" for run in evaluation.runs if run.lease_until is not None)
    verdict = evaluation.verdict
    if verdict is Verdict.CANCELLED and one.cancelled:
        return
    if verdict is Verdict.STALLED:
        losses = max([evaluation.losses, *(run.losses for run in evaluation.runs)])
        if losses < MAX_LOSSES:
            yield f"stalled after {losses} losses"
    elif verdict is not one.plan.verdict and not (one.hurt and evaluation.reason == "died"):
        yield f"ended as {verdict} ({evaluation.reason})"
    if verdict is Verdict.SCORED:
        done = sum(run.status is RunStatus.SUCCEEDED for run in evaluation.seed_runs)
        if done != evaluation.n_runs:
            yield f"is scored with {done} of {evaluation.n_runs} runs"


def _ledger(session: Session) -> Iterator[str]:
    """Compare the ledger with what the rules make of the verdicts: first evaluations are paid for, ours are given back."""
    entries = Counter((one.submission_id, one.kind) for one in session.scalars(select(QuotaEntry)))
    firsts = session.scalars(
        select(Evaluation).where(Evaluation.generation == 1, Evaluation.split == "public")
    ).all()
    for first in firsts:
        fault = None if first.reason is None else REASONS[first.reason].fault
        back = fault is Fault.LETHE or (fault is Fault.NOBODY and first.started_at is None)
        found = entries[first.submission_id, "debit"], entries[first.submission_id, "refund"]
        if found != (1, int(back)):
            yield f"submission {first.submission_id}, {first.verdict}: {found} debits and refunds"
    for (name,) in session.execute(select(User.name).where(User.role == "participant")):
        amounts = select(QuotaEntry.amount).join(User, User.id == QuotaEntry.user_id).where(User.name == name)
        spent = -sum(session.scalars(amounts))
        if spent < 0:
            yield f"{name} has been given back more than was spent"


def _blobs(session: Session, storage: LocalStorage, lost: set[str]) -> Iterator[str]:
    bundles = select(Submission.bundle_digest).where(Submission.id.not_in(lost))
    outputs = select(Run.outputs_digest).where(Run.outputs_digest.is_not(None))
    for query in (bundles, outputs):
        for digest in set(session.scalars(query)):
            try:
                storage.get(digest)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
                yield f"blob {digest} cannot be read: {error}"


def _left_behind(data: Path, deaths: int) -> Iterator[str]:
    """Name temporary files: more than processes died that could leave one, or that the operators' means do not remove."""
    now = datetime.now(UTC)
    found = _temporary(data)
    if len(found) > deaths:
        yield f"{len(found)} temporary files are left by {deaths} deaths: {found}"
    sweep(data / "uploads", now)
    LocalStorage(data / "blobs").sweep(now)
    material.sweep(data / "cache", now)
    yield from (f"{path} cannot be removed" for path in _temporary(data))


def _temporary(data: Path) -> list[Path]:
    places = (("uploads", "*"), ("blobs/incoming", "*"), ("cache", ".half-*"))
    return [path for folder, names in places for path in (data / folder).glob(names)]
