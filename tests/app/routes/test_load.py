"""Many at once, over real sockets: nobody waits for what another waiting request holds."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from app import auth
from app.main import create_app
from app.settings import Settings
from tests.listening import listening
from tests.seeding import PASSWORD, World

AT_ONCE = 100
PAGES = ("/", "/competitions/digits", "/competitions/digits/leaderboard", "/submissions", "/healthz")


@contextmanager
def serving(application):
    limits = httpx.Limits(max_connections=AT_ONCE)
    with (
        listening(application) as url,
        httpx.Client(base_url=url, timeout=60, limits=limits) as client,
    ):
        yield client


@pytest.fixture
def served(engine, tmp_path):
    """Lethe on a port, with a world on each kind of database."""
    url = engine.url.render_as_string(hide_password=False)
    world = World(tmp_path, url=url)
    world.person("ada")
    world.competition()
    application = create_app(Settings(data_dir=tmp_path, database_url=url), clock=world.clock)
    with serving(application) as client:
        yield application, world, client
    application.state.context.engine.dispose()
    world.engine.dispose()


def test_a_hundred_reads_at_once_are_all_answered(served):
    _, world, client = served
    client.headers["Authorization"] = f"Bearer {world.tokens['ada']}"
    start = threading.Barrier(AT_ONCE)

    def read(number):
        start.wait()
        return client.get(PAGES[number % len(PAGES)]).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:  # one that waits for another's connection would end in 503
        assert list(pool.map(read, range(AT_ONCE))) == [200] * AT_ONCE


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_pages_and_health_answer_while_sixty_strangers_sign_in(served, monkeypatch):
    _, _, client = served
    going = threading.Event()
    monkeypatch.setattr(auth._HASHER, "verify", lambda *_: going.wait(60))
    monkeypatch.setattr(auth._GATE, "_patience", 120.0)

    def sign_in(number):
        form = {"name": f"stranger-{number}", "password": PASSWORD}
        answer = client.post("/sign-in", data=form, headers={"Sec-Fetch-Site": "same-origin"})
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
            refused.release()
        return answer.status_code

    refused = threading.Semaphore(0)
    with ThreadPoolExecutor(60) as pool:
        answers = pool.map(sign_in, range(60))
        try:
            assert all(refused.acquire(timeout=30) for _ in range(54))
            assert [client.get(path).status_code for path in ("/", "/healthz")] == [200, 200]
        finally:
            going.set()
        assert sorted(answers) == [401] * 6 + [503] * 54


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_health_needs_neither_a_pooled_connection_nor_a_thread_of_the_pages(served):
    application, _, client = served
    pool = application.state.context.engine.pool
    pool._timeout = 300.0  # so that whoever waits for a connection is told apart from who is slow
    held = [pool.connect() for _ in range(pool.size() + pool._max_overflow)]
    waiting = [threading.Thread(target=client.get, args=("/",)) for _ in range(45)]
    for thread in waiting:
        thread.start()
    assert client.get("/healthz", timeout=50).json() == {"status": "ok", "database": "ok"}
    for connection in held:
        connection.close()
    for thread in waiting:
        thread.join()
