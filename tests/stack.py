"""Runs the services of docker-compose.yml without containers, on a PostgreSQL and a Redis of the tests' own."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

from sqlalchemy import make_url

from tests.compose import ROOT, SECRETS

PASSWORD = "p4ssw0rd-of-the-tests"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stack:
    """The services' own commands and environments; only addresses and paths are this machine's."""

    def __init__(self, folder, postgres_url, services):
        self.folder = folder
        self.services = services
        self.postgres = make_url(postgres_url)
        self.ports = {"6379": free_port(), "8000": free_port(), "9101": free_port()}
        self.secrets = {name: folder / name for name in SECRETS}
        for path in self.secrets.values():
            path.write_text(PASSWORD)

    def environment(self, name):
        own = {key: self.here(str(value)) for key, value in self.services[name]["environment"].items()}
        return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **own}

    def here(self, text):
        socket_folder = self.postgres.query["host"]
        text = text.replace("@db:5432/lethe", f"@/compose?host={socket_folder}")
        text = text.replace("redis://redis:6379", f"redis://127.0.0.1:{self.ports['6379']}")
        text = text.replace("/run/secrets/", f"{self.folder}/").replace(
            "/srv/lethe", str(self.folder / "data")
        )
        text = text.replace("/lethe/competitions", str(ROOT / "competitions"))
        for inside in ("8000", "9101"):
            text = re.sub(rf"(:|^){inside}\b", rf"\g<1>{self.ports[inside]}", text)
        return text.replace("0.0.0.0", "127.0.0.1")

    def lethe(self, name):
        return [
            sys.executable,
            "-m",
            "cli.main",
            *(self.here(word) for word in self.services[name]["command"]),
        ]

    @contextmanager
    def running(self, name, command=None, **more):
        log = self.folder / f"{name}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                command or self.lethe(name),
                env=self.environment(name) | more,
                cwd=self.folder,
                stdout=output,
                stderr=output,
            )
        try:
            yield process, log
        finally:
            process.terminate()
            process.wait(60)

    def healthy(self, name):
        kind, *test = self.services[name]["healthcheck"]["test"]
        words = [self.here(word) for word in test]
        if kind == "CMD-SHELL":
            words = ["sh", "-c", *words]
        words[0] = sys.executable if words[0] == "/opt/lethe/bin/python" else words[0]
        done = subprocess.run(words, env=self.environment(name), capture_output=True, check=False, timeout=30)
        return done.returncode == 0

    def wait(self, name, process, log):
        deadline = time.monotonic() + 120
        while not self.healthy(name):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)

    def ask(self, path, port="8000", **headers):
        url = f"http://127.0.0.1:{self.ports[port]}{path}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
