"""Fixtures that several folders of tests share."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.object_store import ObjectStore

# what a test changes behind the web service's back is to be seen at once
os.environ["LETHE_FRESH_SECONDS"] = "0"
# no test may fail because this machine is slow just now
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
os.environ["AIOSMTPD_CONTROLLER_TIMEOUT"] = "60"


class PostgresCluster:
    """A PostgreSQL of our own in a folder of its own, reached by a Unix socket; never run as root."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lethe-pg-"))
        self._account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self._account is not None:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        self.folder.chmod(0o755)

    @property
    def url(self):
        return f"postgresql+psycopg://lethe@/postgres?host={self.folder}"

    def start(self):
        self._run(
            "initdb",
            "-D",
            self._data,
            "-U",
            "lethe",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        )
        self.serve()

    def serve(self):
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=100"
        self._run("pg_ctl", "-D", self._data, "-l", self.folder / "log", "-w", "-o", options, "start")

    def kill(self):
        """Kill the server's first process, as a machine without memory would; the others follow it."""
        os.kill(int((self._data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def stop(self):
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self):
        return self.folder / "data"

    def _run(self, program, *arguments):
        as_them = {}
        if self._account is not None:
            as_them = {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        command = [_binary(program), *map(str, arguments)]
        log = self.folder / f"{program}.log"
        with log.open("w") as output:  # a pipe would stay open as long as the server lives
            done = subprocess.run(
                command, stdout=output, stderr=output, cwd=self.folder, check=False, timeout=60, **as_them
            )
        if done.returncode:
            server = self.folder / "log"
            text = log.read_text() + (server.read_text() if server.exists() else "")
            raise RuntimeError(f"{' '.join(command)} failed:\n{text}")


def _binary(program):
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    found = str(installed[-1]) if installed else shutil.which(program)
    if found is None:
        pytest.fail(
            "the tests need PostgreSQL's server programs: apt-get install -y postgresql", pytrace=False
        )
    return found


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of an empty PostgreSQL that lives for this session."""
    _binary("initdb")
    cluster = PostgresCluster()
    try:
        cluster.start()
        yield cluster.url
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def object_store(tmp_path_factory) -> Iterator[ObjectStore]:
    """An S3-compatible server that lives for this session."""
    server = ObjectStore(tmp_path_factory.mktemp("object-store"))
    server.start()
    yield server
    server.stop()
