"""moto's application for Cognito only, with our operations, pools and keys."""

import json
from typing import Any, Self

import moto.cognitoidp.models
import moto.cognitoidp.urls
from moto.moto_server import werkzeug_app

from infra.local.operations.request import STATE_KEY
from infra.local.operations.responses import CognitoResponse
from infra.local.pool.ids import new_id
from infra.local.pool.user_pool import Pool

KEYS = "/.well-known/jwks.json"
"""How the path of a pool's public keys ends."""


class UnusedKey:
    """The private key that moto loads for each pool. No token is signed with it.

    Loading moto's own key takes 90 ms, and that key is public: it is in moto's package. `state.key`
    signs the tokens.
    """

    @classmethod
    def import_key(cls, _text: str) -> Self:
        """Return a key without reading the text."""
        return cls()


class UnusedKeys:
    """The part of the module `joserfc.jwk` that moto uses."""

    RSAKey = UnusedKey


def create_moto_app() -> Any:
    """Return the WSGI application."""
    # All can be replaced here: moto looks up the names when it creates a pool or an app client, and
    # the table when it creates an application.
    moto.cognitoidp.models.CognitoIdpUserPool = Pool  # type: ignore[misc]
    vars(moto.cognitoidp.models)["jwk"] = UnusedKeys
    vars(moto.cognitoidp.models)["generate_id"] = new_id
    paths = moto.cognitoidp.urls.url_paths
    paths["{0}/$"] = CognitoResponse.dispatch
    paths[f"{{0}}/(?P<user_pool_id>[^/]+){KEYS}$"] = serve_jwks
    # By default moto lets the pages of every site read its answers.
    vars(werkzeug_app)["DISABLE_GLOBAL_CORS"] = True
    return werkzeug_app.create_backend_app("cognito-idp")


def serve_jwks(request: Any, *_: object) -> tuple[int, dict[str, str], str]:
    """Answer with the public half of the key that signs the tokens."""
    key = request.environ[STATE_KEY].key
    public = key.as_dict(private=False, alg="RS256", use="sig", kid=key.kid)
    return 200, {"Content-Type": "application/json"}, json.dumps({"keys": [public]})
