import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

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


@pytest.fixture
def lethe(env, time):
    """Call `lethe` in this process; gives click's Result with exit_code, stdout and stderr."""

    def call(*arguments: str, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(main, list(arguments), input=stdin, obj=time.clock)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A participant's folder."""
    folder = tmp_path / "method"
    folder.mkdir()
    (folder / "submission.py").write_text("def unlearning(net, retain, forget, val): ...\n")
    return folder
