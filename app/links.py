"""Links that are handed to people: whole where the operator said what this service's address is, else a path."""

from app.settings import Settings


def reset(settings: Settings, secret: str) -> str:
    """Return where a new password is chosen."""
    return f"{settings.base_url}/reset?link={secret}"


def invitation(settings: Settings, secret: str) -> str:
    """Return where an invited person makes their account."""
    return f"{settings.base_url}/register?invitation={secret}"
