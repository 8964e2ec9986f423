"""One letter by SMTP. Whoever calls waits for the server: never in a transaction, nor on the event loop."""

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from app.settings import Settings

_PATIENCE_SECONDS = 20.0
_PORTS = {"smtp": 587, "smtps": 465}


class MailAway(Exception):  # noqa: N818 - it says what happened
    """The mail server could not be reached, or did not take the letter."""


def is_set(settings: Settings) -> bool:
    """Return whether there is a server to send by, a sender, and an address of this service to write into letters."""
    return bool(settings.smtp_url and settings.mail_from and settings.base_url)


def send(settings: Settings, to: str, subject: str, text: str) -> None:
    """Send a letter of plain text. Raises MailAway; then it may be tried again, and may arrive twice."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = settings.mail_from, to, subject
    letter["Auto-Submitted"] = "auto-generated"  # so that no answering machine answers
    letter.set_content(text)
    try:
        with _connected(settings.smtp_url) as server:
            server.send_message(letter)
    except (OSError, smtplib.SMTPException) as error:
        raise MailAway(f"{type(error).__name__}: {error}") from error


def _connected(url: str) -> smtplib.SMTP:
    """Return a connection, encrypted wherever a password goes over it: smtps:// from the start, smtp:// by STARTTLS."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_PATIENCE_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=_PATIENCE_SECONDS)
    try:
        server.ehlo()
        if parts.scheme == "smtp" and (parts.username or server.has_extn("starttls")):
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server
