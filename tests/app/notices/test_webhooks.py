"""What may be a webhook, and what a receiver cannot do to us."""

import json
from threading import Event, Thread

import pytest

from app.db import unit_of_work
from app.errors import BadRequest, Conflict, NotFound, TooManyAttempts
from app.notices import account, hooks
from app.notices.delivery import Deliverer
from tests.app.conftest import NOW
from tests.app.notices.sending import MINUTE, cancel, deliver, listen, notices, settings
from tests.receiver import receiving


def test_a_redirect_is_a_failure_and_is_not_followed(world, ada, receiver):
    listen(world, ada, receiver)
    cancel(world, ada)
    with receiving() as elsewhere:
        receiver.status, receiver.location = 302, elsewhere.url
        deliver(world)
        assert elsewhere.got == []
    assert notices(world)[0].outcome == "It answered 302."


@pytest.mark.parametrize("fault", ["drip", "hold"])
def test_a_try_ends_in_time_whatever_the_receiver_does(world, ada, receiver, monkeypatch, fault):
    monkeypatch.setattr(hooks, "PATIENCE_SECONDS", 0.5)
    listen(world, ada, receiver)
    cancel(world, ada)
    if fault == "drip":
        receiver.drip = True
    else:
        receiver.hold.clear()
    assert deliver(world) == 1
    assert notices(world)[0].due_at == NOW + MINUTE


@pytest.mark.parametrize("drip", [False, True])
def test_over_tls_too_a_notice_arrives_and_a_try_ends_in_time(
    world, ada, receiver, monkeypatch, tmp_path, drip
):
    monkeypatch.setenv("SSL_CERT_FILE", str(receiver.speak_tls(tmp_path)))
    monkeypatch.setattr(hooks, "PATIENCE_SECONDS", 3.0 if drip else 10.0)
    receiver.drip = drip
    listen(world, ada, receiver)
    cancel(world, ada)
    trying = Thread(target=deliver, args=(world,), daemon=True)
    trying.start()
    trying.join(20)
    assert not trying.is_alive()
    assert receiver.arrived.wait(20)
    assert len(receiver.got) == 1
    assert notices(world)[0].due_at == (NOW + MINUTE if drip else None)


def test_a_name_that_nobody_answers_for_ends_in_time(world, ada, receiver, monkeypatch):
    monkeypatch.setattr(hooks, "PATIENCE_SECONDS", 0.2)
    answered = Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answered.wait(20))
    listen(world, ada, receiver)
    cancel(world, ada)
    assert deliver(world) == 1
    assert not answered.is_set()
    answered.set()
    [notice] = notices(world)
    assert (notice.due_at, notice.outcome) == (NOW + MINUTE, "It took too long to answer.")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x",
        "ftp://example.org",
        "https://",
        "https://user:secret@example.org/",
        "https://example.org/#part",
        "https://example.org:0/",
        "https://example.org:x/",
        "https://exam ple.org/",
        "https://ex\u00e4mple.org/",
        "https://example.org/" + "x" * 500,
        "javascript:alert(1)",
        "",
    ],
)
def test_what_is_no_webhook_is_refused_when_it_is_set(world, ada, url):
    with pytest.raises(BadRequest), unit_of_work(world.engine) as session:
        account.set_webhook(session, ada, url, NOW, private=False)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "[::1]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1",
        "2130706433", "0x7f000001", "[::]",
    ],
)  # fmt: skip
def test_no_address_of_our_own_networks_is_reached(world, ada, receiver, host):
    url = f"https://{host}:{receiver.server_port}/"
    with unit_of_work(world.engine) as session:
        account.set_webhook(session, ada, url, NOW, private=False)
    cancel(world, ada)
    open_settings = settings().model_copy(update={"webhook_private_networks": False})
    assert Deliverer(world.engine, open_settings, lambda: NOW).once() == 1
    assert receiver.got == []
    assert "not on the public internet" in notices(world)[0].outcome


def test_a_test_can_be_sent_a_few_at_a_time_and_only_to_a_webhook(world, ada, receiver):
    with unit_of_work(world.engine) as session, pytest.raises(NotFound):
        account.send_test(session, ada, NOW)
    listen(world, ada, receiver)
    with unit_of_work(world.engine) as session:
        for _ in range(account.MOST_TESTS):
            account.send_test(session, ada, NOW)
        with pytest.raises(Conflict):
            account.send_test(session, ada, NOW)
    while deliver(world):
        pass
    assert [json.loads(body)["type"] for _, body, _ in receiver.got] == ["test"] * account.MOST_TESTS


def test_tests_are_bounded_in_any_hour_however_fast_they_are_delivered(world, ada, receiver):
    listen(world, ada, receiver)
    for minute in range(account.TESTS_PER_HOUR):
        with unit_of_work(world.engine) as session:
            account.send_test(session, ada, NOW + minute * MINUTE).due_at = None
    with unit_of_work(world.engine) as session, pytest.raises(TooManyAttempts) as refused:
        account.send_test(session, ada, NOW + 30 * MINUTE)
    assert refused.value.retry_after == 30 * 60 + 1
    grace = world.user("grace")
    listen(world, grace, receiver)
    with unit_of_work(world.engine) as session:
        account.send_test(session, grace, NOW + 30 * MINUTE)
        account.send_test(session, ada, NOW + 60 * MINUTE)
