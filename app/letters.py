"""Letters that people ask for about their account."""

import logging
from datetime import datetime

from app import links, mail, resets
from app.context import Context
from app.db import unit_of_work

log = logging.getLogger("lethe.web")


def send_reset_links(context: Context, given: str, now: datetime) -> None:
    """Send a link to each account of this name or address that has an address; who asked learns nothing of it."""
    with unit_of_work(context.engine) as session:
        found = resets.to_mail(session, given, now)
    for address, name, secret in found:
        text = (
            f"Somebody, probably you, asked for a new password for {name} on Lethe.\n\n"
            f"Choose it here, within 24 hours:\n{links.reset(context.settings, secret)}\n\n"
            "If it was not you, do nothing: your password stays as it is.\n"
        )
        try:
            mail.send(context.settings, address, "A new password for Lethe", text)
        except Exception:  # the other letters go all the same
            log.exception("a letter with a link for a new password was not sent")
