"""What an operator starts: the web service, a worker, migrations, accounts."""

import json
import socket
from typing import TYPE_CHECKING

import click

from cli.errors import CliError, reported
from cli.installation import migrated_database, settings_of_environment, words_for_errors
from cli.options import examples

if TYPE_CHECKING:
    from app.settings import Settings
    from worker.metrics import WorkerMetrics


@examples("lethe serve --host 0.0.0.0 --port 8000")
@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on."
)
@reported
def serve(*, host: str, port: int) -> None:
    """Run the web service: pages and API."""
    import uvicorn

    from app.log_lines import configure
    from app.main import create_app
    from app.notices.delivery import deliver

    settings = settings_of_environment()
    configure(settings.environment)
    migrated_database(settings).dispose()
    with words_for_errors():
        application = create_app(settings)
    deliver(settings)
    config = uvicorn.Config(
        application,
        log_config=None,  # uvicorn's own would go around ours
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,
        server_header=False,
    )
    with _listening(host, port) as listener:
        uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise CliError(
            f"Cannot listen on {host}, port {port}: {error.strerror}.",
            code="cannot_listen",
            advice="Choose another with --port, or --host.",
        ) from error
    # connections inherit it; asyncio sets it only on sockets it makes itself, and a small answer would wait 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


@examples("lethe worker --name gpu-1")
@click.command()
@click.option("--name", default="", help="This worker's name in logs and events [default: host and process].")
@reported
def worker(*, name: str) -> None:
    """Run submissions from the queue, each seed in its own sandbox, until SIGTERM or Ctrl-C.

    Where LETHE_BROKER_URL is set it is a Celery worker, else it polls the database. Told to stop, it takes no more
    work and lets the run in hand last for LETHE_DRAIN_SECONDS; told twice, it stops at once.
    """
    settings = settings_of_environment()
    engine = migrated_database(settings)

    from app.log_lines import configure
    from worker.sandbox.base import SandboxUnavailable
    from worker.sandbox.choose import backend_of, take_gpu

    configure(settings.environment)
    try:
        gpu = take_gpu(settings)
        backend = backend_of(settings)
        backend.probe()
    except SandboxUnavailable as error:
        raise CliError(f"No untrusted code will be run: {error}", code="no_sandbox") from error

    from app.storage import open_storage
    from worker.metrics import WorkerMetrics
    from worker.service import serve as work

    with words_for_errors():
        storage = open_storage(settings)
    metrics = WorkerMetrics()
    _show(metrics, settings)
    # a sandbox that gets ready uses the GPU, which is the running one's alone: on a GPU they take turns
    work(settings, engine, backend, storage, name, cores=1 if gpu else None, metrics=metrics)


def _show(metrics: "WorkerMetrics", settings: "Settings") -> None:
    """Answer a worker's metrics and health where the settings say."""
    from worker.metrics import parse_address, serve

    if not settings.metrics_address:
        return
    token = settings.metrics_token
    try:
        serve(metrics, parse_address(settings.metrics_address, token), token)
    except (ValueError, OSError) as error:
        raise CliError(
            f"Metrics cannot be shown: {error}.", code="cannot_listen", advice="See LETHE_METRICS_ADDRESS."
        ) from error


@examples("lethe migrate")
@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, in failure too.")
@reported
def migrate(*, as_json: bool) -> None:
    """Bring the database to the current schema."""
    from app.db import migrate as upgrade

    settings = settings_of_environment()
    with words_for_errors(settings):
        upgrade(settings.url)
    click.echo("The database is at the current schema.", err=True)
    if as_json:
        click.echo(json.dumps({"schema": "current"}))
