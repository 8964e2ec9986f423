"""What an operator starts: the web service, a worker, migrations, accounts."""

import logging
import os
import secrets
import signal
import socket
import sys
from datetime import UTC, datetime

import click

from app.settings import Settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on."
)
def serve(host: str, port: int) -> None:
    """Run the web service: pages and API."""
    import uvicorn

    from app.main import create_app

    uvicorn.run(
        create_app(Settings()),
        host=host,
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=3,
        server_header=False,
    )


@click.command()
@click.option("--name", default="", help="This worker's name in logs and events [default: host and process].")
def worker(name: str) -> None:
    """Run submissions from the queue, each seed in its own sandbox, until SIGTERM or Ctrl-C."""
    import torch

    from app.db import make_engine
    from app.storage import LocalStorage
    from worker.device import Device
    from worker.pipeline import Worker
    from worker.sandbox.base import SandboxUnavailable
    from worker.sandbox.bubblewrap import Bubblewrap
    from worker.sandbox.pool import Pool

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    torch.set_num_threads(1)  # inference beside starting sandboxes: more threads only wait for each other
    settings = Settings()
    backend = Bubblewrap(settings.sandbox_uid_base)
    try:
        backend.probe()
    except SandboxUnavailable as error:
        raise click.ClickException(f"no untrusted code will be run: {error}") from error
    pool = Pool(backend)
    loop = Worker(
        make_engine(settings.url),
        Device(LocalStorage(settings.data_dir / "blobs"), pool, settings),
        settings,
        name or f"{socket.gethostname()}:{os.getpid()}",
        probe=backend.probe,
    )
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: loop.stop())
    try:
        loop.run_forever()
    finally:
        pool.close()


@click.command()
def migrate() -> None:
    """Bring the database to the current schema."""
    from app.db import migrate as upgrade

    settings = Settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    upgrade(settings.url)
    click.echo("The database is at the current schema.", err=True)


@click.group()
def user() -> None:
    """Accounts: add people, issue API tokens."""


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice(["participant", "admin"]), default="participant", show_default=True)
def add(name: str, role: str) -> None:
    """Add an account and print its random password."""
    from app import auth
    from app.db import make_engine, unit_of_work

    password = secrets.token_urlsafe(12)
    with unit_of_work(make_engine(Settings().url)) as session:
        auth.create_user(session, name, password, role, datetime.now(UTC))
    click.echo(password)


@user.command()
@click.argument("name")
def token(name: str) -> None:
    """Issue an API token for an account and print it; it is shown only once."""
    from sqlalchemy import select

    from app import auth
    from app.db import make_engine, unit_of_work
    from app.models import User

    with unit_of_work(make_engine(Settings().url)) as session:
        found = session.scalar(select(User).where(User.name == name))
        if found is None:
            click.echo(f"There is no account named {name!r}: add it with `lethe user add {name}`.", err=True)
            sys.exit(1)
        click.echo(auth.issue_token(session, found, "api", "issued by an operator", datetime.now(UTC), None))
