"""How many event streams a person may hold open at once in one process."""

from app.errors import LetheError

PER_PERSON = 5


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
