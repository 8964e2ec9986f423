"""docs/quickstart.md, followed to the letter: every command in it runs, in order, against a real service."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.service import ROOT, Service
from tests.smoky import make_smoky

PAGE = (ROOT / "docs/quickstart.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
DEMO_URL = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """The tiny competition under the name that the page uses."""
    folder = make_smoky(tmp_path_factory.mktemp("competitions"))
    rules = folder / "competition.toml"
    rules.write_text(rules.read_text().replace('slug = "tiny"', 'slug = "digits"'))
    with Service.prepared(tmp_path_factory.mktemp("service"), folder.parent) as running:
        yield running


def test_every_block_is_a_shell_block_and_there_are_some():
    assert len(BLOCKS) == PAGE.count("```") // 2 >= 5


def test_every_command_of_the_page_works(service, tmp_path):
    script = "".join(BLOCKS).replace(DEMO_URL, service.url)
    assert service.url in script
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LETHE_")} | {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-exuo", "pipefail", "-c", script],
        cwd=home,
        env=environment,
        input=f"{service.token}\n",
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "The token works" in done.stderr
    assert done.stdout.count("scored") >= 3, done.stdout  # local, submit and status
    assert "ada" in done.stdout.splitlines()[-1] or "ada" in done.stdout
    assert (home / "config/lethe/config.toml").stat().st_mode & 0o077 == 0
