"""What polls and leaderboards ask of the database while nothing changes, and what they say once something does."""

import time

from sqlalchemy import delete
from starlette.testclient import TestClient

from app import tokens
from app.db import unit_of_work
from app.main import create_app
from app.models import Token
from app.settings import Settings

BOARD = "/api/v1/competitions/digits/leaderboard"


def poll(client, url, headers, etag=None):
    return client.get(url, headers={**headers, **({"If-None-Match": etag} if etag else {})})


def test_a_poll_asks_only_for_the_tail_of_the_log(client, world, bearer, statements):
    client.app.state.context.queues.clock = lambda: 0.0  # however slow this machine is
    url = f"/api/v1/submissions/{world.submit('ada')}"
    first = poll(client, url, bearer("ada"))
    for etag, status in ((first.headers["ETag"], 304), (None, 200)):
        with statements() as seen:
            answer = poll(client, url, bearer("ada"), etag)
        assert answer.status_code == status
        assert answer.content == (first.content if status == 200 else b"")
        assert ["FROM events" in one for one in seen if not one.startswith(("BEGIN", "PRAGMA"))] == [True]


def test_a_leaderboard_asks_only_for_the_tail_of_the_log(client, world, statements):
    world.scored("ada", 0.08, 0.99, 0.98)
    for url in (BOARD, f"{BOARD}.csv"):
        first = client.get(url)
        with statements() as seen:
            assert client.get(url).content == first.content
        assert ["FROM events" in one for one in seen if not one.startswith(("BEGIN", "PRAGMA"))] == [True]


def test_how_scores_rose_is_read_once_for_all_who_look_at_a_board(client, world, statements):
    world.scored("ada", 0.08, 0.99, 0.98)
    for url in ("/competitions/digits/leaderboard", f"{BOARD}/progress"):
        first = client.get(url)
        with statements() as seen:
            assert client.get(url).status_code == first.status_code == 200
        assert not any("FROM scores" in one or "JOIN scores" in one for one in seen)
    world.scored("ada", 0.09, 0.99, 0.98)
    with statements() as seen:
        [ada] = client.get(f"{BOARD}/progress").json()["entrants"]
    assert len(ada["steps"]) == 2
    assert any("JOIN scores" in one for one in seen), "the test can fail"


def test_while_one_request_renders_a_board_others_get_the_one_before_only_if_it_is_young(client, world):
    boards = client.app.state.context.boards
    world.scored("ada", 0.08, 0.99, 0.98)
    client.get(BOARD)
    made = time.monotonic()
    world.scored("grace", 0.09, 0.99, 0.98)
    boards.changes.look()
    assert boards.known("digits", "json") is None
    with boards._turn(("digits", "public", "json")):
        for age, served in ((1, True), (3600, False)):
            object.__setattr__(boards, "clock", lambda age=age: made + age)
            assert (boards.known("digits", "json") is not None) == served


def test_runs_do_not_make_a_leaderboard_be_asked_for_and_scores_do(client, world, statements):
    world.scored("ada", 0.08, 0.99, 0.98)
    world.submit("grace")
    first = client.get(BOARD)
    assert world.run(4) == "last"
    with statements() as seen:
        assert client.get(BOARD).content == first.content
    assert not any("FROM competitions" in one for one in seen)
    world.score(0.09, 0.99, 0.98)
    assert [row["user"] for row in client.get(BOARD).json()["rows"]] == ["grace", "ada"]


def test_every_step_of_a_run_is_seen_by_the_next_poll(client, world, bearer):
    url = f"/api/v1/submissions/{world.submit('ada')}"
    etags = [poll(client, url, bearer("ada")).headers["ETag"]]
    for step in (world.claim_one, lambda: world.run(3)):
        step()
        answer = poll(client, url, bearer("ada"), etags[-1])
        assert answer.status_code == 200
        etags.append(answer.headers["ETag"])
    assert len(set(etags)) == 3


def test_a_poll_is_still_the_owners_alone_when_it_is_kept(client, world, bearer):
    url = f"/api/v1/submissions/{world.submit('ada')}"
    etag = poll(client, url, bearer("ada")).headers["ETag"]
    assert poll(client, url, bearer("grace"), etag).status_code == 404
    assert poll(client, url, {}, etag).status_code == 401
    assert poll(client, url, bearer("root")).status_code == 200


def test_a_token_that_was_revoked_elsewhere_opens_nothing_any_more(client, world, bearer):
    url = f"/api/v1/submissions/{world.submit('ada')}"
    etag = poll(client, url, bearer("ada")).headers["ETag"]
    ada = world.user("ada")
    with unit_of_work(world.engine) as session:
        for token in session.query(Token).filter_by(user_id=ada.id, kind="api"):
            tokens.revoke(session, ada, token.id, world.clock())
    assert poll(client, url, bearer("ada"), etag).status_code == 401


def test_a_token_that_was_removed_without_a_word_opens_nothing_ten_seconds_later(client, world, bearer):
    url = f"/api/v1/submissions/{world.submit('ada')}"
    assert poll(client, url, bearer("ada")).status_code == 200
    with unit_of_work(world.engine) as session:
        session.execute(delete(Token))
    world.clock.forward(seconds=11)
    assert poll(client, url, bearer("ada")).status_code == 401


def test_a_token_that_expires_meanwhile_opens_nothing_any_more(client, world, sign_in):
    sign_in("ada")
    assert client.get("/api/v1/submissions").status_code == 200
    world.clock.forward(days=15)
    assert client.get("/api/v1/submissions").status_code == 401


def test_what_is_evaluated_in_secret_does_not_move_a_poll_until_the_reveal_does(client, world, bearer):
    submission = world.scored("ada", 0.08, 0.99, 0.98)
    world.reference("private")
    url = f"/api/v1/submissions/{submission}"
    first = poll(client, url, bearer("ada")).headers["ETag"]
    world.after_the_close()
    assert poll(client, url, bearer("ada"), first).status_code == 304
    world.run(4)
    world.score(0.07, 0.99, 0.98)
    assert poll(client, url, bearer("ada"), first).status_code == 304
    world.revealed()
    assert poll(client, url, bearer("ada"), first).status_code == 200


def test_memory_answers_exactly_what_the_route_does(client, world, bearer):
    url = f"/api/v1/submissions/{world.submit('ada')}"
    headers = {**bearer("ada"), "X-Request-Id": "trace-12345"}
    for path in (url, BOARD):
        asked = [poll(client, path, headers) for _ in range(2)]
        asked += [poll(client, path, headers, asked[0].headers["ETag"]) for _ in range(2)]
        assert [one.status_code for one in asked] == [200, 200, 304, 304]
        assert asked[0].content == asked[1].content
        assert asked[0].headers == asked[1].headers
        assert asked[2].headers == asked[3].headers


def test_what_comes_from_memory_is_counted_by_its_route(client, world, bearer):
    url = f"/api/v1/submissions/{world.submit('ada')}"
    for _ in range(3):
        poll(client, url, bearer("ada"))
        client.get(BOARD)
    text = client.app.state.context.metrics.text().decode()
    for route in ("/api/v1/submissions/{submission_id}", "/api/v1/competitions/{slug}/leaderboard"):
        assert f'lethe_request_seconds_count{{method="GET",route="{route}",status="200"}} 3.0' in text


def test_with_the_database_away_a_poll_says_so_and_does_not_answer_from_memory(world):
    settings = Settings(data_dir=world.data_dir, database_url="postgresql+psycopg://lethe@127.0.0.1:1/lethe")
    with TestClient(create_app(settings)) as client:
        answer = client.get(BOARD)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
