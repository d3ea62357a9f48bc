"""The start of every operation: check the parameters, then the app client or the access token."""

import base64
import hashlib
import hmac
import json
from typing import Any, cast

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient, UserStatus
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.exceptions import JsonRESTError

from infra.local.operations import constraints
from infra.local.operations.shapes import conform
from infra.local.pool.api_model import declares_error, has_parameter, input_shape
from infra.local.pool.refusals import refuse
from infra.local.pool.sessions import ADMIN_SCOPE
from infra.local.pool.state import State
from infra.local.pool.user_pool import REGION, Pool, all_pools, find_client

# The key of the server's state in the WSGI environment of a request.
STATE_KEY = "infra.local.state"
# What the header X-Amz-Target begins with.
SERVICE = "AWSCognitoIdentityProviderService"


class CognitoRequest(CognitoIdpResponse):
    """One request. moto calls the class a response, but it reads the request too."""

    # Leave the body as bytes: moto decodes it before anything can be answered.
    use_raw_body = True

    @property
    def state(self) -> State:
        """Return what the server keeps between requests."""
        return cast("State", self.normalized_request.environ[STATE_KEY])

    def call_action(self) -> Any:
        """Run the operation, or answer why it can't be run with these parameters."""
        try:
            self._check_request()
        except JsonRESTError as refusal:
            return refusal.code, dict(refusal.get_headers()), refusal.get_body()
        return super().call_action()

    def _check_request(self) -> None:
        """Refuse a body that isn't an object, and parameters that the API's model rules out."""
        operation = self._get_action()
        try:
            given = json.loads(self.body)
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            raise refuse("body_not_object")
        if shape := input_shape(operation):
            given = conform(shape, given)
        constraints.check(operation, given)
        self.body = json.dumps(given)  # `parameters` and moto's own operations read it

    def _get_action(self) -> str:
        """Return the operation that the header names, or an empty string."""
        service, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        return operation if service == SERVICE else ""

    def get_region_from_url(self, *_: object) -> str:
        """Return the region of all pools. The client may be set to another one."""
        return REGION

    def determine_response_protocol(self, _: object) -> str:
        """Return the API's only protocol: for another Content-Type, moto would fail."""
        return "json"

    def resolve_client(self) -> tuple[Pool, CognitoIdpUserPoolClient]:
        """Return the pool and the app client that the parameters name."""
        client_id = self.parameters["ClientId"]
        found = find_client(client_id)
        if found is None:
            raise self.declared_or_fallback(
                refuse("no_client", client_id=client_id), "client_not_authorized"
            )
        if has_parameter(self._get_action(), "SecretHash"):
            username = self.parameters["Username"]
            check_secret_hash(found[1], username, self.parameters.get("SecretHash"))
        return found

    def requested_client(self) -> tuple[Pool, CognitoIdpUserPoolClient]:
        """Return the pool and the app client of an administrator's operation."""
        pool, client_id = self.requested_pool(), self.parameters["ClientId"]
        if client_id not in pool.clients:
            raise refuse("no_client", client_id=client_id)
        return pool, pool.clients[client_id]

    def requested_user(self) -> tuple[Pool, CognitoIdpUser]:
        """Return the pool and the user of an administrator's operation."""
        pool = self.requested_pool()
        user = self.find_user(pool, self.parameters["Username"])
        if user is None:
            raise refuse("unknown_user")
        return pool, user

    def authorize(self) -> tuple[Pool, CognitoIdpUser]:
        """Check the access token that a user's own operations take; return the pool and the user.

        If several errors apply, this order decides; AWS documents none. Not every operation lists
        all of them.
        """
        claims = self.state.decode_token(required(self.parameters, "AccessToken")) or {}
        pool = next((pool for pool in all_pools() if pool.issuer == claims.get("iss")), None)
        if pool is None or claims["token_use"] != "access":  # noqa: S105 - a kind of token
            raise refuse("invalid_access_token")
        if self.state.clock.now() >= claims["exp"]:
            raise refuse("access_token_expired")
        if ADMIN_SCOPE not in claims.get("scope", "").split():
            raise refuse("access_token_without_scope")
        user = pool.user_by_sub(claims["sub"])
        if user is None:
            raise self.declared_or_fallback(refuse("unknown_user"), "access_token_revoked")
        if not user.enabled:
            raise refuse("user_disabled")
        session = pool.sessions.get(claims.get("origin_jti", ""))
        if session and session.revoked:
            raise refuse("access_token_revoked")
        if user.status == UserStatus.RESET_REQUIRED:
            raise self.declared_or_fallback(refuse("password_reset"), "access_token_revoked")
        return pool, user

    def token_client_id(self) -> str:
        """Return the id of the app client that got the access token, which `authorize` checked."""
        claims = self.state.decode_token(self.parameters["AccessToken"]) or {}
        return str(claims["client_id"])

    def declared_or_fallback(self, refusal: JsonRESTError, fallback: str) -> JsonRESTError:
        """Return an error if the operation lists its type, or else the fallback.

        Callers handle only the errors that AWS documents for the operation.
        """
        exception = refusal.error_type.removesuffix("Exception")
        return refusal if declares_error(self._get_action(), exception) else refuse(fallback)

    def requested_pool(self) -> Pool:
        """Return the pool that an administrator's operation names."""
        return cast("Pool", self.backend.describe_user_pool(self.parameters["UserPoolId"]))

    @staticmethod
    def find_user(pool: Pool, username: str) -> CognitoIdpUser | None:
        """Return the user of that name, e-mail address or sub, if there is one."""
        return pool._get_user(username)  # noqa: SLF001 - moto's one way to find a user


def required(parameters: dict[str, str], name: str) -> str:
    """Return a required parameter, or refuse the request if it is missing."""
    if not parameters.get(name):
        raise refuse("parameter_missing", name=name)
    return parameters[name]


def prevents_existence_errors(client: CognitoIdpUserPoolClient) -> bool:
    """Return whether a client must not learn who has an account."""
    return client.extended_config.get("PreventUserExistenceErrors") == "ENABLED"


def check_secret_hash(client: CognitoIdpUserPoolClient, username: str, given: str | None) -> None:
    """Refuse a call with a missing or wrong SECRET_HASH, if the client has a secret.

    https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html
    """
    if not client.generate_secret:
        return
    if given is None:
        raise refuse("secret_hash_missing", client_id=client.id)
    # UTF-8 has no lone surrogates. Encode them anyway: such a hash is wrong, not an error.
    message = f"{username}{client.id}".encode("utf-8", "surrogatepass")
    proof = base64.b64encode(hmac.digest(client.secret.encode(), message, hashlib.sha256))
    if not hmac.compare_digest(proof, given.encode("utf-8", "surrogatepass")):
        raise refuse("secret_hash_wrong", client_id=client.id)
