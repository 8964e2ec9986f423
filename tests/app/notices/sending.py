"""What tests of notices do: listen, end something, deliver, and look at the outbox."""

from datetime import timedelta

from app import submissions
from app.db import read_only, unit_of_work
from app.models import Notice, User
from app.notices import account
from app.notices.delivery import Deliverer
from app.settings import Settings
from tests.app.conftest import NOW

MINUTE = timedelta(minutes=1)


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


def cancel(world, user):
    submission, _ = world.submission(user)
    with unit_of_work(world.engine) as session:
        submissions.cancel(session, submission, user, NOW)
