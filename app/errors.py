"""The tree of errors that people can meet.

LetheError
├── Rejected            422  the bundle is refused at the door (reason code of app.reasons)
│   └── BundleTooLarge  413
├── QuotaExhausted      429
├── TooManyAttempts     429  to sign in, to make an account, to be sent a letter or a test
├── TooManyUploads      429  of one person at once
├── UploadTimeout       408
├── CompetitionClosed   409
├── NotAuthenticated    401
├── Forbidden           403
│   └── Disqualified    403  from the competition that they would submit to
├── NotFound            404
├── Conflict            409  a transition that somebody else won, or a final state
├── IdempotencyMismatch 422  the same Idempotency-Key with another payload
├── BadRequest          400
├── NotPrepared         409  the competition has no reference yet
├── NotReady            503  something that this process needs is away
└── Busy                503  too much at once; try again after retry_after seconds
"""

# ruff: noqa: N818 - the names say what happened

from typing import ClassVar

from app.reasons import REASONS, Fault


class LetheError(Exception):
    """An error with a stable code, an HTTP status, and words that say what to change."""

    status: ClassVar[int] = 500
    code: str = "internal_error"
    title: str = "Something broke on our side"

    def __init__(self, detail: str, *, advice: str = "", retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.advice = advice
        self.retry_after = retry_after


class Rejected(LetheError):
    """The bundle is refused at the door; no quota is spent."""

    status = 422

    def __init__(self, code: str, detail: str = "") -> None:
        reason = REASONS[code]
        super().__init__(detail or reason.cause, advice=reason.advice)
        self.code = code
        self.title = reason.cause


class BundleTooLarge(Rejected):
    """The upload is over the competition's size cap."""

    status = 413

    def __init__(self, limit_bytes: int) -> None:
        super().__init__("bundle_too_large", f"The upload is over the limit of {limit_bytes:,} bytes.")


class QuotaExhausted(LetheError):
    """No submission is left today."""

    status = 429
    code = "quota_exhausted"
    title = "Your quota is used up"


class TooManyAttempts(LetheError):
    """Signing in has failed too often, for this name or from this address, or too much was asked by somebody or from there."""

    status = 429
    code = "too_many_attempts"
    title = "Too many attempts"


class TooManyUploads(LetheError):
    """One person has too many uploads under way."""

    status = 429
    code = "too_many_uploads"
    title = "Too many uploads at once"


class UploadTimeout(LetheError):
    """An upload took longer than any may."""

    status = 408
    code = "upload_timeout"
    title = "The upload took too long"


class CompetitionClosed(LetheError):
    """The competition has not opened yet, or has closed."""

    status = 409
    code = "competition_closed"
    title = "The competition takes no submissions now"


class NotAuthenticated(LetheError):
    """No valid session or token."""

    status = 401
    code = "not_authenticated"
    title = "Sign in or send a valid token"


class Forbidden(LetheError):
    """Signed in, but not allowed."""

    status = 403
    code = "forbidden"
    title = "You may not do this"


class Disqualified(Forbidden):
    """Taken out of a competition by an organiser."""

    code = "disqualified"
    title = "You are disqualified from this competition"


class NotFound(LetheError):
    """There is no such thing, or it is not yours to see."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(LetheError):
    """The thing is no longer in the state that this needs."""

    status = 409
    code = "conflict"
    title = "Not possible in this state"


class IdempotencyMismatch(LetheError):
    """An Idempotency-Key was used again with another payload."""

    status = 422
    code = "idempotency_mismatch"
    title = "This Idempotency-Key belongs to another upload"


class BadRequest(LetheError):
    """The request itself is malformed."""

    status = 400
    code = "bad_request"
    title = "The request cannot be understood"


class NotPrepared(LetheError):
    """The competition has no reference yet."""

    status = 409
    code = "not_prepared"
    title = "The competition is not prepared yet"


class NotReady(LetheError):
    """Something that this process needs for its work is away."""

    status = 503
    code = "not_ready"
    title = "Not ready"


class Busy(LetheError):
    """Too much of a costly thing is asked at once."""

    status = 503
    code = "busy"
    title = "Too busy just now"


_NOBODYS = frozenset(
    {kind.code for kind in (CompetitionClosed, Conflict, NotAuthenticated, NotFound, NotPrepared)}
)


def fault_of(status: int, code: str) -> Fault:
    """Return whose doing an error is: ours from 500 on, else that of who sent the request, or nobody's.

    An address that leads nowhere may be anybody's link; who has not signed in, comes at another time or after
    somebody else has done nothing wrong.
    """
    if status >= 500:
        return Fault.LETHE
    return Fault.NOBODY if code in _NOBODYS else Fault.PARTICIPANT
