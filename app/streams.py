"""How many event streams may be open at once in one process, of one person and of all."""

from app.errors import Busy, LetheError

PER_PERSON = 5
PER_PROCESS = 1000


class TooManyStreams(LetheError):  # noqa: N818 - named like its siblings in app.errors
    """This person follows as many submissions as they may."""

    status = 429
    code = "too_many_streams"
    title = "You follow too many submissions at once"


def too_many(most: int) -> TooManyStreams:
    """Return the refusal of one more."""
    return TooManyStreams(
        f"{most} streams of yours are open already.",
        advice="Close a page or program that follows a submission, or poll instead.",
        retry_after=5,
    )


def full() -> Busy:
    """Return the refusal to whom this process has no stream left."""
    return Busy(
        f"{PER_PROCESS} streams are open already.",
        advice="Poll instead, or try again in a while.",
        retry_after=30,
    )
