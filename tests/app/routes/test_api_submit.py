import io
import zipfile

import pytest
from sqlalchemy import event, func, select

from app.db import read_only
from app.models import QuotaEntry, Submission
from tests.app.routes.bodies import Body, send
from tests.bundles import zipped
from tests.seeding import GOOD

URL = "/api/v1/competitions/digits/submissions"


def rows(world, table=Submission):
    with read_only(world.engine) as session:
        return session.scalar(select(func.count()).select_from(table))


def left_over(world):
    folder = world.data_dir / "uploads"
    return list(folder.iterdir()) if folder.exists() else []


def test_a_good_bundle_is_created_and_can_be_read_where_location_points(client, world, bearer):
    answer = client.post(URL, content=zipped(GOOD), headers=bearer("ada"), params={"note": "first"})
    assert answer.status_code == 201
    body = answer.json()
    assert answer.headers["Location"] == f"/api/v1/submissions/{body['id']}" == body["links"]["self"]
    assert (body["status"], body["verdict"], body["note"], body["user"]) == ("queued", None, "first", "ada")
    assert body["runs"] == {"total": 4, "succeeded": 0, "running": 0, "queued": 4, "failed": 0}
    assert body["cutoff_seconds"] == pytest.approx(1.48)
    read = client.get(answer.headers["Location"], headers=bearer("ada")).json()
    assert (body["progress"].pop("ahead"), read["progress"].pop("ahead")) == (None, 0)
    assert (body["progress"].pop("estimate_words"), read["progress"].pop("estimate_words")) == (
        None,
        "no estimate yet: no run has been timed here",
    )
    assert read == body
    assert left_over(world) == []


def test_the_same_key_and_bytes_answer_the_same_submission_even_when_quota_and_time_are_over(
    client, world, bearer
):
    headers, bundle = bearer("ada", **{"Idempotency-Key": "k1"}), zipped(GOOD)
    first = client.post(URL, content=bundle, headers=headers)
    world.submit("ada")
    world.submit("ada")
    world.clock.forward(days=200)
    again = client.post(URL, content=bundle, headers=headers)
    assert again.status_code == 201
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.json()["id"] == first.json()["id"]
    assert rows(world) == 3


def test_the_same_key_with_other_bytes_is_refused(client, world, bearer):
    headers = bearer("ada", **{"Idempotency-Key": "k1"})
    client.post(URL, content=zipped(GOOD), headers=headers)
    answer = client.post(URL, content=zipped(GOOD + "# other\n"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert rows(world) == 1


def test_a_failed_commit_never_answers_201(client, world, bearer):
    engine = client.app.state.context.engine

    def fail(_connection):
        raise OSError("disk full: /secret/path")

    event.listen(engine, "commit", fail)
    answer = client.post(URL, content=zipped(GOOD), headers=bearer("ada"))
    event.remove(engine, "commit", fail)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert rows(world) == 0


@pytest.mark.parametrize("authorization", [None, "Bearer lethe_nonsense", "Basic YTpi"])
def test_without_a_valid_token_nothing_of_the_body_is_read(client, authorization):
    body = Body(zipped(GOOD))
    headers = {"Sec-Fetch-Site": "same-origin"}
    if authorization is not None:
        headers["Authorization"] = authorization
    answer = send(client.app, URL, body, headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert body.chunks_read == 0


def archive(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped_files:
        for name, text in files.items():
            zipped_files.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b"hello", "not_a_zip", 422),
        (b"", "not_a_zip", 422),
        (archive(**{"notes.txt": "hi"}), "missing_submission_py", 422),
        (archive(**{"mine/submission.py": GOOD}), "missing_submission_py", 422),
        (archive(**{"../submission.py": GOOD}), "unsafe_name", 422),
        (zipped("def unlearning(:"), "syntax_error", 422),
        (zipped("x = 1"), "missing_entry_function", 422),
        (zipped("def unlearning(net, secrets): ..."), "unknown_argument", 422),
        (bytes(100_001), "bundle_too_large", 413),
    ],
)
def test_a_bad_bundle_says_what_to_change_and_spends_nothing(client, world, bearer, body, code, status):
    answer = client.post(URL, content=body, headers=bearer("ada"))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["advice"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert (rows(world), rows(world, QuotaEntry)) == (0, 0)
    assert left_over(world) == []


def test_a_body_without_a_length_is_cut_off_at_the_limit(client, world, bearer):
    body = Body(*[bytes(50_000)] * 1000)
    answer = send(client.app, URL, body, bearer("ada"))
    assert (answer.status_code, answer.json()["code"]) == (413, "bundle_too_large")
    assert body.chunks_read == 3  # 150,000 bytes: the first that are over 100,000
    assert left_over(world) == []


def test_a_length_over_the_limit_is_refused_before_a_byte_is_read(client, bearer):
    body = Body(b"x" * 100_001)
    answer = send(client.app, URL, body, bearer("ada", **{"Content-Length": "100001"}))
    assert (answer.status_code, answer.json()["code"]) == (413, "bundle_too_large")
    assert body.chunks_read == 0


def test_a_form_is_told_to_send_the_zip_itself(client, bearer):
    answer = client.post(URL, files={"bundle": zipped(GOOD)}, headers=bearer("ada"))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "--data-binary" in answer.json()["advice"]


def test_a_used_up_quota_says_when_to_come_back(client, world, bearer):
    for _ in range(3):
        world.submit("ada")
    answer = client.post(URL, content=zipped(GOOD), headers=bearer("ada"))
    assert (answer.status_code, answer.json()["code"]) == (429, "quota_exhausted")
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    assert client.post(URL, content=zipped(GOOD), headers=bearer("grace")).status_code == 201


def test_a_closed_an_unprepared_and_an_unknown_competition_take_nothing(client, world, bearer):
    world.competition("late", closes_at="2026-02-01T00:00:00Z")
    world.competition("raw", prepared=False)
    codes = {
        slug: client.post(
            f"/api/v1/competitions/{slug}/submissions", content=zipped(GOOD), headers=bearer("ada")
        ).json()["code"]
        for slug in ("late", "raw", "none")
    }
    assert codes == {"late": "competition_closed", "raw": "not_prepared", "none": "not_found"}


def test_a_note_that_is_too_long_names_the_field(client, bearer):
    answer = client.post(URL, content=zipped(GOOD), headers=bearer("ada"), params={"note": "n" * 201})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "note" in answer.json()["detail"]
