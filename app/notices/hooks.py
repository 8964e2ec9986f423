"""One signed POST to an address that a person gave: never into our own networks, never further than that address.

The name is resolved once, every address that it has is checked, and the connection goes to the address that was
checked: a name that answers otherwise a moment later changes nothing. Redirects are not followed.
"""

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager, suppress
from threading import Thread, Timer
from typing import Any
from urllib.parse import SplitResult, urlsplit

PATIENCE_SECONDS = 10.0
"""For finding a host, for the connection, and for all that is said over it: each, so that a try ends well within its lease."""
LONGEST_URL = 500
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class HookFailed(Exception):  # noqa: N818 - it says what happened
    """The receiver was not reached, is not allowed, or did not take the notice."""


def checked(url: str, *, private: bool) -> SplitResult:
    """Return the parts of a URL that a webhook may have. Raises HookFailed in words for a person."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise HookFailed("This is not a URL.") from error
    schemes = {"https", "http"} if private else {"https"}
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise HookFailed(f"A webhook's URL has at most {LONGEST_URL} plain ASCII characters.")
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise HookFailed("A webhook's URL begins with https:// and names a host.")
    if parts.username is not None or parts.fragment:
        raise HookFailed("A webhook's URL holds no user name, password or fragment.")
    return parts


def signature(secret: str, at: int, body: bytes) -> str:
    """Return what proves that a body is ours and when it was sent.

    >>> signature("s", 1, b"x")[:20]
    't=1,v1=82e21d3835959'
    """
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def post(url: str, body: bytes, headers: dict[str, str], *, private: bool) -> int:
    """Send a body and return the status, which is 2xx. Raises HookFailed with what went wrong."""
    parts = checked(url, private=private)
    default = 443 if parts.scheme == "https" else 80
    try:
        return _sent(parts, parts.port or default, body, headers, private=private)
    except (OSError, http.client.HTTPException) as error:
        raise HookFailed(_words(error)) from error


def _sent(parts: SplitResult, port: int, body: bytes, headers: dict[str, str], *, private: bool) -> int:
    host = parts.hostname or ""
    address = address_of(host, port, private=private)
    with ExitStack() as held:
        link = held.enter_context(socket.create_connection((address, port), PATIENCE_SECONDS))
        held.enter_context(_limited(link))
        if parts.scheme == "https":
            secure = ssl.create_default_context()
            link = held.enter_context(secure.wrap_socket(link, server_hostname=host))
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
        connection.sock = link
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, headers)
        status = connection.getresponse().status
    if not 200 <= status < 300:
        raise HookFailed(f"It answered {status}.")
    return status


@contextmanager
def _limited(link: socket.socket) -> Iterator[None]:
    """Cut a connection when its time is up: a receiver that sends byte after byte ends then too.

    It is cut by a descriptor of its own, for TLS takes the link's away.
    """
    with closing(link.dup()) as own:
        end = Timer(PATIENCE_SECONDS, _cut, [own])
        end.daemon = True
        end.start()
        try:
            yield
        finally:
            end.cancel()


def _cut(link: socket.socket) -> None:
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)


def address_of(host: str, port: int, *, private: bool) -> str:
    """Return an address of a host. Raises HookFailed when any of them is none of the public internet's."""
    try:
        found = _found(host, port)
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as error:
        raise HookFailed(f"{host} is not found.") from error
    addresses = [str(one[4][0]) for one in found]
    if not private and not all(is_public(one) for one in addresses):
        raise HookFailed(f"{host} is not on the public internet.")
    return addresses[0]


def _found(host: str, port: int) -> list[Any]:
    """Resolve a name, for which the system sets no limit. Raises TimeoutError; the thread is left to end by itself."""
    answer: Future[list[Any]] = Future()

    def ask() -> None:
        try:
            answer.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            answer.set_exception(error)

    Thread(target=ask, name="resolve", daemon=True).start()
    return answer.result(PATIENCE_SECONDS)


def is_public(address: str) -> bool:
    """Return whether an address is one of the public internet's, and not one of ours in another form.

    >>> [is_public(one) for one in ("93.184.216.34", "10.0.0.1", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1")]
    [True, False, False, False, False]
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if parsed.sixtofour is not None or parsed.teredo is not None or parsed in _NAT64:
            return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "It took too long to answer."
    if isinstance(error, ssl.SSLError):
        return f"No safe connection: {getattr(error, 'verify_message', '') or error.reason}."
    if isinstance(error, http.client.HTTPException):
        return "It did not answer in HTTP."
    return f"It was not reached: {getattr(error, 'strerror', None) or error}."
