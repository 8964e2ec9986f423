"""`lethe local` in real sandboxes: what the service would say of a bundle, from public data alone and without a server."""

import json

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from cli.main import main
from tests.bundles import zipped
from tests.smoky import TINY, make_smoky
from tests.worker.bench import prepare_into

NUDGE = (TINY / "examples/nudge/submission.py").read_text()
RAISES = (
    "def unlearning(net, retain, forget, val_loader):\n    print('before')\n    raise ValueError('seen')\n"
)
LOOPS = "def unlearning(net, retain, forget, val_loader):\n    while True: pass\n"
NO_ENTRY = "def forgetting(net, retain, forget, val_loader): ...\n"
SAME = "def unlearning(net, retain, forget, val_loader): ...\n"
LATE = """
import torch

def unlearning(net, retain, forget, val_loader):
    print(len(retain.dataset), "to keep", torch.initial_seed())
    if torch.initial_seed() != FIRST:
        raise RuntimeError("only the first seed goes well")
"""


@pytest.fixture(scope="module")
def competition(tmp_path_factory):
    return make_smoky(tmp_path_factory.mktemp("competition"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """What one call trains and measures, the next ones use."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def lethe(cache, monkeypatch, tmp_path):
    monkeypatch.setenv("LETHE_CACHE_DIR", str(cache))
    monkeypatch.setenv("LETHE_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("LETHE_URL", "http://127.0.0.1:9")  # nobody answers there
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        result = CliRunner().invoke(main, list(arguments))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def bundle(tmp_path):
    def of(source):
        path = tmp_path / "bundle.zip"
        path.write_bytes(zipped(source))
        return str(path)

    return of


def test_a_bundle_is_scored_as_the_service_would_and_repeats_with_its_seed(lethe, competition, bundle):
    first = lethe("local", bundle(NUDGE), "--competition", str(competition))
    assert first.exit_code == 0, first.stderr
    assert "Sandbox: bubblewrap." in first.stderr
    assert "WARNING" not in first.stderr
    assert "kept for a day" in first.stderr
    assert "to compare with: about" in first.stderr
    assert first.stdout.splitlines()[0].split() == ["verdict", "scored,", "4", "runs", "on", "public", "data"]
    for words in ("official score", "retraining itself", "cutoff here", "at full size", "on public data"):
        assert words in first.stdout
    again = lethe("local", bundle(NUDGE), "--competition", str(competition), "--json")
    assert "to compare with" not in again.stderr, "the models are trained once"
    assert "three times" not in again.stderr, "and retraining is timed once a day"
    found = json.loads(again.stdout)
    assert (found["verdict"], found["reason"], found["sandbox"]) == ("scored", None, "bubblewrap")
    assert len(found["seconds"]) == found["runs"] == 4
    assert 0 < found["full_size_seconds"] < found["cutoff_seconds"]
    assert found["cutoff_seconds"] == pytest.approx(100 * found["retrain_seconds"])
    assert f"{found['score']['score']:.4f}" in first.stdout
    assert 0 < found["score"]["retraining_score"] <= 1.5


def test_another_number_gives_other_seeds_and_runs_can_be_fewer(lethe, competition, bundle):
    source = (
        "def unlearning(net, retain, forget, val_loader):\n    import torch; print(torch.initial_seed())\n"
    )
    calls = [
        lethe("local", bundle(source), "-c", str(competition), "--runs", "3", "--seed", seed, "--json")
        for seed in ("0", "1")
    ]
    logs = [json.loads(call.stdout)["log"] for call in calls]
    assert logs[0] != logs[1]
    assert json.loads(calls[0].stdout)["runs"] == 3


def test_what_raises_is_told_with_its_traceback_and_what_to_change(lethe, competition, bundle):
    result = lethe("local", bundle(RAISES), "-c", str(competition))
    assert result.exit_code == 1
    assert "crashed" in result.stdout
    assert "raised: " in result.stdout
    assert "what to do" in result.stdout
    assert "before\nTraceback (most recent call last):" in result.stderr
    assert "ValueError: seen" in result.stderr
    found = json.loads(lethe("local", bundle(RAISES), "-c", str(competition), "--json").stdout)
    assert (found["verdict"], found["reason"]["code"], found["score"]) == ("crashed", "raised", None)
    assert found["reason"]["fault"] == "participant"


def test_a_run_that_fails_only_with_another_seed_has_its_log_too(lethe, competition, bundle):
    probe = "import torch\n\ndef unlearning(net, retain, forget, val_loader):\n    raise ValueError(torch.initial_seed())\n"
    log = json.loads(lethe("local", bundle(probe), "-c", str(competition), "--json").stdout)["log"]
    first = log.rsplit("ValueError: ", 1)[1].strip()
    found = json.loads(
        lethe("local", bundle(LATE.replace("FIRST", first)), "-c", str(competition), "--json").stdout
    )
    assert (found["stage"], found["reason"]["code"]) == ("runs", "raised")
    assert "16 to keep" in found["log"]
    assert "only the first seed goes well" in found["log"]


def test_what_is_too_slow_ends_at_the_cutoff_of_this_machine(lethe, competition, bundle):
    found = json.loads(lethe("local", bundle(LOOPS), "-c", str(competition), "--json").stdout)
    assert (found["verdict"], found["reason"]["code"]) == ("timed_out", "over_cutoff")
    assert found["seconds"][0] >= found["cutoff_seconds"]


def test_the_door_refuses_what_the_service_would_and_runs_nothing(lethe, competition, bundle):
    result = lethe("local", bundle(NO_ENTRY), "-c", str(competition), "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["verdict"]) == (1, "rejected")
    assert found["reason"]["code"] == "missing_entry_function"
    assert found["seconds"] == []


def test_doing_nothing_is_flagged(lethe, competition, bundle):
    found = json.loads(lethe("local", bundle(SAME), "-c", str(competition), "--json").stdout)
    assert found["verdict"] == "scored"
    assert found["score"]["score"] == 0


def test_without_a_sandbox_nothing_runs_until_that_is_asked_for(lethe, competition, bundle, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    refused = lethe("local", bundle(NUDGE), "-c", str(competition))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "There is no sandbox on this machine, so nothing was run" in refused.stderr
    assert "--no-sandbox" in refused.stderr
    monkeypatch.undo()


def test_without_a_sandbox_on_request_the_warning_is_loud_and_the_rest_is_the_same(
    lethe, competition, bundle
):
    result = lethe("local", bundle(NUDGE), "-c", str(competition), "--no-sandbox", "--runs", "3", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["verdict"], found["sandbox"]) == ("scored", "none")
    assert "WARNING: there is no sandbox." in result.stderr
    crashed = lethe("local", bundle(RAISES), "-c", str(competition), "--no-sandbox", "--json")
    assert json.loads(crashed.stdout)["reason"]["code"] == "raised"
    assert "ValueError: seen" in json.loads(crashed.stdout)["log"]
    late = lethe("local", bundle(LOOPS), "-c", str(competition), "--no-sandbox", "--json")
    assert json.loads(late.stdout)["reason"]["code"] == "over_cutoff"


def test_data_that_were_downloaded_are_enough(lethe, competition, bundle, tmp_path):
    data = prepare_into(tmp_path / "var", competition)
    folder = tmp_path / "tiny-data"
    folder.mkdir()
    with TestClient(create_app(Settings(data_dir=data))) as client:
        listed = client.get("/api/v1/competitions/tiny/data")
        for one in listed.json()["files"]:
            (folder / one["name"]).write_bytes(client.get(one["url"]).content)
        (folder / "lethe-data.json").write_bytes(listed.content)
    result = lethe("local", bundle(NUDGE), "--json")  # the only data in this folder
    found = json.loads(result.stdout)
    assert (found["verdict"], found["public_data"]) == ("scored", "tiny-data")
    (folder / "material.npz").write_bytes(b"cut off")
    damaged = lethe("local", bundle(NUDGE), "-c", "tiny")
    assert damaged.exit_code == 1
    assert "material.npz is not what the list says" in damaged.stderr
