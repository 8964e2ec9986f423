"""The exit codes of the `lethe` command, the same for all its subcommands."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a script can tell from the exit code alone."""

    OK = 0
    """The command did what was asked; where it followed a submission, that was scored or is still on its way."""
    FAILED = 1
    """The submission ended without a score, or the service refused the request."""
    USAGE = 2
    """The command line, its environment or its configuration file is not right."""
    AUTH = 3
    """No token, a wrong one, or one that may not do this."""
    QUOTA = 4
    """No submission is left today, or too many requests."""
    NETWORK = 5
    """The service cannot be reached, is down, or what answers there is not Lethe."""
    TIMED_OUT = 6
    """--timeout passed while the submission was still on its way; it goes on without us."""
    INTERRUPTED = 130
    """Ctrl-C."""
