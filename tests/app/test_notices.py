"""Notices: written with the ending, delivered to a real mail server and a real receiver, by processes that may die."""

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from email import message_from_bytes, policy
from threading import Event, Thread

import pytest
from sqlalchemy import event

from app import entrants, registry, submissions, teams
from app.db import read_only, unit_of_work
from app.errors import BadRequest, Conflict, NotFound, TooManyAttempts
from app.evaluations import RunOutcome
from app.models import Notice, Submission, User
from app.notices import account, hooks, outbox
from app.notices.delivery import Deliverer
from app.settings import Settings
from app.status import Verdict
from tests.app.conftest import DAY, NOW
from tests.receiver import mail_server, receiving

MINUTE = timedelta(minutes=1)


@pytest.fixture
def receiver():
    with receiving() as server:
        yield server


@pytest.fixture
def post():
    with mail_server() as server:
        yield server


def settings(port=None, **more):
    mail = {"smtp_url": f"smtp://127.0.0.1:{port}", "mail_from": "Lethe <lethe@example.org>"} if port else {}
    return Settings(base_url="https://lethe.example.org", webhook_private_networks=True, **mail, **more)


def deliver(world, at=NOW, port=None, **more):
    return Deliverer(world.engine, settings(port, **more), lambda: at).once()


def listen(world, user, receiver):
    with unit_of_work(world.engine) as session:
        return account.set_webhook(session, user, receiver.url, NOW, private=True).secret


def has_address(world, user):
    with unit_of_work(world.engine) as session:
        session.get_one(User, user.id).email = f"{user.name}@example.org"


def notices(world):
    with read_only(world.engine) as session:
        found = session.query(Notice).order_by(Notice.created_at, Notice.user_id, Notice.channel).all()
        session.expunge_all()
    return found


def test_a_score_arrives_signed_with_what_the_page_shows_and_nothing_more(world, ada, receiver):
    secret = listen(world, ada, receiver)
    submission, evaluation = world.submission(ada)
    world.score(evaluation, 0.123456789)
    assert deliver(world) == 1
    [(headers, body, path)] = receiver.got
    at, mark = headers["Lethe-Signature"].split(",")
    digest = hmac.new(secret.encode(), at[2:].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert (mark, path, headers["Content-Type"]) == (f"v1={digest}", "/hook?x=1", "application/json")
    told = json.loads(body)
    assert (told["id"], told["type"]) == (headers["Lethe-Notice"], "evaluation.done")
    assert told["submission"]["id"] == submission
    assert told["submission"]["url"] == f"https://lethe.example.org/submissions/{submission}"
    assert (told["evaluation"]["verdict"], told["evaluation"]["score"]["score"]) == ("scored", 0.1235)
    assert b"0.123456" not in body
    [notice] = notices(world)
    assert (notice.delivered_at, notice.due_at, notice.outcome) == (NOW, None, "answered 200")
    assert deliver(world, NOW + DAY) == 0


def test_a_letter_says_how_it_ended_and_what_to_change(world, ada, post):
    port, letters = post
    has_address(world, ada)
    world.submission(ada)
    world.record(*world.claim(), RunOutcome(2.0, verdict=Verdict.TIMED_OUT, reason="over_cutoff"))
    assert deliver(world, port=port) == 1
    [envelope] = letters.kept
    letter = message_from_bytes(envelope.content, policy=policy.default)
    assert (envelope.rcpt_tos, letter["Subject"]) == (["ada@example.org"], "Digits: timed out")
    text = letter.get_content()
    assert "by ada: timed out." in text
    assert "https://lethe.example.org/submissions/" in text


def cancel(world, ada):
    submission, _ = world.submission(ada)
    with unit_of_work(world.engine) as session:
        submissions.cancel(session, submission, ada, NOW)


def stall(world, ada):
    world.submission(ada)
    world.reap(NOW + 2 * DAY)


@pytest.mark.parametrize("ending", [cancel, stall])
def test_who_is_told_of_a_score_is_told_of_every_other_ending(world, ada, receiver, ending):
    listen(world, ada, receiver)
    ending(world, ada)
    assert deliver(world, NOW + 3 * DAY) == 1
    [(_, body, _)] = receiver.got
    verdict = {"cancel": "cancelled", "stall": "stalled"}[ending.__name__]
    assert json.loads(body)["evaluation"]["verdict"] == verdict


def test_every_member_of_a_team_is_told_and_nobody_else(world, ada, receiver, post):
    port, letters = post
    grace, eve = world.user("grace"), world.user("eve")
    with unit_of_work(world.engine) as session:
        teams.create(session, "digits", "The sieve", ada, NOW)
        teams.accept(session, teams.invite(session, "digits", "grace", ada, NOW).id, grace, NOW)
    for one in (ada, grace, eve):
        has_address(world, one)
    listen(world, grace, receiver)
    submission, evaluation = world.submission(ada)
    with unit_of_work(world.engine) as session:
        row = session.get_one(Submission, submission)
        row.team_id = teams_of(session, ada)
    world.score(evaluation)
    while deliver(world, port=port):
        pass
    assert sorted(one.rcpt_tos[0] for one in letters.kept) == ["ada@example.org", "grace@example.org"]
    assert json.loads(receiver.got[0][1])["submission"]["team"] == "The sieve"


def teams_of(session, user):
    return entrants.of(session, user.id, registry.get_competition(session, "digits").id).team_id


def test_nobody_is_told_of_the_private_split_nor_of_what_an_admin_has_still_to_publish(
    world, ada, admin, receiver
):
    listen(world, ada, receiver)
    submission, evaluation = world.submission(ada)
    world.score(evaluation)
    with unit_of_work(world.engine) as session:
        again = submissions.rerun(
            session, submission, "private", admin, NOW, queue_due=DAY, seeds=[1, 2, 3]
        ).id
    world.score(again)
    assert [one.evaluation_id for one in notices(world)] == [evaluation]


def test_an_ending_that_is_not_committed_tells_nobody(world, ada, receiver):
    listen(world, ada, receiver)
    submission, _ = world.submission(ada)

    def refuse(_connection):
        raise OSError("the disk is full")

    event.listen(world.engine, "commit", refuse)
    with pytest.raises(OSError, match="disk is full"), unit_of_work(world.engine) as session:
        submissions.cancel(session, submission, ada, NOW)
    event.remove(world.engine, "commit", refuse)
    assert notices(world) == []


def test_a_receiver_that_fails_is_tried_again_later_and_later_and_given_up(world, ada, receiver):
    listen(world, ada, receiver)
    cancel(world, ada)
    receiver.status = 500
    at, waits = NOW, []
    while deliver(world, at):
        [notice] = notices(world)
        if notice.due_at is None:
            break
        waits.append(notice.due_at - at)
        assert deliver(world, notice.due_at - timedelta(seconds=1)) == 0
        at = notice.due_at
    assert waits[:4] == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert max(waits) == timedelta(hours=6)
    assert timedelta(days=2) < at - NOW <= outbox.GIVE_UP
    assert (notice.delivered_at, notice.outcome) == (None, "It answered 500.")
    assert len({headers["Lethe-Notice"] for headers, _, _ in receiver.got}) == 1


def test_a_mail_server_that_is_away_is_tried_again(world, ada, post):
    port, letters = post
    has_address(world, ada)
    cancel(world, ada)
    letters.refuse = True
    deliver(world, port=port)
    assert notices(world)[0].due_at == NOW + MINUTE
    letters.refuse = False
    deliver(world, NOW + MINUTE, port)
    assert len(letters.kept) == 1


def test_without_a_mail_server_letters_wait_and_webhooks_go(world, ada, receiver):
    has_address(world, ada)
    listen(world, ada, receiver)
    cancel(world, ada)
    assert deliver(world) == 1
    assert deliver(world) == 0
    assert [(one.channel, one.due_at is None) for one in notices(world)] == [
        ("mail", False),
        ("webhook", True),
    ]


def test_what_was_turned_off_or_removed_meanwhile_is_not_sent(world, ada, receiver, post):
    port, letters = post
    has_address(world, ada)
    listen(world, ada, receiver)
    cancel(world, ada)
    with unit_of_work(world.engine) as session:
        account.set_letters(session, ada.id, wanted=False, now=NOW)
        account.remove_webhook(session, ada, NOW)
    while deliver(world, port=port):
        pass
    assert (letters.kept, receiver.got) == ([], [])
    assert [one.due_at for one in notices(world)] == [None, None]
    cancel(world, world.user("grace"))
    assert len(notices(world)) == 2


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
    monkeypatch.setattr(hooks, "PATIENCE_SECONDS", 0.5 if drip else 10.0)
    receiver.drip = drip
    listen(world, ada, receiver)
    cancel(world, ada)
    trying = Thread(target=deliver, args=(world,), daemon=True)
    trying.start()
    trying.join(20)
    assert not trying.is_alive()
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


def test_two_processes_never_have_the_same_try_and_a_late_one_changes_nothing(world, ada, receiver):
    listen(world, ada, receiver)
    cancel(world, ada)

    def claim(at):
        with unit_of_work(world.engine) as session:
            return outbox.claim(session, ["webhook"], at, 4)

    [first] = claim(NOW)
    assert claim(NOW + outbox.LEASE - MINUTE) == []
    [second] = claim(NOW + outbox.LEASE)
    assert (second.id, second.attempt) == (first.id, 2)
    with unit_of_work(world.engine) as session:
        assert not outbox.failed(session, first, "late", NOW)
        assert outbox.delivered(session, second, "answered 200", NOW)
    assert notices(world)[0].outcome == "answered 200"


def test_one_persons_notices_do_not_keep_others_waiting(world, ada, receiver):
    grace = world.user("grace")
    for one in (ada, ada, ada, grace):
        listen(world, one, receiver)
        cancel_at = NOW + len(notices(world)) * timedelta(seconds=1)
        submission, _ = world.submission(one, at=cancel_at)
        with unit_of_work(world.engine) as session:
            submissions.cancel(session, submission, one, NOW)
    assert deliver(world) == 2
    assert sorted(one.user_id for one in notices(world) if one.attempts) == [ada.id, grace.id]


def test_a_hundred_notices_of_one_person_do_not_keep_another_waiting(world, ada, receiver):
    grace = world.user("grace")
    with unit_of_work(world.engine) as session:
        for _ in range(120):
            outbox.add(session, ada.id, outbox.WEBHOOK, outbox.TEST, NOW)
        outbox.add(session, grace.id, outbox.WEBHOOK, outbox.TEST, NOW + MINUTE)
        session.flush()
        claims = outbox.claim(session, [outbox.WEBHOOK], NOW + MINUTE, 4)
    assert [one.user_id for one in claims] == [ada.id, grace.id]


def test_a_letter_that_cannot_be_written_is_tried_later_and_keeps_nobody_waiting(world, ada, post):
    port, letters = post
    grace = world.user("grace")
    has_address(world, ada)
    has_address(world, grace)
    with unit_of_work(world.engine) as session:
        session.get_one(User, ada.id).email = "a@[b.c"
    for one in (ada, grace):
        cancel(world, one)
    assert deliver(world, port=port) == 2
    assert [one.rcpt_tos for one in letters.kept] == [["grace@example.org"]]
    [notice] = [one for one in notices(world) if one.user_id == ada.id]
    assert (notice.due_at, notice.outcome) == (NOW + MINUTE, "It could not be sent: AttributeError.")


DELIVER = """
import sys
from datetime import datetime
from app.db import make_engine
from app.notices.delivery import Deliverer
from app.settings import Settings
Deliverer(make_engine(sys.argv[1]), Settings(webhook_private_networks=True), lambda: datetime.fromisoformat(sys.argv[2])).once()
"""


def test_a_process_that_is_killed_in_the_middle_leaves_the_notice_to_another(world, ada, receiver):
    listen(world, ada, receiver)
    cancel(world, ada)
    receiver.hold.clear()
    url = world.engine.url.render_as_string(hide_password=False)
    process = subprocess.Popen([sys.executable, "-c", DELIVER, url, NOW.isoformat()])
    assert receiver.arrived.wait(60)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    receiver.hold.set()
    assert deliver(world, NOW + MINUTE) == 0
    assert deliver(world, NOW + outbox.LEASE) == 1
    [first, second] = [headers["Lethe-Notice"] for headers, _, _ in receiver.got]
    assert first == second
    assert notices(world)[0].delivered_at == NOW + outbox.LEASE


def test_what_is_long_over_is_forgotten(world, ada, receiver):
    listen(world, ada, receiver)
    cancel(world, ada)
    deliver(world, NOW + outbox.KEPT + DAY)  # the try's own look prunes, and finds it waiting
    assert len(notices(world)) == 1
    deliver(world, NOW + outbox.KEPT + DAY)
    assert notices(world) == []
