"""What messages ask for."""

from app.queue import WAKE
from worker.celery import app


@app.task(name=WAKE)  # type: ignore[untyped-decorator]
def wake() -> None:
    """Let this worker's loop go on until there is nothing to claim."""
    app.rounds.by_message()
