"""`lethe up --check`: send every example bundle as a participant would, and compare the verdicts with their READMEs."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

EXPECTED = re.compile(r"^Expected verdict: (\w+)(?: \((\w+)\))?$", re.MULTILINE)
WAIT_SECONDS = 900
_LETHE = (sys.executable, "-m", "cli.main")


@dataclass(frozen=True)
class Example:
    """An example bundle and the verdict that its README names, with the reason code where there is one."""

    folder: Path
    verdict: str
    reason: str | None


def examples_of(competition: Path) -> list[Example]:
    """Return a competition's example bundles. Raises ClickException when there are none or one names no verdict."""
    found = []
    for readme in sorted((competition / "examples").glob("*/README.md")):
        match = EXPECTED.search(readme.read_text(encoding="utf-8"))
        if match is None or (match[1] != "scored" and match[2] is None):
            raise click.ClickException(
                f"{readme} needs a line 'Expected verdict: scored', or 'Expected verdict: VERDICT (REASON)'"
            )
        found.append(Example(readme.parent, match[1], match[2]))
    if not found:
        raise click.ClickException(f"{competition / 'examples'} holds no example bundles")
    return found


def scored_examples(competition: Path) -> list[Path]:
    """Return the folders of the examples whose READMEs promise a score."""
    found = sorted((competition / "examples").glob("*/README.md"))
    promised = ((one.parent, EXPECTED.search(one.read_text(encoding="utf-8"))) for one in found)
    return [folder for folder, match in promised if match is not None and match[1] == "scored"]


def check_examples(competition: Path, url: str, token: str, still_up: Callable[[], None]) -> int:
    """Submit all examples over HTTP, wait, print what came out; 0 only if each got the verdict it names.

    `still_up` is called again and again while waiting, and raises when a process that must live has ended.
    """
    examples = examples_of(competition)
    environment = {**os.environ, "LETHE_URL": url, "LETHE_TOKEN": token}
    slug = competition.name
    click.echo(
        f"\nSending {len(examples)} example bundles as a participant would; each that is scored takes a minute or two."
    )
    answers = [
        _lethe(environment, still_up, "submit", str(example.folder), "--competition", slug, "--json")
        for example in examples
    ]
    surprises = 0
    for example, answer in zip(examples, answers, strict=True):
        final = answer
        if "id" in answer:
            click.echo(f"Waiting for {example.folder.name} ...", err=True)
            final = _lethe(
                environment,
                still_up,
                "status",
                answer["id"],
                "--wait",
                "--timeout",
                str(WAIT_SECONDS),
                "--json",
            )
        surprises += not _told(example, *_outcome(final))
    subprocess.run([*_LETHE, "leaderboard", slug], env=environment, check=True)
    click.echo(
        f"{surprises} surprise(s)." if surprises else "Every example got the verdict its README names."
    )
    return 1 if surprises else 0


def _told(example: Example, verdict: str, reason: str | None) -> bool:
    """Print one line about an example; return whether it ended as its README says."""
    as_named = (verdict, reason) == (example.verdict, example.reason)
    named = "as its README says" if as_named else f"but its README names {example.verdict} ({example.reason})"
    click.echo(
        f"{'ok ' if as_named else 'NOT'} {example.folder.name:<12} {verdict}{f' ({reason})' if reason else ''}, {named}"
    )
    return as_named


def _lethe(environment: Mapping[str, str], still_up: Callable[[], None], *arguments: str) -> dict[str, Any]:
    """Run one lethe command as a participant and return the JSON object it printed, errors included."""
    quiet = subprocess.DEVNULL if arguments[0] == "submit" else None  # its next command is ours to run
    with (
        tempfile.TemporaryFile() as out,
        subprocess.Popen([*_LETHE, *arguments], env=environment, stdout=out, stderr=quiet) as process,
    ):
        while process.poll() is None:
            try:
                still_up()
            except BaseException:
                process.terminate()
                raise
            time.sleep(0.2)
        out.seek(0)
        try:
            answer: dict[str, Any] = json.load(out)
        except ValueError as error:
            raise click.ClickException(
                f"lethe {arguments[0]} printed no JSON (exit code {process.returncode})"
            ) from error
    return answer


def _outcome(answer: dict[str, Any]) -> tuple[str, str | None]:
    """Return (verdict, reason code) of a submission, or ('rejected', code) of one refused at the door."""
    if "id" not in answer:
        return "rejected", answer.get("code")
    reason = answer.get("reason")
    return str(answer.get("verdict")), reason["code"] if reason else None
