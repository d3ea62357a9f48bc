"""Check a finished bundle: `python -I -S -B infra/bundle/check.py FOLDER`.

This is a separate program, so that -I and -S can limit imports to the standard library and FOLDER.
Otherwise the boto3 in Lambda's base image would hide that ours is missing. The check also verifies
a token, because only that imports cryptography.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

KEY_ID = "check"
SUB = "c2c5d4b4-60a1-70f2-9d5e-1f6ab3c4d5e6"


def main(folder: str) -> None:
    """Import the handler from `folder` and verify an access token. Any failure is raised.

    It also makes all routes, which wait on Lambda until they are needed.
    """
    sys.path.insert(0, folder)
    # The bundle's, found by the line above
    from app.handler import app  # noqa: PLC0415
    from app.routing import make_all  # noqa: PLC0415

    make_all(app.routes)
    check_token()


def check_token() -> None:
    """Sign a token as a user pool does, publish the key on loopback, and let the app verify it."""
    # The bundle's packages can only be imported after `main` has added the folder to the path.
    import jwt  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    from app.settings import Settings  # noqa: PLC0415
    from app.tokens import Verifier  # noqa: PLC0415

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    with HTTPServer(("127.0.0.1", 0), _keys({"keys": [{**public, "kid": KEY_ID}]})) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        settings = Settings(
            client_id="check",
            user_pool_id="eu-west-1_check",
            region="eu-west-1",
            jwks_url=f"http://127.0.0.1:{server.server_port}/",
        )
        now = int(time.time())
        claims: dict[str, str | int] = {"sub": SUB, "iss": settings.issuer, "client_id": "check"}
        claims |= {"token_use": "access", "iat": now, "exp": now + 60}
        token = jwt.encode(claims, private, "RS256", {"kid": KEY_ID})
        if Verifier(settings).verify(token).sub != SUB:
            raise AssertionError("the token was read wrongly")


def _keys(document: dict[str, list[dict[str, str]]]) -> type[BaseHTTPRequestHandler]:
    """Return a request handler that answers every GET with the pool's keys."""

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_: object) -> None:
            pass

    return Keys


if __name__ == "__main__":
    main(sys.argv[1])
