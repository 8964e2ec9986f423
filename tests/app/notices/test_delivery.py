"""The outbox: tried again, by one process at a time, also when one dies in the middle."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

from app import submissions
from app.db import unit_of_work
from app.models import User
from app.notices import outbox
from tests.app.conftest import DAY, NOW
from tests.app.notices.sending import MINUTE, cancel, deliver, has_address, listen, notices


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
