"""What it means when a request is not answered, or refused: a message, a stable code, an exit code and what to do."""

import json
import re
import ssl
from typing import Any

import httpx

from cli.errors import CliError, TryAgainError
from cli.exit_codes import ExitCode
from cli.text import duration


def unreachable(url: str, error: httpx.RequestError) -> CliError:
    """Say why a request had no answer; it may be a TryAgainError."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            # repeating will not help: this is no TryAgainError
            return CliError(
                f"No safe connection to {url}: {cause}.",
                code="tls_failed",
                exit_code=ExitCode.NETWORK,
                advice="Check the address; SSL_CERT_FILE names a certificate authority of your own.",
            )
        cause = cause.__cause__ or cause.__context__
    why = re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or "no answer"
    if isinstance(error, httpx.TimeoutException):
        why = "it took too long to answer"
    return TryAgainError(f"Cannot reach {url}: {why}.", code="unreachable", exit_code=ExitCode.NETWORK)


def refusal(url: str, response: httpx.Response) -> CliError:
    """Say what an answer that is no success means, in the service's own words; it may be a TryAgainError."""
    status = response.status_code
    if response.is_redirect:
        target = response.headers.get("Location", "another address")
        return not_lethe(url, f"it redirects to {target}", "Give the address it redirects to.")
    problem = _problem(response)
    if not problem and status not in {429, 502, 503, 504}:
        return not_lethe(url, f"it answers {status} without saying why")
    code = str(problem.get("code") or f"http_{status}")
    kind = (
        TryAgainError
        if status in {502, 503, 504} or (status == 429 and code != "quota_exhausted")
        else CliError
    )
    return kind(
        _message(problem, status),
        code=code,
        exit_code=_exit_code(status),
        advice=_advice(problem, code, response),
        status=status,
        request_id=problem.get("request_id") or response.headers.get("X-Request-Id"),
        retry_after=seconds_of(response, "Retry-After"),
    )


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        data = json.loads(response.content)
    except ValueError:
        return {}
    return data if isinstance(data, dict) and ("title" in data or "detail" in data) else {}


def _message(problem: dict[str, Any], status: int) -> str:
    words = problem.get("detail") or problem.get("title") or f"The service answers {status}"
    if not isinstance(words, str):  # a list of faults in the request
        words = json.dumps(words)
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _advice(problem: dict[str, Any], code: str, response: httpx.Response) -> str:
    if response.status_code == 401:  # the service's own advice is for a browser
        return "Run `lethe login`, or set LETHE_TOKEN to a valid token."
    if advice := problem.get("advice"):
        return str(advice)
    wait = seconds_of(response, "Retry-After")
    if code == "quota_exhausted" and wait is not None:
        return f"Your quota is full again in {duration(wait)}."
    return ""


def _exit_code(status: int) -> ExitCode:
    if status >= 500:
        return ExitCode.NETWORK
    return {401: ExitCode.AUTH, 403: ExitCode.AUTH, 429: ExitCode.QUOTA}.get(status, ExitCode.FAILED)


def not_lethe(url: str, why: str, advice: str = "Check the address.") -> CliError:
    """Say that something else answers."""
    message = f"What answers at {url} does not look like Lethe: {why}."
    return CliError(message, code="not_lethe", exit_code=ExitCode.NETWORK, advice=advice)


def seconds_of(response: httpx.Response, header: str) -> float | None:
    """Return what a header says in seconds, or None."""
    try:
        value = float(response.headers.get(header, ""))
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
