import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.clock import Clock
from cli.main import main
from tests.cli.service import FakeTime, Service

TOKEN = "lethe_test-token"


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    thread = threading.Thread(target=service.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield service
    service.server.shutdown()
    service.server.server_close()
    thread.join()


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, service: Service) -> pytest.MonkeyPatch:
    """An environment that knows the service and a token, and none of this machine's own settings."""
    for name in ("LETHE_TOKEN_FILE", "XDG_CONFIG_HOME", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LETHE_CONFIG", str(tmp_path / "config" / "config.toml"))
    monkeypatch.setenv("LETHE_URL", service.url)
    monkeypatch.setenv("LETHE_TOKEN", TOKEN)
    return monkeypatch


def invoked(*arguments: str, stdin: str | None = None, clock: Clock | None = None) -> Result:
    """Call `lethe` in this process; an exception that nobody reported fails the test."""
    result = CliRunner().invoke(main, list(arguments), input=stdin, obj=clock)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def lethe(env, time):
    """Call `lethe` as a participant; gives click's Result with exit_code, stdout and stderr."""
    return lambda *arguments, stdin=None: invoked(*arguments, stdin=stdin, clock=time.clock)


@pytest.fixture
def on_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Call `lethe` as an operator, on a data folder of its own: `data` in `tmp_path`."""
    for name in ("LETHE_DATABASE_URL", "LETHE_DEVICE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LETHE_DATA_DIR", str(tmp_path / "data"))
    return invoked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A participant's folder."""
    folder = tmp_path / "method"
    folder.mkdir()
    (folder / "submission.py").write_text("def unlearning(net, retain, forget, val): ...\n")
    return folder
