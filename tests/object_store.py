"""An S3-compatible server of our own: moto's, in a process of its own on the loopback interface."""

import re
import subprocess
import sys
import time
from itertools import count

import httpx

from app.settings import Settings
from app.storage import open_storage

ACCESS_KEY, SECRET_KEY = "lethe-access-key", "lethe-secret-key"


class ObjectStore:
    """The server; each test takes a bucket of its own."""

    def __init__(self, folder):
        self.folder = folder
        self._names = count()
        for name, word in (("access", ACCESS_KEY), ("secret", SECRET_KEY)):
            (folder / name).write_text(f"{word}\n")

    def start(self):
        log = self.folder / "log"
        with log.open("w") as output:
            command = [
                sys.executable,
                "-c",
                "from moto.server import main; main(['-H', '127.0.0.1', '-p', '0'])",
            ]
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        deadline = time.monotonic() + 60
        while (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())) is None:
            assert self._process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        self.endpoint = found[0]

    def stop(self):
        self._process.kill()
        self._process.wait()

    def bucket(self):
        """Make a bucket; return its name."""
        name = f"bucket-{next(self._names)}"
        httpx.put(f"{self.endpoint}/{name}", timeout=60).raise_for_status()
        return name

    def settings(self, bucket, data_dir, **more):
        """Settings that name a place in a bucket."""
        return Settings(
            data_dir=data_dir,
            storage_url=f"s3://{bucket}/some/where",
            storage_endpoint=self.endpoint,
            storage_access_key_file=self.folder / "access",
            storage_secret_key_file=self.folder / "secret",
            **more,
        )

    def storage(self, data_dir):
        """A storage in a new bucket."""
        return open_storage(self.settings(self.bucket(), data_dir))
