"""Every fault once: real PostgreSQL, Redis, Celery, web and worker processes. `make chaos` does the same with more submissions."""

import os

from rich.console import Console

from tests.chaos.faults import catalogue
from tests.chaos.trial import attempt


def show(capsys, outcome, title):
    with capsys.disabled():
        console = Console(width=110, highlight=False)
        console.print()
        console.print(outcome.table(title))
        console.print(outcome.summary())


def test_whatever_breaks_each_submission_ends_in_one_verdict_and_the_books_balance(capsys):
    outcome = attempt(fake=True, each=1, seed=1, still_open=12)
    show(capsys, outcome, "Every fault once, sandboxes that only play")
    assert outcome.wrong == []
    assert len(outcome.rows) == len(catalogue(own_disk=os.geteuid() == 0))
    assert min(outcome.messages) > 0


def test_real_sandboxes_leave_nothing_behind_whatever_kills_their_worker(capsys):
    only = ["killed in a run", "PostgreSQL", "paused"]
    outcome = attempt(fake=False, each=1, seed=1, only=only, still_open=4)
    show(capsys, outcome, "Real sandboxes")
    assert outcome.wrong == []
    assert len(outcome.rows) == 4
