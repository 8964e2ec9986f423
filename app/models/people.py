"""Accounts, and how people come in."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    ForeignKey,
    String,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base

if TYPE_CHECKING:
    from app.models.competitions import CompetitionOrganiser


def _key(context: DefaultExecutionContext) -> str:
    name: str = context.get_current_parameters()["name"]  # type: ignore[no-untyped-call]
    return name.lower()


class User(Base):
    """A person who signs in: role is participant or admin; app.access says what follows from it and from grants."""

    __tablename__ = "users"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    name_key: Mapped[str] = mapped_column(
        String(64), unique=True, index=True, default=_key
    )  # of names that differ by capitals alone only one is taken
    password_hash: Mapped[str] = mapped_column(String(255))  # empty: they sign in elsewhere
    role: Mapped[str] = mapped_column(String(16))
    turn: Mapped[int] = mapped_column(
        default=-1, index=True
    )  # of their last submission: app.evaluations.turns
    email: Mapped[str | None] = mapped_column(String(254))  # for notices; nobody has proved that it is theirs
    disabled_at: Mapped[datetime | None]  # then they are let in nowhere
    mail_notices: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    grants: Mapped[list["CompetitionOrganiser"]] = relationship(
        lazy="raise"
    )  # whoever asks as a viewer has them loaded: app.auth


class Token(Base):
    """A session cookie or an API token; only its SHA-256 is kept."""

    __tablename__ = "tokens"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))  # "session" | "api"
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]  # to the hour
    user: Mapped[User] = relationship()


class Invitation(Base):
    """A link by which one person may make an account; only the SHA-256 of its secret is kept."""

    __tablename__ = "invitations"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(64))
    email: Mapped[str | None] = mapped_column(String(254))
    made_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    revoked_at: Mapped[datetime | None]
    user: Mapped[User | None] = relationship()


class PasswordReset(Base):
    """A link by which somebody may choose a new password; the row goes when it is used."""

    __tablename__ = "password_resets"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Identity(Base):
    """Who a person is to an identity provider, which signs them in."""

    __tablename__ = "identities"
    issuer: Mapped[str] = mapped_column(String(255), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
