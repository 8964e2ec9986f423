"""The event stream of a submission, over real connections: a test client in one process would hold it back."""

import json
import threading
import time
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from app import organisers, tokens
from app.db import unit_of_work
from app.main import create_app
from app.models import Token
from app.routes import api_events
from app.streams import PER_PROCESS
from tests.browser.conftest import serving
from tests.processes import wait_until

WAIT = 60
MANY = 60
"""More than a process has threads, or connections."""


@pytest.fixture
def url(world):
    with serving(world) as address:
        yield address


class Stream:
    """An open stream, read by a thread of its own."""

    def __init__(self, lines):
        self.told, self.ended = [], threading.Event()
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def _read(self, lines):
        event = {}
        try:
            for line in lines:
                if not line:
                    self.told.append(event)
                    event = {}
                elif not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    event[name] = json.loads(value) if name == "data" else value
        except httpx.HTTPError:
            pass
        self.ended.set()

    def changes(self, count):
        """Wait for so many changes, and return them."""
        deadline = time.monotonic() + WAIT
        while True:
            found = [one for one in self.told if one.get("event") == "changed"]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, self.told
            time.sleep(0.02)


@contextmanager
def following(url, submission, headers):
    with httpx.stream(
        "GET", f"{url}/api/v1/submissions/{submission}/events", headers=headers, timeout=WAIT, trust_env=False
    ) as answer:
        assert answer.status_code == 200, answer.read()
        yield Stream(answer.iter_lines())


def test_a_stream_begins_with_a_beat_that_says_how_often_to_poll_and_with_the_state(url, world, bearer):
    submission = world.submit("ada")
    with following(url, submission, bearer("ada")) as stream:
        [state] = stream.changes(1)
    beat = stream.told[0]
    assert (beat["event"], beat["retry"]) == ("beat", "2000")
    assert beat["data"] == {"beat_seconds": api_events.BEAT_SECONDS, "poll_seconds": 2}
    assert int(state["id"]) > 0
    assert state["data"] == {
        "status": "queued",
        "verdict": None,
        "runs_done": 0,
        "runs_total": 4,
        "ahead": 0,
        "estimate_words": "no estimate yet: no run has been timed here",
        "final": False,
    }


def test_each_run_that_ends_is_told_with_k_of_n_and_a_higher_id(url, world, bearer):
    submission = world.submit("ada")
    with following(url, submission, bearer("ada")) as stream:
        for count in (1, 2):
            stream.changes(count)
            world.run(1)
        found = stream.changes(3)
    assert [one["data"]["runs_done"] for one in found] == [0, 1, 2]
    ids = [int(one["id"]) for one in found]
    assert ids == sorted(set(ids))


def test_who_comes_back_with_the_last_id_is_told_what_was_missed_and_nothing_twice(url, world, bearer):
    submission = world.submit("ada")
    world.run(1)
    with following(url, submission, bearer("ada")) as stream:
        [last] = stream.changes(1)
    again = bearer("ada", **{"Last-Event-ID": last["id"]})
    with following(url, submission, again) as stream:
        wait_until(lambda: stream.told)
        time.sleep(0.5)
        assert [one["event"] for one in stream.told] == ["beat"]
        world.run(1)
        [new] = stream.changes(1)
    assert new["data"]["runs_done"] == 2
    world.run(1)
    with following(url, submission, bearer("ada", **{"Last-Event-ID": new["id"]})) as stream:
        [missed] = stream.changes(1)
    assert missed["data"]["runs_done"] == 3


@pytest.mark.parametrize("given", ["x", "-1", "9" * 30, "\u0661"])
def test_an_id_that_is_not_ours_is_as_good_as_none(url, world, bearer, given):
    submission = world.submit("ada")
    headers = bearer("ada") | {"Last-Event-ID": given.encode()}
    with following(url, submission, headers) as stream:
        assert stream.changes(1)


def test_the_last_event_is_final_and_ends_the_stream_also_for_who_knows_it(url, world, bearer):
    submission = world.scored("ada", 0.08, 0.98, 0.97)
    with following(url, submission, bearer("ada")) as stream:
        [last] = stream.changes(1)
        assert stream.ended.wait(WAIT)
    assert last["data"]["final"]
    assert last["data"]["verdict"] == "scored"
    with following(url, submission, bearer("ada", **{"Last-Event-ID": last["id"]})) as stream:
        assert stream.changes(1)[0]["data"]["final"]
        assert stream.ended.wait(WAIT)


def test_every_connection_asks_anew_whether_the_submission_is_ones_own(url, world, bearer):
    submission = world.submit("ada")
    path = f"{url}/api/v1/submissions/{submission}/events"
    for headers, status in (
        (bearer("grace", **{"Last-Event-ID": "1"}), 404),
        ({}, 401),
        (bearer("ada", Authorization="Bearer nonsense"), 401),
    ):
        assert httpx.get(path, headers=headers, trust_env=False, timeout=WAIT).status_code == status


def test_a_stream_ends_soon_after_its_token_was_revoked_however_much_it_has_to_tell(
    url, world, bearer, monkeypatch
):
    monkeypatch.setattr(api_events, "BEAT_SECONDS", 900)
    monkeypatch.setattr(api_events, "ASK_SECONDS", 0.2, raising=False)
    submission = world.submit("ada")
    with following(url, submission, bearer("ada")) as stream:
        stream.changes(1)
        ada = world.user("ada")
        with unit_of_work(world.engine) as session:
            for token in session.query(Token).filter_by(user_id=ada.id, kind="api"):
                tokens.revoke(session, ada, token.id, world.clock())
        assert stream.ended.wait(WAIT)


def test_a_stream_ends_soon_after_its_organiser_is_none_any_more(url, world, bearer, monkeypatch):
    monkeypatch.setattr(api_events, "ASK_SECONDS", 0.2, raising=False)
    monkeypatch.setattr(api_events, "BEAT_SECONDS", 0.2)
    world.organiser("olga")
    submission = world.submit("ada")
    with following(url, submission, bearer("olga")) as stream:
        stream.changes(1)
        with unit_of_work(world.engine) as session:
            organisers.withdraw(session, "digits", "olga", "root", world.clock())
        assert stream.ended.wait(WAIT)


def test_a_quiet_stream_beats(url, world, bearer, monkeypatch):
    monkeypatch.setattr(api_events, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(api_events, "LOOK_SECONDS", 0.1)
    submission = world.submit("ada")
    with following(url, submission, bearer("ada")) as stream:
        deadline = time.monotonic() + WAIT
        while sum(one["event"] == "beat" for one in stream.told) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_what_happens_on_the_private_split_is_not_told_to_the_participant(client, url, world, bearer):
    submission = world.submit("ada")
    with following(url, submission, bearer("ada")) as stream:
        [before] = stream.changes(1)
    world.reference("private")
    rerun = f"{url}/api/v1/admin/submissions/{submission}/rerun"
    answer = httpx.post(
        rerun, json={"split": "private", "reason": "r"}, headers=bearer("root"), trust_env=False, timeout=WAIT
    )
    assert answer.status_code == 201
    with following(url, submission, bearer("ada")) as stream:
        [after] = stream.changes(1)
    assert after["id"] == before["id"]
    with following(url, submission, bearer("root")) as stream:
        assert int(stream.changes(1)[0]["id"]) > int(before["id"])


def test_a_process_that_has_no_stream_left_says_so(client, world, bearer):
    submission = world.submit("ada")
    path = f"/api/v1/submissions/{submission}/events"
    places = client.app.state.context.streams
    with ExitStack() as held:
        for index in range(PER_PROCESS):
            held.enter_context(places.hold(f"person {index}"))
        answer = client.get(path, headers=bearer("ada"))
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["Retry-After"] == "30"


def test_more_streams_than_threads_hold_neither_a_thread_nor_a_connection(world, bearer, monkeypatch):
    made = []

    def make(*arguments, **more):
        made.append(create_app(*arguments, **more))
        made[0].state.context.streams._most = MANY
        return made[0]

    monkeypatch.setattr("tests.browser.conftest.create_app", make)
    submission = world.submit("ada")
    with serving(world) as url, ExitStack() as stack:
        streams = [stack.enter_context(following(url, submission, bearer("ada"))) for _ in range(MANY)]
        for stream in streams:
            stream.changes(1)
        pool = made[0].state.context.engine.pool
        assert any(_is_idle(pool) for _ in range(3000))
        page = httpx.get(f"{url}/competitions/digits", trust_env=False, timeout=WAIT)
        assert page.status_code == 200


def _is_idle(pool):
    time.sleep(0.02)
    return pool.checkedout() == 0
