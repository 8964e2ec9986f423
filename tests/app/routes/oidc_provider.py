"""A small OpenID Connect provider of the tests' own: real HTTP, real signatures, and faults on demand."""

import base64
import hashlib
import json
import secrets
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "lethe", "not so secret"


class Provider:
    """Signs in whoever `person` is; `spoil` changes the claims of its next tokens."""

    def __init__(self, now):
        self.now = now
        self.key = RSAKey.generate_key(2048, parameters={"kid": "first", "use": "sig"})
        self.person = {"sub": "u-1", "preferred_username": "lovelace", "email": "ada@example.org"}
        self.spoil = {}
        self.signing_key = None
        self.codes = {}
        self.issuer = ""
        self.asked = []

    def authorize(self, query):
        """What a browser is answered that comes to sign in: where it is sent back to."""
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form, authorization):
        """Exchange a code, once, for whoever knows the client's secret and the code's verifier."""
        wanted = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.codes.pop(form["code"], None)
        challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(challenge).decode().rstrip("=")
        if authorization.replace("%20", " ") not in {wanted, _quoted()} or asked is None:
            return 400, {"error": "invalid_grant"}
        if asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(self.now().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims |= self.person | self.spoil
        signed = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.signing_key or self.key)
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": signed}

    def document(self):
        place = self.issuer
        return {
            "issuer": place,
            "authorization_endpoint": f"{place}/authorize",
            "token_endpoint": f"{place}/token",
            "jwks_uri": f"{place}/keys",
        }


def _quoted():
    """The client's secret as RFC 6749 has it: form-encoded before it is put together."""
    return "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".replace(" ", "+").encode()).decode()


@contextmanager
def serving(provider):
    """Serve it on this machine; its issuer is its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if parts.path == "/.well-known/openid-configuration":
                self.answer(200, provider.document())
            elif parts.path == "/keys":
                self.answer(200, {"keys": [provider.key.as_dict(private=False)]})
            else:
                self.send_error(404)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {key: values[0] for key, values in parse_qs(body).items()}
            self.answer(*provider.token(form, self.headers.get("Authorization", "")))

        def answer(self, status, content):
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
