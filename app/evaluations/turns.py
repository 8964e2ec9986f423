"""Whose submission goes first: turns, so that one entrant's fifty do not stand before another's first.

This is fair queueing by start tags. Every submission has a turn, and lower ones are lent first. An entrant's next
submission comes one turn after their last, but never before the turn that the queue has come to: who waits with fifty
has fifty turns, and whoever comes meanwhile shares the one that is being served. What an entrant did in quiet times is
not held against them, nor does staying away earn anything. The queue is that of one class of devices: what waits for a
device that nobody has says nothing of the turn that has come elsewhere.
"""

from typing import Literal

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from app import entrants
from app.competitions import DeviceClass
from app.evaluations.locks import changed
from app.models import Competition, Reference, Run, Submission, User
from app.status import Lane, RunStatus


def take(session: Session, submission: Submission, device: DeviceClass | Literal["any"]) -> int:
    """Return the turn of an entrant's next submission and keep it as their last, under their lock.

    A team's last is the last of its members'.
    """
    user_id = submission.user_id
    people = entrants.is_with(User.id, user_id, submission.competition_id)
    last = session.scalar(select(func.max(User.turn)).where(people))
    assert last is not None
    turn = max(_served(session, device), last + 1)
    changed(session, update(User).where(User.id == user_id).values(turn=turn))
    return turn


def _served(session: Session, device: str) -> int:
    """Return the turn that the queue has come to: the first that waits, or the last that anybody had when none does.

    It takes one look into the queue's index for each reference.
    """
    head = (
        select(Run.turn)
        .where(Run.status == RunStatus.QUEUED, Run.reference_id == Reference.id, Run.lane == int(Lane.NORMAL))
        .order_by(Run.turn)
        .limit(1)
        .correlate(Reference)
        .scalar_subquery()
    )
    of_class = (
        select(func.min(head)).select_from(Reference).join(Competition).where(wanted_device() == device)
    )
    first = session.scalar(of_class)
    if first is None:
        first = session.scalar(select(func.max(User.turn)))
    return max(0, first or 0)


def wanted_device() -> ColumnElement[str]:
    """Return the class of devices that a competition names, in SQL; "any" where it names none."""
    return func.coalesce(Competition.config["evaluation"]["device"].as_string(), "any")
