"""`lethe up`: everything on one machine, under one supervisor; what `make demo` runs."""

import signal
import socket
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from cli.errors import reported
from cli.installation import settings_of_environment
from cli.operator.supervisor import Supervisor, run
from cli.options import examples

if TYPE_CHECKING:
    from app.settings import Settings

HEALTHY_SECONDS = 60.0


@examples("lethe up", "lethe up --check")
@click.command()
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port of the web service."
)
@click.option(
    "--competition", default="digits", show_default=True, help="Folder under competitions/ to prepare."
)
@click.option(
    "--check",
    is_flag=True,
    help="Submit the example bundles, print the leaderboard, stop; exit 1 on a surprise.",
)
@reported
def up(port: int, competition: str, *, check: bool) -> None:
    """Migrate, prepare a competition, and run web and worker until Ctrl-C."""
    for signum in (signal.SIGINT, signal.SIGTERM):  # a shell's background job starts deaf to SIGINT
        signal.signal(signum, _interrupt)
    try:
        _up(port, competition, check=check)
    except KeyboardInterrupt:
        click.echo("\nStopped. Run it again to go on where it was.", err=True)
        sys.exit(130)


def _up(port: int, competition: str, *, check: bool) -> None:
    from app.db import make_engine
    from cli.operator.accounts import demo_accounts, fresh_participant
    from cli.operator.check import check_examples

    settings = settings_of_environment()
    _require_free(port)
    _require_sandboxes(settings)
    _lethe("migrate")
    _lethe("competition", "prepare", competition)
    engine, now = make_engine(settings.url), datetime.now(UTC)
    accounts = demo_accounts(settings.data_dir / "demo-accounts.json", engine, now)
    url = f"http://127.0.0.1:{port}"
    commands = {
        "web": _command("serve", "--port", str(port)),
        "worker": _command("worker", "--name", "worker-1"),
    }
    with Supervisor(commands, settings.data_dir / "log") as supervisor:
        _wait_until_healthy(url, supervisor)
        if check:
            token = fresh_participant(engine, now)
            sys.exit(check_examples(settings.competitions_dir / competition, url, token, supervisor.check))
        click.echo(f"\nLethe is running at {url}\n")
        for account in accounts:
            click.echo(f"  {account.role:<12} {account.name:<8} password {account.password}")
        _next_command(
            url,
            settings.competitions_dir / competition,
            next(a.token for a in accounts if a.role == "participant"),
        )
        click.echo(f"\nLogs are in {supervisor.logs}. Ctrl-C stops everything.")
        supervisor.watch()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise click.ClickException(f"port {port} is taken: try make demo PORT={port + 1}") from error


def _require_sandboxes(settings: "Settings") -> None:
    """Say before minutes of training that nothing could be run afterwards."""
    from worker.sandbox.base import SandboxUnavailable
    from worker.sandbox.choose import backend_of

    try:
        backend_of(settings).probe()
    except SandboxUnavailable as error:
        raise click.ClickException(str(error)) from error


def _command(*arguments: str) -> Sequence[str]:
    return [sys.executable, "-m", "cli.main", *arguments]


def _lethe(*arguments: str) -> None:
    """Run one lethe command in the foreground; its own words explain a failure."""
    code = run(_command(*arguments))
    if code != 0:
        sys.exit(code)


def _wait_until_healthy(url: str, supervisor: Supervisor) -> None:
    import httpx

    deadline = time.monotonic() + HEALTHY_SECONDS
    while time.monotonic() < deadline:
        supervisor.check()
        try:
            # a proxy named in the environment knows nothing of this machine
            if httpx.get(f"{url}/healthz", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise click.ClickException(
        f"the web service did not answer within {HEALTHY_SECONDS:.0f} s (logs: {supervisor.logs})"
    )


def _next_command(url: str, competition: Path, token: str) -> None:
    """Say how to send the first example that scores, where there is one."""
    from cli.operator.check import scored_examples

    lethe = Path(sys.executable).parent / "lethe"
    example = next(iter(scored_examples(competition)), Path("my-method"))
    click.echo("\nNext, in another terminal in this folder, send an example as the participant:\n")
    click.echo(f"  export LETHE_URL={url} LETHE_TOKEN={token}")
    click.echo(f"  {_from_here(lethe)} submit {_from_here(example)} --competition {competition.name} --wait")


def _from_here(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
