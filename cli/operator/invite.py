"""`lethe admin invite`: links by which people make their accounts."""

from datetime import UTC, datetime

import click

from cli.errors import reported, usage_error
from cli.installation import read_settings, reading, writing
from cli.operator.users import ACTOR, role_option
from cli.options import examples, json_option, printed
from cli.text import moment, say, table

HEADER = ("id", "for", "as", "state", "made by", "used by", "ends")


@examples('lethe admin invite --label "Grace, by mail" --days 3', "lethe admin invite --list")
@click.command()
@click.option("--label", default="", help="For whom it is; admins see it.")
@click.option("--email", default="", help="Filled into the form.")
@role_option
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 90), help="How long it is good.")
@click.option("--list", "as_list", is_flag=True, help="List invitations instead.")
@click.option("--revoke", metavar="ID", help="Take an invitation back instead.")
@json_option
@reported
def invite(
    *, label: str, email: str, role: str, days: int, as_list: bool, revoke: str | None, as_json: bool
) -> None:
    """Print a link by which one person makes an account.

    It lets them in where LETHE_REGISTRATION is `invitation` or `open`. The link is shown only once.
    """
    if as_list and revoke:
        raise usage_error("Choose one of --list and --revoke.", "bad_option")
    if as_list:
        _list(as_json=as_json)
    elif revoke:
        _revoke(revoke)
    else:
        _make(label, email, role, days, as_json=as_json)


def _make(label: str, email: str, role: str, days: int, *, as_json: bool) -> None:
    from app import invitations, links

    settings = read_settings()
    with writing() as session:
        made, secret = invitations.make(session, role, label, email, days, ACTOR, datetime.now(UTC))
    link = links.invitation(settings, secret)
    if as_json:
        shown = {"id": made.id, "link": link, "expires_at": made.expires_at.isoformat()}
        printed(shown)
    else:
        click.echo(link)
    if settings.registration == "closed":
        say("LETHE_REGISTRATION is closed: the link lets nobody in until it is `invitation` or `open`.")
    if not settings.base_url:
        say("Put the service's address before it, or set LETHE_BASE_URL.")


def _list(*, as_json: bool) -> None:
    from app.views import users

    now = datetime.now(UTC)
    with reading() as session:
        page = users.invitations(session, "", now)
        items = list(page.items)
        while page.next_cursor is not None:
            page = users.invitations(session, page.next_cursor, now)
            items += page.items
    if as_json:
        printed({"items": [one.model_dump(mode="json") for one in items]})
        return
    rows = [
        [
            one.id,
            one.label or one.email or "-",
            one.role,
            one.state,
            one.made_by,
            one.used_by or "-",
            moment(one.expires_at),
        ]
        for one in items
    ]
    click.echo(table(HEADER, rows))


def _revoke(invitation_id: str) -> None:
    from app import invitations

    with writing() as session:
        invitations.revoke(session, invitation_id, ACTOR, datetime.now(UTC))
    say("Its link is good for nothing now.")
