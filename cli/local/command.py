"""`lethe local`: a bundle tried on public data, with the service's own checks, runner, clock and grader."""

import hashlib
import json
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.client.config import url_option
from cli.clock import Clock, pass_clock
from cli.errors import CliError, reported
from cli.exit_codes import ExitCode
from cli.installation import read_settings, words_for_errors
from cli.local.source import Source, cache_dir, find, load
from cli.options import examples, json_option
from cli.participant.bundle import prepared
from cli.progress import counting
from cli.text import clean_lines, duration, plural, say, seconds, size

if TYPE_CHECKING:
    from app.settings import Settings
    from cli.local.report import Report
    from worker.public_data import PublicData
    from worker.rehearsal import Ended, Rehearsal
    from worker.sandbox.base import Backend

_START_SECONDS = 5.0  # of a training process, mostly torch
_NO_SANDBOX = (
    "WARNING: there is no sandbox. The code runs as you: it can read and change your files and use the network. "
    "What the service's sandbox would refuse is not refused here."
)


@examples(
    "lethe local my-method --competition digits", "lethe local my-method -c digits-data --runs 3 --json"
)
@click.command()
@click.argument("bundle", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--competition",
    "-c",
    metavar="DIR|SLUG",
    help="Whose public data: a folder that `lethe data` made, a competition's folder, or a slug. "
    "[default: the only *-data folder here]",
)
@click.option(
    "--runs",
    type=click.IntRange(min=3),
    metavar="N",
    help="How many runs to grade. [default: the competition's]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Which seeds the runs get: another number, others.",
)
@click.option(
    "--no-sandbox", is_flag=True, help="Run the code unprotected, as yourself. Only for code that you trust."
)
@json_option
@url_option
@pass_clock
@reported
def local(
    clock: Clock,
    bundle: Path,
    *,
    competition: str | None,
    runs: int | None,
    seed: int,
    no_sandbox: bool,
    as_json: bool,
    url: str | None,
) -> None:
    """Try BUNDLE, a zip or a folder, on a competition's public data, as the service would try it.

    Same checks, runner, sandbox, limits and grader; the cutoff is measured on this machine, and the retrained models
    that it is graded against are trained here once. No quota, no upload; without a server if the data are here. The
    score is not the one that you will get: the public data are other and fewer images.
    """
    settings = read_settings()
    source = find(competition, settings.competitions_dir, url, clock)
    with words_for_errors(), _sandbox_words():
        data = load(source)
        if data.config.evaluation.device == "cuda" and settings.device == "cpu":
            say("Note: the service runs this on a GPU; times here are this processor's.")
        backend = _backend(settings, no_sandbox=no_sandbox)
        report = _tried(bundle, source, data, backend, settings, runs, seed)
    if report.log and not as_json:
        say(f"What it printed, {_log_of(report)}:")
        click.echo(clean_lines(report.log).rstrip("\n"), err=True)
    click.echo(json.dumps(report.to_dict(), indent=2) if as_json else report.words())
    if report.scored:
        say(f"Submit it: lethe submit {shlex.quote(str(bundle))} --competition {data.config.slug} --wait")
    raise click.exceptions.Exit(int(ExitCode.OK if report.scored else ExitCode.FAILED))


def _log_of(report: "Report") -> str:
    return "in its run on the public data" if report.scored else "in the run that failed"


def _backend(settings: "Settings", *, no_sandbox: bool) -> "Backend":
    """Return what runs the code, tried and told of. Without a sandbox only when asked to."""
    from worker.sandbox.base import SandboxUnavailable
    from worker.sandbox.choose import backend_of

    if no_sandbox:
        from cli.local.plain import Plain

        say(_NO_SANDBOX)
        return Plain()
    try:
        backend = backend_of(settings)
        backend.probe()
    except SandboxUnavailable as error:
        raise CliError(
            f"There is no sandbox on this machine, so nothing was run: {error}",
            code="no_sandbox",
            advice="Or run your own code unprotected, with --no-sandbox.",
        ) from error
    say(f"Sandbox: {backend.name}.")
    return backend


def _tried(
    path: Path,
    source: Source,
    data: "PublicData",
    backend: "Backend",
    settings: "Settings",
    runs: int | None,
    seed: int,
) -> "Report":
    from app.archive import inspect
    from app.errors import Rejected
    from cli.local.report import Report
    from worker.rehearsal import Rehearsal
    from worker.sandbox.pool import Pool

    n_runs = runs or data.config.evaluation.models
    report = Report(data.config, str(source.folder), backend.name, seed, n_runs)
    with prepared(path) as packed, tempfile.TemporaryDirectory(prefix="lethe-local-") as work:
        try:
            inspect(packed.path, data.config.bundle, data.config.entry_function)
        except Rejected as error:
            report.verdict, report.code, report.detail = "rejected", error.code, error.detail
            return report
        say(f"At the door: {size(packed.n_bytes)}, in order.")
        pool = Pool(backend)
        try:
            rehearsal = Rehearsal(data, cache_dir(), Path(work), pool, settings)
            _rehearse(rehearsal, data, packed.path.read_bytes(), report)
        finally:
            pool.close()
            backend.close()
    return report


def _rehearse(rehearsal: "Rehearsal", data: "PublicData", bundle: bytes, report: "Report") -> None:
    """Go through what the service does, quick failures first; the report holds what came of it."""
    once = rehearsal.train_original()
    _measure(rehearsal, data, report)
    cutoff, seeds = report.cutoff_seconds, _seeds(report.seed, report.n_runs)
    assert cutoff is not None
    report.stage = "full_size"
    at_full_size = rehearsal.full_size(bundle, cutoff, seeds[0])
    if _took(at_full_size, report):
        return
    report.full_size_seconds = at_full_size.outcome.seconds
    say(
        f"At the size of the hidden data a run takes {seconds(report.full_size_seconds)} s of {seconds(cutoff)} s."
    )
    report.stage = "smoke"
    if _took(rehearsal.smoke(bundle, cutoff, seeds[0]), report):
        return
    _train(rehearsal, once, report.n_runs)
    report.stage = "runs"
    _grade(rehearsal, bundle, cutoff, seeds, report)


def _measure(rehearsal: "Rehearsal", data: "PublicData", report: "Report") -> None:
    now = datetime.now(UTC)
    found = rehearsal.measured(now)
    if found is None:
        say("Measuring how long retraining takes on this machine, three times; kept for a day.")
        with counting("Retraining") as show:
            found = rehearsal.measure(now, show, lambda: False)
    fraction = data.config.evaluation.cutoff_fraction
    report.retrain_seconds, report.cutoff_seconds = found, fraction * found
    say(
        f"Retraining takes {seconds(found)} s here; the cutoff of a run is {fraction:g} times that: "
        f"{seconds(report.cutoff_seconds)} s."
    )


def _took(ended: "Ended", report: "Report") -> bool:
    """Take note of a run on its own; return whether it failed."""
    report.log = ended.log
    if ended.outcome.verdict is None:
        return False
    report.verdict, report.code = ended.outcome.verdict.value, ended.outcome.reason
    report.seconds = (ended.outcome.seconds,)
    return True


def _train(rehearsal: "Rehearsal", once: float, n_runs: int) -> None:
    from worker.training import cores

    missing = rehearsal.missing(n_runs)
    if not missing:
        return
    about = _START_SECONDS + once * missing / cores()
    say(
        f"Training {plural(missing, 'model')} on the public data, to compare with: about {duration(about)}, once; "
        f"kept in {cache_dir()}."
    )
    with counting("Models") as show:
        rehearsal.train(n_runs, show)


def _grade(rehearsal: "Rehearsal", bundle: bytes, cutoff: float, seeds: list[int], report: "Report") -> None:
    from cli.local.report import score_of
    from worker.rehearsal import Scored

    say(f"Running it {len(seeds)} times on the public data, each with a seed of its own.")
    with counting("Runs") as show:
        ended = rehearsal.run(bundle, cutoff, seeds, show)
    if not isinstance(ended, Scored):
        _took(ended, report)
        return
    report.seconds = ended.seconds
    if ended.score is None:
        report.stage, report.verdict, report.code = "scoring", "invalid_output", "not_scorable"
        return
    report.stage, report.verdict = "done", "scored"
    report.score = score_of(ended.score, rehearsal.config, ended.retraining_score)


def _seeds(seed: int, count: int) -> list[int]:
    """Return distinct seeds of 31 bits, the same for the same number and the first ones whatever the count."""
    found: list[int] = []
    index = 0
    while len(found) < count:
        digest = hashlib.sha256(f"lethe-local {seed} {index}".encode()).digest()
        one = int.from_bytes(digest[:4], "big") >> 1
        found += [one] if one not in found else []
        index += 1
    return found


@contextmanager
def _sandbox_words() -> Iterator[None]:
    from worker.sandbox.base import SandboxFault

    try:
        yield
    except SandboxFault as error:
        raise CliError(
            f"The sandbox failed, not your code: {error}.", code="sandbox_fault", advice="Try again."
        ) from error
