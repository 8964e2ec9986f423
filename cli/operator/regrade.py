"""`lethe admin regrade`: everything graded again under this version of the grader."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from cli.errors import CliError, reported, usage_error
from cli.exit_codes import ExitCode
from cli.installation import migrated_database, settings_of_environment, words_for_errors
from cli.options import examples, json_option, printed
from cli.progress import counting
from cli.text import number, plural, say, table

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from app.regrading import Published
    from app.settings import Settings
    from app.views.rank_changes import Move
    from app.views.regrading import BoardChange, Preview
    from worker.regrading import Problem, Regraded

HEADER = ("participant", "place", "new place", "score", "new score")


@examples("lethe admin regrade digits", "lethe admin regrade digits --publish")
@click.command()
@click.argument("slug", required=False)
@click.option("--publish", is_flag=True, help="Make all new scores current, together or not at all.")
@click.option("--drop", is_flag=True, help="Delete the new scores that are not published.")
@json_option
@reported
def regrade(*, slug: str | None, publish: bool, drop: bool, as_json: bool) -> None:
    """Grade every scored evaluation again under this version of the grader.

    Of the competition SLUG, or of all. It reads stored outputs and runs nobody's code. New scores are kept beside
    the current ones, where nobody sees them; it shows which places would change, and publishes nothing unless asked
    to. It can be interrupted: a second call goes on where the first one was.
    """
    if publish and drop:
        raise usage_error("Choose one of --publish and --drop.", "bad_option")
    settings = settings_of_environment()
    engine = migrated_database(settings)
    with words_for_errors():
        if drop:
            report = _drop(engine, slug)
        else:
            report = _regrade(engine, settings, slug, publish=publish, as_json=as_json)
    if as_json:
        printed(report)


def _drop(engine: "Engine", slug: str | None) -> dict[str, Any]:
    import grader
    from app import regrading
    from app.db import unit_of_work

    with unit_of_work(engine) as session:
        count = regrading.drop(session, grader.VERSION, datetime.now(UTC), slug)
    say(f"Dropped {plural(count, 'score')} under grader version {grader.VERSION} that nobody has seen.")
    return {"grader_version": grader.VERSION, "competition": slug, "dropped": count}


def _regrade(
    engine: "Engine", settings: "Settings", slug: str | None, *, publish: bool, as_json: bool
) -> dict[str, Any]:
    import grader

    graded = _grade(engine, settings, slug)
    preview = _preview(engine, graded, slug)
    report = {
        "grader_version": grader.VERSION,
        "competition": slug,
        "graded": graded.staged,
        "published": False,
        **asdict(preview),
        "problems": [asdict(problem) for problem in graded.problems],
    }
    nothing = not (preview.scores or preview.references or graded.problems)
    if not as_json and not nothing:
        click.echo("\n\n".join(_drawn(change) for change in preview.boards))
    if graded.problems:
        raise _not_all(graded.problems, report)
    if nothing:
        say(f"Nothing to do: everything is graded under version {grader.VERSION}.")
    elif publish:
        _publish(engine, graded, slug)
        report["published"] = True
    else:
        command = f"lethe admin regrade{f' {slug}' if slug else ''}"
        say(
            f"{_counted(preview)} under grader version {grader.VERSION} are ready; nothing is published. "
            f"Publish: `{command} --publish`. Drop: `{command} --drop`."
        )
    return report


def _grade(engine: "Engine", settings: "Settings", slug: str | None) -> "Regraded":
    from app.storage import open_storage
    from worker.regrading import Regrading

    regrading = Regrading(engine, open_storage(settings), settings, lambda: datetime.now(UTC))
    try:
        with counting("Grading") as show:
            return regrading.run(slug, show)
    except KeyboardInterrupt as error:
        raise CliError(
            "Interrupted; what was graded is kept.",
            code="interrupted",
            exit_code=ExitCode.INTERRUPTED,
            advice="Run the command again to go on.",
        ) from error


def _preview(engine: "Engine", graded: "Regraded", slug: str | None) -> "Preview":
    import grader
    from app.db import unit_of_work
    from app.views.regrading import preview

    with unit_of_work(engine) as session:
        return preview(session, grader.VERSION, graded.retraining, datetime.now(UTC), slug)


def _publish(engine: "Engine", graded: "Regraded", slug: str | None) -> None:
    import grader
    from app import regrading
    from app.db import unit_of_work

    with unit_of_work(engine) as session:
        done = regrading.publish(session, grader.VERSION, graded.retraining, datetime.now(UTC), slug)
    say(f"Published {_counted(done)} under grader version {grader.VERSION}.")


def _counted(found: "Preview | Published") -> str:
    return f"{plural(found.scores, 'score')} and {plural(found.references, 'row')} of retraining"


def _not_all(problems: "Sequence[Problem]", report: dict[str, Any]) -> CliError:
    """Name what could not be graded, a line each, and return the error that stops here."""
    for problem in problems:
        what = f"reference {problem.reference_digest[:12]}"
        if problem.evaluation_id is not None:
            what = f"evaluation {problem.evaluation_id} of submission {problem.submission_id}"
        say(f"{problem.competition}, {problem.split} split, {what}: {problem.why}.")
    return CliError(
        f"{len(problems)} of what is shown cannot be graded under version {report['grader_version']}, "
        "so nothing can be published.",
        code="not_all_graded",
        advice="Restore the files that are named, from a backup, and run the command again.",
        **report,
    )


def _drawn(change: "BoardChange") -> str:
    rows = [_row(move) for move in change.moves]
    rows.append(["(retraining)", "", "", number(change.old_retraining), number(change.new_retraining)])
    title = f"{change.competition}, {change.split} split"
    return f"{title}\n{table(HEADER, rows, right=HEADER[1:])}"


def _row(move: "Move") -> list[str]:
    old, new = move.old, move.new
    return [
        move.participant,
        "-" if old is None else str(old.place),
        "-" if new is None else str(new.place),
        number(None if old is None else old.score),
        number(None if new is None else new.score),
    ]
