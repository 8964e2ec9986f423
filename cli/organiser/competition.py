"""`lethe competition`: what an organiser does with a competition's folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.errors import CliError, reported, usage_error
from cli.exit_codes import ExitCode
from cli.installation import migrated_database, settings_of_environment, words_for_errors
from cli.options import examples, json_option, printed
from cli.organiser.reveal import reveal
from cli.text import facts, number, say, table

if TYPE_CHECKING:
    from app.settings import Settings
    from worker.prepare import Prepared

LINES = 8
"""How many lines of progress a split gets where no bar can be drawn."""


@click.group()
def competition() -> None:
    """Validate and prepare competitions, and reveal their results."""


competition.add_command(reveal)


@examples("lethe competition prepare digits")
@competition.command()
@click.argument("folder")
@json_option
@reported
def prepare(*, folder: str, as_json: bool) -> None:
    """Train a competition's models and register its references.

    FOLDER is a path, or the name of a folder in the competitions directory. It can be interrupted: a second
    call goes on where the first one was, and with nothing changed it trains nothing.
    """
    settings = settings_of_environment()
    path = _folder(folder, settings)
    say(f"Preparing {path}")
    with words_for_errors(), _progress() as show:
        prepared = _prepare(path, settings, show)
    if as_json:
        printed(asdict(prepared))
    else:
        click.echo(_drawn(prepared))
    for split, reference in prepared.splits.items():
        for warning in reference.warnings:
            say(f"Warning, {split} split: {warning}.")


@examples("lethe competition validate competitions/digits")
@competition.command()
@click.argument("folder")
@json_option
@reported
def validate(*, folder: str, as_json: bool) -> None:
    """Check a competition's folder without training anything."""
    path = _folder(folder, settings_of_environment())
    with words_for_errors():
        from worker.prepare import validate as check

        checked = check(path)
    dataset, config = checked.dataset, checked.config
    found = {
        "slug": config.slug,
        "pages": sorted(checked.pages),
        "classes": dataset.n_classes,
        **{part: len(dataset.arrays[f"{part}_labels"]) for part in ("train", "val", "test")},
        **{f"forget_{split}": len(dataset.forget(split)) for split in ("public", "private")},
        **({"smoke": len(dataset.arrays["smoke_labels"])} if dataset.has_smoke else {}),
        "models_to_train": 1 + 4 * config.evaluation.models + dataset.has_smoke,
    }
    if as_json:
        printed({"valid": True, **found})
    else:
        shown = {**found, "pages": ", ".join(sorted(checked.pages))}
        click.echo(facts([(name.replace("_", " "), str(value)) for name, value in shown.items()]))
        say("The folder is valid.")


def _prepare(path: Path, settings: "Settings", show: Callable[[str, int, int], None]) -> "Prepared":
    from app.storage import open_storage

    engine = migrated_database(settings)
    from worker.prepare import prepare as run  # imports torch: only once there is work for it

    try:
        return run(
            path,
            settings=settings,
            engine=engine,
            storage=open_storage(settings),
            now=datetime.now(UTC),
            on_progress=show,
        )
    except KeyboardInterrupt as error:
        raise CliError(
            "Interrupted; finished models are kept.",
            code="interrupted",
            exit_code=ExitCode.INTERRUPTED,
            advice="Prepare again to go on.",
        ) from error


def _folder(given: str, settings: "Settings") -> Path:
    """Return the folder that a path or a slug names; a path wins."""
    for path in (Path(given), settings.competitions_dir / given):
        if path.is_dir():
            return path
    raise usage_error(
        f"There is no folder {given}, nor {settings.competitions_dir / given}.", "no_such_competition"
    )


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Draw a bar for each split on a terminal; elsewhere say a few lines. All on stderr."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _lines
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bars: dict[str, TaskID] = {}

        def show(split: str, done: int, total: int) -> None:
            if split not in bars:
                bars[split] = progress.add_task(f"Models of the {split} split", total=total)
            progress.update(bars[split], completed=done)

        yield show


def _lines(split: str, done: int, total: int) -> None:
    if done in {0, total} or done % max(1, total // LINES) == 0:
        say(f"{split} split: {done} of {total} models")


def _drawn(prepared: "Prepared") -> str:
    """Draw what the split's pages will show: memorisation, and what retraining itself scores."""
    rows = []
    for split, reference in prepared.splits.items():
        for who in ("original", "retrained"):
            measured = reference.facts[who]
            shares = (f"{part}_accuracy" for part in ("retain", "forget", "test"))
            rows.append([split, who, *(number(measured[key], 3) for key in (*shares, "attack_auc"))])
    blocks = [table(("split", "model", "retain", "forget", "test", "attack AUC"), rows)]
    for split, reference in prepared.splits.items():
        score = number(reference.facts["retraining"]["score"])
        blocks.append(
            f"{split}: retraining scores {score} at N = {reference.n_models}, takes "
            f"{reference.retrain_seconds:.2f} s a model; version {reference.version}, {reference.digest[:12]}"
        )
    return "\n".join(blocks)
