"""`lethe submit`: from a folder or zip to an accepted submission, and if asked to, to its score."""

import hashlib
import secrets
from contextlib import suppress
from pathlib import Path

import click

from cli.client.api import Accepted, Api
from cli.client.config import Connection, connection, url_option
from cli.client.retries import with_retries
from cli.clock import Clock, pass_clock
from cli.errors import CliError, reported
from cli.exit_codes import ExitCode
from cli.options import examples, json_option, printed
from cli.participant.bundle import Bundle, prepared
from cli.participant.follow import check_wait, follow, resume_command, wait_options
from cli.participant.rules import quota_words
from cli.participant.show import described, exit_code, next_command
from cli.progress import upload_bar
from cli.text import moment, plural, say, size


def idempotency_key(slug: str, note: str, digest: str) -> str:
    """Name an upload by what it is.

    Whether an upload that broke off arrived, nobody on this side can know. The same bundle, note and competition make
    the same key, in this process and in the next, and the service makes one submission per key.
    """
    parts = ("lethe-submit-1", slug, digest, note)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@examples(
    "lethe submit my-method --competition digits --wait",
    'ID=$(lethe submit my-method -c digits --note "two epochs")',
)
@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--competition", "-c", required=True, metavar="SLUG", help="Which competition to submit to.")
@click.option(
    "--note", "-m", default="", metavar="TEXT", help="A note to yourself, shown with the submission."
)
@click.option("--again", is_flag=True, help="Make a new submission even if this bundle was submitted before.")
@wait_options
@json_option
@url_option
@pass_clock
@reported
def submit(
    clock: Clock,
    path: Path,
    *,
    competition: str,
    note: str,
    again: bool,
    wait: bool,
    timeout: float | None,
    as_json: bool,
    url: str | None,
) -> None:
    """Submit PATH, a zip or a folder with submission.py at its root.

    Prints the submission's id. Running the same command again, for example after a lost connection, does not submit
    twice: the same bundle with the same note is the same submission, unless you say --again.
    """
    check_wait(timeout, wait=wait)
    target = connection(url)
    target.needed_token()
    with Api(target) as api:
        accepted = _upload(api, clock, path, competition, note, again=again)
        submission = accepted.submission
        _announce(accepted, target, wait=wait)
        if wait:
            submission = follow(api, target, submission["id"], clock=clock, timeout=timeout)
    if as_json:
        printed(submission)
    else:
        click.echo(described(submission, target) if wait else submission["id"])
    if wait:
        say(next_command(submission, target))
        raise click.exceptions.Exit(int(exit_code(submission)))


def _upload(api: Api, clock: Clock, path: Path, slug: str, note: str, *, again: bool) -> Accepted:
    with prepared(path) as bundle:
        _say_what_is_sent(bundle)
        _say_what_is_left(api, clock, slug)
        key = secrets.token_hex(32) if again else idempotency_key(slug, note, bundle.digest)

        def once() -> Accepted:
            with upload_bar(bundle.n_bytes) as progress:
                return api.submit(slug, bundle.path, note=note, key=key, progress=progress)

        try:
            return with_retries(once, clock, say)
        except KeyboardInterrupt:
            raise CliError(
                "Stopped while uploading.",
                code="interrupted",
                exit_code=ExitCode.INTERRUPTED,
                advice=_whether_it_arrived(again=again),
            ) from None
        except CliError as error:
            if error.exit_code is ExitCode.NETWORK and not error.advice:
                error.advice = _whether_it_arrived(again=again)
            raise


def _say_what_is_sent(bundle: Bundle) -> None:
    if bundle.files:
        left_out = f" (left out: {', '.join(bundle.skipped)})" if bundle.skipped else ""
        say(f"Packed {plural(len(bundle.files), 'file')} into {size(bundle.n_bytes)}{left_out}.")


def _say_what_is_left(api: Api, clock: Clock, slug: str) -> None:
    with suppress(CliError):  # the upload itself is told of what is wrong, and may still be taken
        if quota := api.competition(slug).get("quota"):
            say(f"{quota_words(quota, clock.now())}.")


def _whether_it_arrived(*, again: bool) -> str:
    if again:
        return "It may have arrived: look with `lethe submissions` before you submit again."
    return "It may have arrived: run the same command again, which does not submit twice."


def _announce(accepted: Accepted, target: Connection, *, wait: bool) -> None:
    submission = accepted.submission
    if accepted.replayed:
        when = moment(submission.get("created_at"))
        say(f"This bundle with this note was submitted already, at {when}; --again makes a new submission.")
    elif wait:
        say(f"Accepted as {submission['id']}.")
    if not wait:
        say(f"Follow it with: {resume_command(target, submission['id'])}")
