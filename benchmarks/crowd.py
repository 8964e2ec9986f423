"""A competition as it is near its end: 10,000 scored submissions of 100 people, and 64 more that run."""

import random
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import insert, select

from app import auth
from app.db import unit_of_work
from app.models import Competition, Evaluation, Reference, Run, Score, Submission, User
from app.status import RunStatus, Status, Verdict
from tests.grades import graded
from tests.seeding import World

PEOPLE = 100
SUBMISSIONS = 10_000
N_MODELS = 32


def people(world: World) -> list[str]:
    """Add people, who cannot sign in, and return an API token of each; a real password's hash takes its time."""
    secrets = []
    with unit_of_work(world.engine) as session:
        for index in range(PEOPLE):
            user = User(
                id=uuid4().hex,
                name=f"person-{index:03d}",
                password_hash="none",
                role="participant",
                created_at=world.clock(),
            )
            session.add(user)
            session.flush()
            secrets.append(auth.issue_token(session, user, "api", "load", world.clock(), None))
    return secrets


def scored(world: World, slug: str = "digits", count: int = SUBMISSIONS) -> None:
    """Insert scored submissions, each with one run, past the quota and its ledger."""
    chance = random.Random(7)
    with unit_of_work(world.engine) as session:
        reference = session.scalars(select(Reference).join(Competition).where(Competition.slug == slug)).one()
        users = list(session.scalars(select(User.id)))
        rows: dict[type, list[dict[str, object]]] = {Submission: [], Evaluation: [], Run: [], Score: []}
        for index in range(count):
            one = _submission(world, reference, users[index % len(users)], index, chance)
            for table, row in one.items():
                rows[table].append(row)
        for table, found in rows.items():
            session.execute(insert(table), found)


def _submission(
    world: World, reference: Reference, user_id: str, index: int, chance: random.Random
) -> dict[type, dict[str, object]]:
    at = world.clock() - timedelta(seconds=SUBMISSIONS - index)
    submission, evaluation = {"id": uuid4().hex}, {"id": uuid4().hex}
    score = graded(chance.uniform(0.01, 0.09), chance.uniform(0.9, 1.0), chance.uniform(0.9, 1.0))
    low, high = score.interval or (0.0, 0.0)
    calibrated_low, calibrated_high = score.calibrated_interval or (0.0, 0.0)
    return {
        Submission: submission
        | {
            "user_id": user_id,
            "competition_id": reference.competition_id,
            "bundle_digest": "0" * 64,
            "bundle_bytes": 1000,
            "note": "",
            "created_at": at,
        },
        Evaluation: evaluation
        | {
            "submission_id": submission["id"],
            "reference_id": reference.id,
            "split": "public",
            "generation": 1,
            "status": Status.DONE,
            "verdict": Verdict.SCORED,
            "published": True,
            "cancel_requested": False,
            "n_runs": 1,
            "cutoff_fraction": 0.2,
            "cutoff_seconds": 1.5,
            "fence": 1,
            "losses": 0,
            "created_at": at,
            "finished_at": at,
        },
        Run: {
            "id": uuid4().hex,
            "evaluation_id": evaluation["id"],
            "reference_id": reference.id,
            "seed_index": 0,
            "seed": index,
            "status": RunStatus.SUCCEEDED,
            "fence": 1,
            "losses": 0,
            "seconds": chance.uniform(0.5, 1.2),
            "queued_at": at,
        },
        Score: {
            "id": uuid4().hex,
            "evaluation_id": evaluation["id"],
            "grader_version": score.grader_version,
            "reference_digest": reference.digest,
            "score": score.score,
            "forgetting_quality": score.forgetting_quality,
            "retain_ratio": score.retain_ratio,
            "test_ratio": score.test_ratio,
            "current": True,
            "calibrated_score": score.calibrated_score,
            "interval_low": low,
            "interval_high": high,
            "calibrated_low": calibrated_low,
            "calibrated_high": calibrated_high,
            "flags": list(score.flags),
            "replicates": score.replicates,
            "summary": score.summary,
            "report": {},
            "created_at": at,
        },
    }


def crowded(world: World) -> list[str]:
    """Fill a world; return API tokens."""
    world.competition(
        n_models=N_MODELS,
        bundle={"per_day": 1_000_000, "max_bytes": 100_000},
        closes_at="2099-01-01T00:00:00Z",
    )
    secrets = people(world)
    scored(world)
    return secrets
