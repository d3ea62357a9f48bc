"""What every operation of ours begins with: the input's limits, the app client, its secret."""

import base64
import hashlib
import hmac
from typing import cast

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient
from moto.cognitoidp.responses import CognitoIdpResponse

from infra.local import constraints
from infra.local.pool import Pool, State, all_pools
from infra.local.refusals import refuse

# Where the server puts its state for us in the WSGI environment of every request.
STATE = "infra.local.state"


class CognitoRequest(CognitoIdpResponse):
    """One request; moto's class, named after what it makes, takes it in as well."""

    @property
    def state(self) -> State:
        """Return what the server keeps between requests."""
        return cast("State", self.normalized_request.environ[STATE])

    def enter(self) -> tuple[Pool, CognitoIdpUserPoolClient]:
        """Check what every operation checks first, and return the pool and the app client."""
        operation = self._get_action()
        constraints.check(operation, self.parameters)
        client_id = self.parameters["ClientId"]
        for pool in all_pools():
            if client := pool.clients.get(client_id):
                if operation in {"SignUp", "ConfirmSignUp", "ResendConfirmationCode"}:
                    username = self.parameters["Username"]
                    check_secret_hash(client, username, self.parameters.get("SecretHash"))
                return pool, client
        raise refuse("no_client", client_id=client_id)

    @staticmethod
    def find_user(pool: Pool, username: str) -> CognitoIdpUser | None:
        """Return the user of that name, e-mail address or sub, if there is one."""
        return pool._get_user(username)  # noqa: SLF001 - moto's one way to find a user


def prevents_existence_errors(client: CognitoIdpUserPoolClient) -> bool:
    """Whether a client must not learn who has an account."""
    return client.extended_config.get("PreventUserExistenceErrors") == "ENABLED"


def check_secret_hash(client: CognitoIdpUserPoolClient, username: str, given: str | None) -> None:
    """Refuse a call without the proof that its maker knows the client's secret, if it has one.

    https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html
    """
    if not client.generate_secret:
        return
    if given is None:
        raise refuse("secret_hash_missing", client_id=client.id)
    proof = hmac.digest(client.secret.encode(), f"{username}{client.id}".encode(), hashlib.sha256)
    if not hmac.compare_digest(base64.b64encode(proof), given.encode()):
        raise refuse("secret_hash_wrong", client_id=client.id)
