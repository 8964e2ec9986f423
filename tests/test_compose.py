"""What docker-compose.yml promises, and what deploy/prepare makes for it."""

import os
import re
import shutil
import subprocess

import pytest

from app.settings import Settings
from tests.compose import FILE, ROOT, SECRETS, example, read

OURS = {"migrate", "web", "worker-cpu", "worker-gpu"}
WORKERS = {"worker-cpu", "worker-gpu"}


@pytest.fixture(scope="module")
def services():
    return read()["services"]


def test_every_container_is_read_only_gains_no_privileges_and_starts_again(services):
    assert set(services) == OURS | {"db", "redis"}
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] == ("on-failure" if name == "migrate" else "unless-stopped"), name
        assert "privileged" not in service, name
        assert "cap_add" not in service, name


def test_all_but_workers_are_nobody_in_particular_and_have_no_capability(services):
    for name, service in services.items():
        if name in WORKERS:
            assert service["user"] == "0:0"
            assert service["pid"] == "host"
        else:
            assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", service["user"]), name
            assert service["cap_drop"] == ["ALL"], name
            assert "pid" not in service, name
            assert not any("docker.sock" in volume for volume in service.get("volumes", [])), name


def test_every_service_that_lasts_has_a_health_check(services):
    for name, service in services.items():
        check = service["healthcheck"]
        assert check == {"disable": True} if name == "migrate" else len(check["test"]) >= 2, name


def test_what_starts_waits_for_what_it_needs(services):
    healthy, done = {"condition": "service_healthy"}, {"condition": "service_completed_successfully"}
    assert services["migrate"]["depends_on"] == {"db": healthy}
    for name in OURS - {"migrate"}:
        assert services[name]["depends_on"] == {"migrate": done, "redis": healthy}, name


def test_secrets_come_from_files_alone(services):
    assert read()["secrets"] == {name: {"file": f"./secrets/{name}"} for name in SECRETS}
    for service in services.values():
        for name, value in service["environment"].items():
            if re.search("PASSWORD|TOKEN|SECRET|KEY", name):
                assert name.endswith("_FILE")
                assert not value or value.removeprefix("/run/secrets/") in service["secrets"]
            assert not re.search(r"://[^/]*:[^/@]*@", str(value)), name


def test_what_env_names_of_an_object_store_reaches_every_process_of_ours():
    given = {
        f"LETHE_STORAGE_{name}_KEY_FILE": f"/run/secrets/storage_{name.lower()}_key"
        for name in ("ACCESS", "SECRET")
    }
    given |= {"LETHE_STORAGE_URL": "s3://lethe", "LETHE_STORAGE_ENDPOINT": "https://store.example.org"}
    for name in OURS:
        service = read(**given)["services"][name]
        assert service["environment"].items() >= given.items()
        assert {"storage_access_key", "storage_secret_key"} <= set(service["secrets"])


def test_nothing_but_the_web_service_can_be_reached_and_that_only_from_this_machine(services):
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {"web": ["127.0.0.1:8000:8000"]}
    assert services["db"]["networks"] == services["redis"]["networks"] == ["back"]
    assert read()["networks"]["back"]["internal"] is True


def test_the_workers_paths_are_the_same_inside_and_outside(services):
    for name in WORKERS:
        folders = [volume.split(":")[:2] for volume in services[name]["volumes"]]
        same = {outside for outside, inside in folders if outside == inside}
        assert same == {"/srv/lethe", "/run/lethe-sandbox", "/var/run/docker.sock"}
        assert services[name]["environment"]["LETHE_DATA_DIR"] == "/srv/lethe"


def test_a_missing_variable_says_what_to_run():
    with pytest.raises(KeyError, match="run deploy/prepare first"):
        read(LETHE_WORKER_IMAGE="")


def test_every_setting_that_is_passed_on_exists(services):
    known = {f"LETHE_{name.upper()}" for name in Settings.model_fields}
    for name in OURS:
        passed = {one for one in services[name]["environment"] if one.startswith("LETHE_")}
        assert passed <= known, name


def compose_command():
    """Docker's own tool, as a plug-in or by itself."""
    docker = shutil.which("docker")
    if (
        docker
        and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0
    ):
        return [docker, "compose"]
    return [shutil.which("docker-compose")] if shutil.which("docker-compose") else None


@pytest.mark.parametrize("profiles", ["cpu", "gpu", "cpu,gpu"])
def test_docker_compose_takes_the_file(tmp_path, profiles):
    command = compose_command()
    if command is None:
        pytest.skip("neither `docker compose` nor docker-compose is installed")
    shutil.copy(FILE, tmp_path)
    values = example() | {"COMPOSE_PROFILES": profiles}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    (tmp_path / "secrets").mkdir()
    for name in SECRETS:
        (tmp_path / "secrets" / name).write_text("x")
    checked = subprocess.run(
        [*command, "config", "--services"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert set(checked.stdout.split()) >= {f"worker-{name}" for name in profiles.split(",")}


@pytest.fixture
def checkout(tmp_path):
    """What deploy/prepare works on, with images that are named already."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy/prepare", tmp_path / "deploy")
    text = (ROOT / ".env.example").read_text().replace("_IMAGE=\n", "_IMAGE=sha256:0\n")
    text = text.replace("LETHE_DATA=/srv/lethe", f"LETHE_DATA={tmp_path / 'data'}")
    (tmp_path / ".env.example").write_text(text)
    return tmp_path


@pytest.mark.skipif(os.geteuid() != 0, reason="deploy/prepare is for root")
def test_preparing_makes_secrets_once_and_a_folder_for_the_web_service(checkout):
    def prepare():
        subprocess.run(["deploy/prepare"], cwd=checkout, check=True, capture_output=True)
        return {name: (checkout / "secrets" / name).read_text() for name in SECRETS}

    first = prepare()
    random = [secret for name, secret in first.items() if not name.startswith("storage")]
    assert len(random) == 3
    assert all(re.fullmatch("[0-9a-f]{48}", secret) for secret in random)
    assert len(set(random)) == 3
    assert prepare() == first
    assert (checkout / "secrets").stat().st_mode & 0o777 == 0o700
    assert ((checkout / "data").stat().st_uid, (checkout / "data").stat().st_mode & 0o777) == (10002, 0o711)
    assert "LETHE_WORKER_IMAGE=sha256:0" in (checkout / ".env").read_text()
