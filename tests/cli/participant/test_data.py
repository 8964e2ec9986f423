"""`lethe data`: whole folders, interrupted downloads, and files that are not what was promised."""

import hashlib
import json

import pytest

from tests.cli.service import Answer, problem

FILES = {"model.py": b"def build_model(): ...\n", "material.npz": bytes(range(256)) * 900}


def listed(files):
    return {
        "competition": "digits",
        "reference_version": 1,
        "reference_digest": "5" * 64,
        "rules": {"title": "Digits"},
        "files": [
            {
                "name": name,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "what": "words",
                "arrays": [],
                "url": f"/api/v1/competitions/digits/data/{hashlib.sha256(content).hexdigest()}",
            }
            for name, content in files.items()
        ],
    }


def path_of(name, files=FILES):
    return f"GET /competitions/digits/data/{hashlib.sha256(files[name]).hexdigest()}"


@pytest.fixture
def offers(service):
    """Make the service offer files."""

    def offer(files=FILES):
        service.on("GET /competitions/digits/data", Answer(body=listed(files)))
        for name, content in files.items():
            service.on(path_of(name, files), Answer(body=content))

    offer()
    return offer


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_files_arrive_with_the_list_that_names_them(lethe, offers, here):
    result = lethe("data", "digits")
    assert (result.exit_code, result.stdout) == (0, "digits-data\n")
    assert "2 files fetched" in result.stderr
    assert "lethe local BUNDLE --competition digits-data" in result.stderr
    folder = here / "digits-data"
    assert {path.name for path in folder.iterdir()} == {"model.py", "material.npz", "lethe-data.json"}
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert json.loads((folder / "lethe-data.json").read_text()) == listed(FILES)


def test_no_token_is_needed(lethe, env, offers, here):
    env.delenv("LETHE_TOKEN")
    assert lethe("data", "digits", "-o", "mine").exit_code == 0
    assert (here / "mine" / "model.py").exists()


def test_what_is_there_is_not_fetched_again_and_what_was_damaged_is(lethe, service, offers, here):
    lethe("data", "digits")
    (here / "digits-data" / "model.py").write_bytes(b"something else, as long.")
    service.seen.clear()
    result = lethe("data", "digits", "--json")
    assert json.loads(result.stdout)["fetched"] == 1
    assert "1 were there already" in result.stderr
    assert len(service.seen) == 2
    assert (here / "digits-data" / "model.py").read_bytes() == FILES["model.py"]


def test_it_goes_on_where_it_broke_off(lethe, service, offers, here):
    folder = here / "digits-data"
    folder.mkdir()
    whole = FILES["material.npz"]
    (folder / "material.npz.part").write_bytes(whole[:1000])
    service.on(path_of("material.npz"), Answer(206, whole[1000:]))
    assert lethe("data", "digits").exit_code == 0
    [asked] = [seen for seen in service.seen if seen.path.endswith(hashlib.sha256(whole).hexdigest())]
    assert asked.headers["Range"] == "bytes=1000-"
    assert asked.headers["If-Range"] == f'"{hashlib.sha256(whole).hexdigest()}"'
    assert (folder / "material.npz").read_bytes() == whole


def test_a_beginning_of_another_file_is_thrown_away(lethe, service, offers, here):
    folder = here / "digits-data"
    folder.mkdir()
    whole = FILES["material.npz"]
    (folder / "material.npz.part").write_bytes(b"x" * 1000)
    service.on(path_of("material.npz"), Answer(206, whole[1000:]), Answer(200, whole))
    assert lethe("data", "digits").exit_code == 0
    assert (folder / "material.npz").read_bytes() == whole


def test_a_file_with_another_digest_is_refused_and_the_folder_is_not_called_whole(
    lethe, service, offers, here
):
    service.on(path_of("model.py"), Answer(200, b"def build_model(): pass"))
    result = lethe("data", "digits", "--json")
    assert result.exit_code == 5
    assert json.loads(result.stdout)["code"] == "damaged_download"
    assert not (here / "digits-data" / "lethe-data.json").exists()
    assert not (here / "digits-data" / "model.py").exists()


def test_a_connection_that_breaks_is_tried_again_from_there(lethe, service, offers, here, time):
    service.on(path_of("model.py"), Answer(hang_up=True), Answer(200, FILES["model.py"]))
    result = lethe("data", "digits")
    assert result.exit_code == 0
    assert "Trying again" in result.stderr
    assert time.waits == [1.0]


def test_a_name_that_would_leave_the_folder_is_refused(lethe, service, here):
    bad = listed({"model.py": b"x"})
    bad["files"][0]["name"] = "../model.py"
    service.on("GET /competitions/digits/data", Answer(body=bad))
    result = lethe("data", "digits")
    assert result.exit_code == 5
    assert "unsafe" in result.stderr or "names a file" in result.stderr
    assert not (here / "model.py").exists()


def test_a_competition_without_public_data_says_so(lethe, service, here):
    service.on(
        "GET /competitions/digits/data",
        problem(404, "not_found", "This competition gives no public data.", "Its pages say what there is."),
    )
    result = lethe("data", "digits")
    assert result.exit_code == 1
    assert "This competition gives no public data." in result.stderr
    assert not (here / "digits-data").exists()
