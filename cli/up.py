"""`lethe up`: everything on one machine, under one supervisor; what `make demo` runs."""

import ctypes
import json
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Self

import click

from app.settings import Settings
from cli.check import check_examples

STOP_SECONDS = 10.0
PR_SET_PDEATHSIG = 1


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
def up(port: int, competition: str, *, check: bool) -> None:
    """Migrate, prepare a competition, and run web and worker until Ctrl-C."""
    settings = Settings()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _require_free(port)
        _lethe("migrate")
        _lethe("competition", "prepare", competition)
        accounts = _accounts(settings)
        with Supervisor(port) as supervisor:
            supervisor.wait_until_healthy()
            if check:
                sys.exit(check_examples(settings, supervisor.url, competition))
            _welcome(supervisor.url, competition, accounts)
            supervisor.watch()
    except KeyboardInterrupt:
        click.echo("\nStopped. Run it again to go on where it was.", err=True)
        sys.exit(130)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise click.ClickException(f"port {port} is taken: try make demo PORT={port + 1}") from error


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli.main", *arguments]


def _lethe(*arguments: str) -> None:
    """Run one lethe command in the foreground; its own words explain a failure."""
    code = subprocess.run(_command(*arguments), check=False).returncode
    if code in {130, -signal.SIGINT}:
        raise KeyboardInterrupt
    if code != 0:
        sys.exit(code)


@dataclass(frozen=True)
class Account:
    """A demo account: its password and token are random, made at the first start."""

    name: str
    role: str
    password: str
    token: str


def _accounts(settings: Settings) -> list[Account]:
    """Return the demo's accounts, made once and kept in a file that only this user can read."""
    from app import auth
    from app.db import make_engine, unit_of_work

    path = settings.data_dir / "demo-accounts.json"
    if path.exists():
        return [Account(**entry) for entry in json.loads(path.read_text())]
    accounts = []
    now = datetime.now(UTC)
    with unit_of_work(make_engine(settings.url)) as session:
        for name, role in (("admin", "admin"), ("ada", "participant")):
            password = secrets.token_urlsafe(12)
            user = auth.create_user(session, name, password, role, now)
            token = auth.issue_token(session, user, "api", "demo", now, None)
            accounts.append(Account(name, role, password, token))
        path.touch(mode=0o600)
        path.write_text(json.dumps([vars(account) for account in accounts], indent=2) + "\n")
    return accounts


def _welcome(url: str, competition: str, accounts: list[Account]) -> None:
    participant = next(account for account in accounts if account.role == "participant")
    click.echo(f"\nLethe is running at {url}\n")
    for account in accounts:
        click.echo(f"  {account.role:<12} {account.name:<8} password {account.password}")
    click.echo("\nNext, in another terminal, send an example as the participant:\n")
    click.echo(f"  export LETHE_URL={url} LETHE_TOKEN={participant.token}")
    click.echo(
        f"  {Path(sys.executable).parent / 'lethe'} submit competitions/{competition}/examples/finetune --competition {competition} --wait"
    )
    click.echo("\nCtrl-C stops everything.")


@dataclass
class Supervisor:
    """Starts web and worker, restarts what dies, and stops both in order."""

    port: int
    children: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the web service listens."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start("web")
        self._start("worker")
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.children.values():
            child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _start(self, name: str) -> None:
        arguments = {"web": ("serve", "--port", str(self.port)), "worker": ("worker", "--name", "worker-1")}[
            name
        ]
        # a session of its own: Ctrl-C reaches the supervisor alone, which stops its children in order
        self.children[name] = subprocess.Popen(
            _command(*arguments),
            start_new_session=True,
            preexec_fn=_die_with_supervisor,  # noqa: PLW1509 - no threads here
        )

    def wait_until_healthy(self, seconds: float = 60.0) -> None:
        """Block until the web service answers."""
        import httpx

        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.children["web"].poll() is not None:
                raise click.ClickException("the web service did not start; its message is above")
            try:
                if httpx.get(f"{self.url}/healthz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        raise click.ClickException(f"the web service did not answer within {seconds:.0f} s")

    def watch(self) -> None:
        """Restart what dies; a child that dies twice within ten seconds is given up with its message."""
        started = dict.fromkeys(self.children, time.monotonic())
        while True:
            time.sleep(0.5)
            for name, child in self.children.items():
                if child.poll() is None:
                    continue
                if time.monotonic() - started[name] < STOP_SECONDS:
                    raise click.ClickException(f"the {name} process keeps ending; its message is above")
                click.echo(f"The {name} process ended ({child.returncode}); starting it again.", err=True)
                self._start(name)
                started[name] = time.monotonic()


def _die_with_supervisor() -> None:
    """Make the kernel stop this child when the supervisor dies, however it dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
