"""Each service's own command of docker-compose.yml, on real PostgreSQL and Redis."""

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from tests.compose import read
from tests.stack import PASSWORD, Stack


@pytest.fixture
def stack(tmp_path, postgres_url):
    stack = Stack(tmp_path, postgres_url, read()["services"])
    if shutil.which("redis-server") is None:
        pytest.fail("the tests need Redis: apt-get install -y redis-server", pytrace=False)
    with psycopg.connect(
        host=stack.postgres.query["host"], user="lethe", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute("CREATE DATABASE compose")
        yield stack
        connection.execute("DROP DATABASE compose WITH (FORCE)")


def redis(stack):
    """Redis by the service's own entrypoint and command, on another port of this machine."""
    [script] = stack.services["redis"]["command"]
    script = script.replace("requirepass", f"bind 127.0.0.1\nport {stack.ports['6379']}\nrequirepass", 1)
    return stack.running("redis", [*stack.services["redis"]["entrypoint"], script])


def ping(stack, password):
    with socket.create_connection(("127.0.0.1", stack.ports["6379"]), timeout=5) as connection:
        connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
        return connection.recv(200)


def test_every_services_own_command_works_and_they_find_each_other(stack):
    with redis(stack) as (process, log):
        while b"+PONG" not in (answered := _try_ping(stack)):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        assert answered.startswith(b"+OK")
        assert b"+PONG" not in ping(stack, "guess")
        assert PASSWORD not in _command_line(process.pid)
        migrated = subprocess.run(
            stack.lethe("migrate"),
            env=stack.environment("migrate"),
            cwd=stack.folder,
            check=False,
            timeout=120,
        )
        assert migrated.returncode == 0
        with stack.running("web") as web, stack.running("worker-cpu", LETHE_SANDBOX="bubblewrap") as worker:
            stack.wait("web", *web)
            stack.wait("worker-cpu", *worker)
            checks = json.loads(stack.ask("/readyz")[1])["checks"]
            assert checks == {"database": "ok", "storage": "ok", "broker": "ok"}
            for port, name in (("8000", "lethe_database_up 1.0"), ("9101", "lethe_claim_seconds_count")):
                assert stack.ask("/metrics", port)[0] == 401
                status, text = stack.ask("/metrics", port, Authorization=f"Bearer {PASSWORD}")
                assert (status, name in text) == (200, True)
        for _, written in (web, worker):
            assert {json.loads(line)["level"] for line in written.read_text().splitlines()} <= {"info"}
            assert PASSWORD not in written.read_text()


def _try_ping(stack):
    try:
        return ping(stack, PASSWORD)
    except OSError:
        return b""


def _command_line(pid):
    return Path(f"/proc/{pid}/cmdline").read_text()
