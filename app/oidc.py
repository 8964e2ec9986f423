"""Sign-in through an OpenID Connect provider: the code flow, with PKCE, state and nonce.

What binds the answer to the browser that asked is one random secret in a cookie: state, nonce and code verifier are made
of it. Nothing is kept here between the two requests.
"""

import hashlib
import hmac
import threading
import time
import warnings
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from app.errors import Busy, Forbidden
from app.settings import Settings

CALLBACK = "/sign-in/oidc/callback"
SCOPE = "openid profile email"
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_PATIENCE_SECONDS = 10.0
_KNOWN_SECONDS = 3600.0
_FRESH_SECONDS = 60.0
_LEEWAY_SECONDS = 120
_AGAIN = "Start again from the sign-in page."


@dataclass(frozen=True)
class Claims:
    """Who a person is to the provider; only issuer and subject together are sure to mean one person."""

    issuer: str
    subject: str
    name: str
    email: str


@dataclass(frozen=True)
class _Known:
    metadata: dict[str, Any]
    keys: dict[str, Any]
    at: float


class Provider:
    """The one provider of this installation. Its addresses and keys are asked for when first needed, then hourly."""

    def __init__(self, settings: Settings) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it would rather have another httpx
            from authlib.integrations.httpx_client import (  # noqa: PLC0415 - an extra, only where it is used
                OAuth2Client,
            )
        self.name = settings.oidc_name
        self._issuer = settings.oidc_issuer
        self._client = OAuth2Client
        self._options: dict[str, Any] = {
            "client_id": settings.oidc_client_id,
            "client_secret": settings.oidc_secret,
            "scope": SCOPE,
            "redirect_uri": settings.base_url + CALLBACK,
            "code_challenge_method": "S256",
            "timeout": _PATIENCE_SECONDS,
        }
        self._known: _Known | None = None
        self._lock = threading.Lock()

    def begin(self, secret: str) -> str:
        """Return where the browser that holds this secret signs in. Raises Busy while the provider is away."""
        url, _ = self._client(**self._options).create_authorization_url(
            self._learn().metadata["authorization_endpoint"],
            state=_made_of(secret, "state"),
            nonce=_made_of(secret, "nonce"),
            code_verifier=_made_of(secret, "verifier"),
        )
        return str(url)

    def finish(self, secret: str, answer_url: str, now: datetime) -> Claims:
        """Return who signed in, by the address that the provider sent the browser back to.

        Raises Forbidden for an answer that is not to this browser's question, or does not hold, and Busy.
        """
        given = {key: values[0] for key, values in parse_qs(urlsplit(answer_url).query).items()}
        if not hmac.compare_digest(given.get("state", "").encode(), _made_of(secret, "state").encode()):
            raise Forbidden("This answer belongs to another sign-in.", advice=_AGAIN)
        if "code" not in given:
            raise Forbidden(f"{self.name} did not sign you in.", advice=_AGAIN)
        return self._claims(self._exchange(given["code"], secret), secret, now)

    def _exchange(self, code: str, secret: str) -> str:
        """Return the ID token that the code stands for."""
        endpoint = self._learn().metadata["token_endpoint"]
        try:
            with self._client(**self._options) as client:
                token = client.fetch_token(endpoint, code=code, code_verifier=_made_of(secret, "verifier"))
        except httpx.HTTPError as error:
            raise self._away() from error
        except Exception as error:  # its library's errors have no common kind
            raise Forbidden(f"{self.name} did not take the sign-in's code.", advice=_AGAIN) from error
        if not isinstance(token.get("id_token"), str):
            raise Forbidden(f"{self.name} did not say who you are.", advice=_AGAIN)
        return str(token["id_token"])

    def _claims(self, id_token: str, secret: str, now: datetime) -> Claims:
        from joserfc import jwt  # noqa: PLC0415 - an extra, only where it is used
        from joserfc.errors import JoseError  # noqa: PLC0415

        rules = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._options["client_id"]},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": _made_of(secret, "nonce")},
        )
        try:
            claims = self._verified(id_token)
            rules.validate(claims)
        except (JoseError, ValueError, KeyError) as error:
            raise Forbidden(f"What {self.name} said does not hold: {error}.", advice=_AGAIN) from error
        audience = claims["aud"]
        if (
            isinstance(audience, list)
            and len(audience) > 1
            and claims.get("azp") != self._options["client_id"]
        ):
            raise Forbidden(f"What {self.name} said was for somebody else.", advice=_AGAIN)
        verified = claims.get("email_verified") is not False
        return Claims(
            issuer=self._issuer,
            subject=str(claims["sub"]),
            name=str(claims.get("preferred_username") or claims.get("name") or ""),
            email=str(claims.get("email") or "") if verified else "",
        )

    def _verified(self, id_token: str) -> dict[str, Any]:
        """Return the claims of a token that one of the provider's keys signed; keys may have been changed lately."""
        from joserfc import jwt  # noqa: PLC0415
        from joserfc.errors import JoseError  # noqa: PLC0415
        from joserfc.jwk import KeySet  # noqa: PLC0415

        known = self._learn()
        try:
            keys = KeySet.import_key_set(known.keys)  # type: ignore[arg-type]  # as it came, it checks
            return dict(jwt.decode(id_token, keys, algorithms=_ALGORITHMS).claims)
        except (JoseError, ValueError):
            if time.monotonic() - known.at < _FRESH_SECONDS:
                raise
            keys = KeySet.import_key_set(self._learn(afresh=True).keys)  # type: ignore[arg-type]
            return dict(jwt.decode(id_token, keys, algorithms=_ALGORITHMS).claims)

    def _learn(self, *, afresh: bool = False) -> _Known:
        """Ask the provider for its addresses and keys, unless that was done lately. Raises Busy when it is away."""
        with self._lock:
            known = self._known
            if known is not None and not afresh and time.monotonic() - known.at < _KNOWN_SECONDS:
                return known
            try:
                with httpx.Client(timeout=_PATIENCE_SECONDS) as client:
                    place = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
                    metadata = client.get(place).raise_for_status().json()
                    keys = client.get(metadata["jwks_uri"]).raise_for_status().json()
                    named = metadata["issuer"]
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                raise self._away() from error
            if named != self._issuer:
                raise self._away()
            self._known = _Known(metadata, keys, time.monotonic())
            return self._known

    def _away(self) -> Busy:
        return Busy(
            f"{self.name} does not answer as it should.",
            advice="Try again in a minute, or sign in with a password.",
            retry_after=60,
        )


def _made_of(secret: str, purpose: str) -> str:
    """Return 43 characters that only whoever holds the secret can make."""
    digest = hashlib.sha256(f"{purpose}:{secret}".encode()).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")
