"""Letters, to a mail server of the tests' own."""

import socket
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from pydantic import ValidationError

from app import mail
from app.mail import MailAway
from app.settings import Settings


class Letters:
    """Keeps what it is brought, or refuses it."""

    def __init__(self):
        self.kept = []
        self.refuse = False

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.refuse:
            return "550 no room"
        self.kept.append(envelope)
        return "250 OK"


@pytest.fixture
def server():
    controller = Controller(Letters(), hostname="127.0.0.1", port=0)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        controller.port = probe.getsockname()[1]
    controller.start()
    yield controller
    controller.stop()


def settings_for(port, scheme="smtp"):
    return Settings(
        smtp_url=f"{scheme}://127.0.0.1:{port}",
        mail_from="Lethe <lethe@example.org>",
        base_url="https://lethe.example.org/",
    )


def test_a_letter_arrives_as_it_was_written(server):
    mail.send(settings_for(server.port), "ada@example.org", "A score: ε = 1", "Rank 2.\nDone.\n")
    [envelope] = server.handler.kept
    assert (envelope.mail_from, envelope.rcpt_tos) == ("lethe@example.org", ["ada@example.org"])
    letter = message_from_bytes(envelope.content, policy=policy.default)
    assert (letter["Subject"], letter["Auto-Submitted"]) == ("A score: ε = 1", "auto-generated")
    assert letter.get_content().splitlines() == ["Rank 2.", "Done."]


def test_a_letter_that_is_refused_and_a_server_that_is_away_are_told_apart_from_success(server):
    server.handler.refuse = True
    with pytest.raises(MailAway, match="no room"):
        mail.send(settings_for(server.port), "ada@example.org", "s", "t")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(MailAway, match="ConnectionRefusedError"):
            mail.send(settings_for(nobody.getsockname()[1]), "ada@example.org", "s", "t")


def test_a_password_never_goes_over_a_line_that_is_not_encrypted(server):
    settings = Settings(smtp_url=f"smtp://me:secret@127.0.0.1:{server.port}", mail_from="a@b.c")
    with pytest.raises(MailAway, match="STARTTLS"):
        mail.send(settings, "ada@example.org", "s", "t")
    assert server.handler.kept == []


@pytest.mark.parametrize("subject", ["one\r\nBcc: eve@example.org", "one\nline"])
def test_a_subject_cannot_add_headers(server, subject):
    with pytest.raises(ValueError, match="Header values"):
        mail.send(settings_for(server.port), "ada@example.org", subject, "t")


def test_mail_is_set_only_with_server_sender_and_address():
    whole = settings_for(25)
    assert mail.is_set(whole)
    for part in ("smtp_url", "mail_from", "base_url"):
        assert not mail.is_set(whole.model_copy(update={part: ""}))
    assert whole.base_url == "https://lethe.example.org"


@pytest.mark.parametrize(
    "bad",
    [
        {"smtp_url": "http://host"},
        {"smtp_url": "smtp://"},
        {"base_url": "lethe"},
        {"base_url": "https://x/y"},
    ],
)
def test_addresses_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValidationError):
        Settings(**bad)


def test_the_servers_password_can_come_from_a_file_and_is_never_shown(tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")
    settings = Settings(smtp_url="smtp://me@host", smtp_password_file=tmp_path / "secret")
    assert settings.smtp_url == "smtp://me:s3cret@host"
    assert "s3cret" not in repr(settings)
