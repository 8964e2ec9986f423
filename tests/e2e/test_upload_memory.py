"""An upload takes constant memory: the benchmark with a bundle that would break its bound if it were held in memory."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_an_upload_larger_than_what_is_free_below_the_bound_is_stored_in_either_storage():
    command = [sys.executable, "benchmarks/upload.py", "100"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[-1] for line in done.stdout.splitlines()[2:]] == ["yes"] * 4
