"""`lethe log`: what a submission's smoke run printed."""

import shlex
from itertools import takewhile

import click

from cli.client.api import Api, JsonObject
from cli.client.config import Connection, connection, url_option
from cli.clock import Clock, pass_clock
from cli.errors import reported, usage_error
from cli.options import examples, json_option, printed
from cli.participant.follow import cancel_command, watch
from cli.text import clean_lines, say


@examples("lethe log", "lethe log 4f1c... --follow")
@click.command()
@click.argument("submission_id", metavar="[ID]", required=False)
@click.option("--follow", "-f", is_flag=True, help="Print what comes, until the smoke run has ended.")
@json_option
@url_option
@pass_clock
@reported
def log(clock: Clock, *, submission_id: str | None, follow: bool, as_json: bool, url: str | None) -> None:
    """Print what the smoke run of the submission ID, or of my last one, has printed, its traceback included.

    A smoke run is the one run on public data; what runs on hidden data print is not kept.
    """
    if follow and as_json:
        raise usage_error(
            "--follow prints lines as they come, and --json one object: choose one.", "bad_option"
        )
    target = connection(url)
    target.needed_token()
    with Api(target) as api:
        submission_id = api.whole(submission_id) if submission_id else api.newest()
        if follow:
            _follow(api, target, submission_id, clock)
            return
        found = api.log(submission_id)
    if as_json:
        printed({"id": submission_id, "log": found.text})
    elif found.text:
        click.echo(clean_lines(found.text), nl=not found.text.endswith("\n"))
    else:
        say(_nothing(found.status))


def _nothing(status: str) -> str:
    """Say of a smoke run that it has printed nothing."""
    if status == "running":
        return "No output so far."
    broken_off = status in {"queued", "skipped"}
    return f"No output: it printed nothing{' until then' if broken_off else ''}."


def _follow(api: Api, target: Connection, submission_id: str, clock: Clock) -> None:
    resume = f"lethe log {shlex.quote(submission_id)} --follow{target.flags}"
    reader = _Reader(api)
    cancel = cancel_command(target, submission_id)
    done = watch(api, submission_id, reader, _is_over, resume, cancel, clock=clock)
    smoke = done.get("smoke") or {}
    if not smoke.get("log"):
        api.log(submission_id)  # which says why there is none
    elif not reader.printed:
        say(_nothing(str(smoke["status"])))


def _is_over(submission: JsonObject) -> bool:
    """Tell whether no more will be printed by a smoke run; its submission goes on."""
    return (submission.get("smoke") or {}).get("status") not in {"queued", "running"}


class _Reader:
    """Prints whole lines as they come, each once."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.printed = ""
        self._told = False

    def seen(self, submission: JsonObject) -> None:
        """Print what is new of a submission's log."""
        if not (submission.get("smoke") or {}).get("log"):
            return
        text = self._api.log(submission["id"]).text
        if _is_over(submission):
            same = _alike(self.printed, text)
            click.echo(clean_lines(text[same:]), nl=not text.endswith("\n") and same < len(text))
            self.printed = text or self.printed
            return
        lines = text[: text.rfind("\n") + 1]  # the last line may not be whole yet
        if lines.startswith(self.printed):
            click.echo(clean_lines(lines[len(self.printed) :]), nl=False)
            self.printed = lines
        elif not self._told:
            self._told = True
            say("It prints more than is kept, or was begun once more: the rest comes when it has ended.")

    def trouble(self, message: str) -> None:
        """Tell of a passing trouble."""
        say(message)


def _alike(one: str, other: str) -> int:
    """Return how many characters the lines have with which both texts begin."""
    pairs = zip(one.splitlines(keepends=True), other.splitlines(keepends=True), strict=False)
    return sum(len(line) for line, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
