"""Row locks in one order, and guarded UPDATEs."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Update, select
from sqlalchemy.orm import Session

from app.models import Evaluation


def lock(
    session: Session, evaluation_ids: Iterable[str], *, skip_locked: bool = False
) -> Sequence[Evaluation]:
    """Lock evaluations in id order and return them as they are now.

    On SQLite the transaction holds the only write lock already. `key_share` lets other transactions insert rows
    that point at these meanwhile.
    """
    query = (
        select(Evaluation)
        .where(Evaluation.id.in_(sorted(set(evaluation_ids))))
        .order_by(Evaluation.id)
        .with_for_update(key_share=True, skip_locked=skip_locked)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def lock_one(session: Session, evaluation_id: str) -> Evaluation | None:
    """Lock one evaluation; None when there is no such row."""
    return next(iter(lock(session, [evaluation_id])), None)


def changed(session: Session, statement: Update | Delete) -> int:
    """Execute a guarded UPDATE or DELETE and return how many rows it won."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", result).rowcount
