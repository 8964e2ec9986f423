"""The demo's accounts: random passwords and tokens, made at the first start and kept in a private file."""

import json
import os
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, select

from app import auth
from app.db import unit_of_work
from app.models import User

ROLES = {"admin": "admin", "ada": "participant"}


@dataclass(frozen=True)
class Account:
    """One demo account, with the secrets that the database keeps only as hashes."""

    name: str
    role: str
    password: str
    token: str


def demo_accounts(path: Path, engine: Engine, now: datetime) -> Sequence[Account]:
    """Return the accounts of the file; without one that can be read, give the accounts new secrets and write it."""
    try:
        return [Account(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        pass
    with unit_of_work(engine) as session:
        accounts = []
        for name, role in ROLES.items():
            password = secrets.token_urlsafe(12)
            user = session.scalar(select(User).where(User.name == name))
            if user is None:
                user = auth.create_user(session, name, password, role, now)
            else:
                auth.set_password(user, password)
            accounts.append(
                Account(name, role, password, auth.issue_token(session, user, "api", "demo", now, None))
            )
    _write_private(path, json.dumps([asdict(account) for account in accounts], indent=2) + "\n")
    return accounts


def fresh_participant(engine: Engine, now: datetime) -> str:
    """Return the token of a new participant, whose quota nobody has used."""
    with unit_of_work(engine) as session:
        name = f"check-{now:%m%d-%H%M%S}-{secrets.token_hex(2)}"
        user = auth.create_user(session, name, secrets.token_urlsafe(12), "participant", now)
        return auth.issue_token(session, user, "api", "check", now, None)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read; it is there whole or not at all."""
    descriptor, half = tempfile.mkstemp(dir=path.parent, prefix=".half-")  # 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(half).rename(path)
