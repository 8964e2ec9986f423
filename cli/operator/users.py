"""`lethe user`: accounts, straight in the database, for whoever runs the service."""

import secrets
from datetime import UTC, datetime

import click

from cli.errors import CliError, reported
from cli.installation import read_settings, reading, writing
from cli.options import examples, json_option, printed
from cli.text import moment, say, table

ACTOR = "an operator"
"""Whom the event log names; no account can have such a name."""


role_option = click.option(
    "--role",
    type=click.Choice(["participant", "admin"]),
    default="participant",
    show_default=True,
    help="What they may do.",
)


@click.group()
def user() -> None:
    """Accounts: add people, issue API tokens."""


@examples("lethe user add ada --role admin")
@user.command()
@click.argument("name")
@role_option
@reported
def add(*, name: str, role: str) -> None:
    """Add an account and print its random password."""
    from app import auth

    password = secrets.token_urlsafe(12)
    with writing() as session:
        auth.create_user(session, name, password, role, datetime.now(UTC))
    click.echo(password)


@examples("lethe user organise grace digits", "lethe user organise grace digits --withdraw")
@user.command()
@click.argument("name")
@click.argument("competition")
@click.option("--withdraw", is_flag=True, help="Take it back.")
@reported
def organise(*, name: str, competition: str, withdraw: bool) -> None:
    """Make NAME organiser of COMPETITION, its slug: there they may see and do what an admin may."""
    from app import organisers

    change = organisers.withdraw if withdraw else organisers.grant
    with writing() as session:
        change(session, competition, name, ACTOR, datetime.now(UTC))
        found = organisers.names(session, competition)
    say(f"{competition} is organised by {', '.join(found) or 'admins alone'}.")


@examples("lethe user token ada")
@user.command()
@click.argument("name")
@reported
def token(*, name: str) -> None:
    """Issue an API token for an account and print it; it is shown only once."""
    from sqlalchemy import select

    from app import auth
    from app.models import User

    with writing() as session:
        found = session.scalar(select(User).where(User.name == name))
        if found is None:
            raise CliError(
                f"There is no account named {name!r}.",
                code="no_such_account",
                advice=f"Add it with `lethe user add {name}`.",
            )
        issued = auth.issue_token(session, found, "api", "issued by an operator", datetime.now(UTC), None)
    click.echo(issued)


@examples("lethe user list --search ada")
@user.command("list")
@click.option("--search", default="", help="Only names and addresses that hold this.")
@json_option
@reported
def listed(*, search: str, as_json: bool) -> None:
    """List accounts, newest first."""
    from app.views import users

    items, cursor = [], ""
    with reading() as session:
        while True:
            page = users.listing(session, search, cursor)
            items += page.items
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
    if as_json:
        printed({"items": [one.model_dump(mode="json") for one in items]})
        return
    header = ("name", "role", "organises", "e-mail", "made", "state")
    rows = [
        [
            one.name,
            one.role,
            ",".join(one.organises) or "-",
            one.email or "-",
            moment(one.created_at),
            "disabled" if one.disabled_at else "active",
        ]
        for one in items
    ]
    click.echo(table(header, rows))


@examples("lethe user role grace admin")
@user.command()
@click.argument("name")
@click.argument("role", metavar="ROLE", type=click.Choice(["participant", "admin"]))
@reported
def role(*, name: str, role: str) -> None:
    """Make NAME a participant or an admin."""
    from app import accounts

    with writing() as session:
        accounts.set_role(session, name, role, ACTOR, datetime.now(UTC))
    say(f"{name} is {'an admin' if role == 'admin' else 'a participant'} now.")


@examples("lethe user disable mallory")
@user.command()
@click.argument("name")
@reported
def disable(*, name: str) -> None:
    """Let NAME in nowhere: their sessions, tokens and links end."""
    from app import accounts

    with writing() as session:
        accounts.disable(session, name, ACTOR, datetime.now(UTC))
    say(f"{name} is let in nowhere. Undo it: `lethe user enable {name}`.")


@examples("lethe user enable mallory")
@user.command()
@click.argument("name")
@reported
def enable(*, name: str) -> None:
    """Let NAME sign in again; tokens do not come back."""
    from app import accounts

    with writing() as session:
        accounts.enable(session, name, ACTOR, datetime.now(UTC))
    say(f"{name} may sign in again.")


@examples("lethe user reset-link ada")
@user.command("reset-link")
@click.argument("name")
@reported
def reset_link(*, name: str) -> None:
    """Print a link by which NAME chooses a new password: good once, for 24 hours."""
    from app import accounts, links, resets

    settings = read_settings()
    with writing() as session:
        secret = resets.issue(session, accounts.by_name(session, name), ACTOR, datetime.now(UTC))
    click.echo(links.reset(settings, secret))
    if not settings.base_url:
        say("Put the service's address before it, or set LETHE_BASE_URL.")
