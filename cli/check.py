"""`lethe up --check`: send every example bundle as a participant would, and compare the verdicts with their READMEs."""

import json
import os
import re
import secrets
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from app.settings import Settings

EXPECTED = re.compile(r"^Expected verdict: (\w+)(?: \((\w+)\))?$", re.MULTILINE)
WAIT_SECONDS = 900


@dataclass(frozen=True)
class Example:
    """An example bundle and the verdict that its README names, with the reason code where it names one."""

    folder: Path
    verdict: str
    reason: str | None


def examples_of(competition: Path) -> list[Example]:
    """Return a competition's example bundles. Raises ClickException when there are none or one names no verdict."""
    found = []
    for readme in sorted((competition / "examples").glob("*/README.md")):
        match = EXPECTED.search(readme.read_text(encoding="utf-8"))
        if match is None:
            raise click.ClickException(f"{readme} has no line 'Expected verdict: ...'")
        found.append(Example(readme.parent, match[1], match[2]))
    if not found:
        raise click.ClickException(f"{competition / 'examples'} holds no example bundles")
    return found


def check_examples(settings: Settings, url: str, slug: str) -> int:
    """Submit all examples over HTTP, wait, print what came out; 0 only if each got the verdict it names."""
    examples = examples_of(settings.competitions_dir / slug)
    environment = {**os.environ, "LETHE_URL": url, "LETHE_TOKEN": _fresh_participant(settings)}
    answers = [
        _lethe(environment, "submit", str(e.folder), "--competition", slug, "--json") for e in examples
    ]
    surprises = 0
    for example, answer in zip(examples, answers, strict=True):
        final = answer
        if "id" in answer:
            click.echo(f"Waiting for {example.folder.name} ...", err=True)
            final = _lethe(
                environment, "status", answer["id"], "--wait", "--timeout", str(WAIT_SECONDS), "--json"
            )
        verdict, reason = _outcome(final)
        as_named = verdict == example.verdict and example.reason in {None, reason}
        surprises += not as_named
        named = example.verdict + (f" ({example.reason})" if example.reason else "")
        click.echo(
            f"{'ok ' if as_named else 'NOT'} {example.folder.name:<16} {verdict} ({reason or 'no reason'}); its README names {named}"
        )
    subprocess.run([*_LETHE, "leaderboard", slug], env=environment, check=True)
    click.echo(
        "Every example got the verdict its README names." if not surprises else f"{surprises} surprise(s)."
    )
    return 1 if surprises else 0


_LETHE = (sys.executable, "-m", "cli.main")


def _fresh_participant(settings: Settings) -> str:
    """Return the token of a new participant, so that a check never meets a quota that an earlier one used up."""
    from app import auth
    from app.db import make_engine, unit_of_work

    now = datetime.now(UTC)
    with unit_of_work(make_engine(settings.url)) as session:
        name = f"check-{now:%m%d-%H%M%S}"
        user = auth.create_user(session, name, secrets.token_urlsafe(12), "participant", now)
        return auth.issue_token(session, user, "api", "check", now, None)


def _lethe(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Run one lethe command as a participant and return the JSON object it printed, errors included."""
    done = subprocess.run([*_LETHE, *arguments], env=environment, check=False, stdout=subprocess.PIPE)
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise click.ClickException(
            f"lethe {' '.join(arguments)} printed no JSON (exit code {done.returncode})"
        ) from error
    return answer


def _outcome(answer: dict[str, Any]) -> tuple[str, str | None]:
    """Return (verdict, reason code) of a finished submission, or ('rejected', code) of one refused at the door."""
    if "verdict" in answer:
        reason = answer.get("reason")
        return str(answer["verdict"]), reason["code"] if reason else None
    return "rejected", answer.get("code")
