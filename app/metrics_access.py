"""Who may read metrics: whoever has the token, or, where none is set, who asks from this very machine."""

import hmac
from collections.abc import Mapping
from ipaddress import ip_address

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""What a proxy adds: it is on this machine, but whom it asks for is not."""


def may_read(token: str | None, peer: str, headers: Mapping[str, str]) -> bool:
    """Return whether a request from an address with these headers, by their names in small letters, may."""
    if token is not None:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
    return is_loopback(peer) and not any(headers.get(name) for name in FORWARDED)


def is_loopback(address: str) -> bool:
    """Return whether an address is this machine's own; a name is not."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
