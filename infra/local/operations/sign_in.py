"""InitiateAuth and AdminInitiateAuth: sign-in with a password, by SRP or with a refresh token.

USER_AUTH lets people choose, and a first sign-in needs only the session of the sign-up.
https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flows-selection-sdk.html
"""

from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient
from moto.core.responses import ActionResult

from infra.local.operations.challenges import resumed
from infra.local.operations.password import check_password, check_ready
from infra.local.operations.refresh import RefreshOperations, rotation_grace
from infra.local.operations.request import check_secret_hash, prevents_existence_errors, required
from infra.local.operations.srp import begin
from infra.local.operations.steps import challenge_or_tokens, offer
from infra.local.pool.passwords import has_password
from infra.local.pool.refusals import refuse
from infra.local.pool.user_pool import Pool

# The flows of a client that lists none, or only names from before they began with "ALLOW_".
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
DEFAULT_FLOWS = {"REFRESH_TOKEN_AUTH", "USER_SRP_AUTH", "CUSTOM_AUTH"}
OLD_NAMES = {
    "REFRESH_TOKEN": "REFRESH_TOKEN_AUTH",
    "ADMIN_NO_SRP_AUTH": "ADMIN_USER_PASSWORD_AUTH",
}
# The flows of each operation, apart from those that are not implemented here.
COMMON_FLOWS = {"REFRESH_TOKEN_AUTH", "USER_SRP_AUTH", "USER_AUTH"}
FLOWS = {
    "InitiateAuth": COMMON_FLOWS | {"USER_PASSWORD_AUTH"},
    "AdminInitiateAuth": COMMON_FLOWS | {"ADMIN_USER_PASSWORD_AUTH"},
}
NOT_IMPLEMENTED = {"CUSTOM_AUTH"}


class SignInOperations(RefreshOperations):
    """Each method implements the Cognito operation of the same name."""

    def initiate_auth(self) -> ActionResult:
        """Sign in, if the app client allows the flow."""
        return self._initiate(*self.resolve_client())

    def admin_initiate_auth(self) -> ActionResult:
        """Sign a user in from a server. The same checks apply."""
        return self._initiate(*self.requested_client())

    def _initiate(self, pool: Pool, client: CognitoIdpUserPoolClient) -> ActionResult:
        parameters: dict[str, str] = self.parameters.get("AuthParameters") or {}
        flow = self._allowed_flow(client)
        if flow == "REFRESH_TOKEN_AUTH":
            token = required(parameters, "REFRESH_TOKEN")
            sub = self.refreshing_user(pool, client, token).id
            check_secret_hash(client, sub, parameters.get("SECRET_HASH"))
            return ActionResult(pool.refresh(token) | {"ChallengeParameters": {}})
        username = required(parameters, "USERNAME")
        preferred = parameters.get("PREFERRED_CHALLENGE")
        if preferred == "PASSWORD_SRP":
            raise refuse("choice_not_implemented", choice=preferred)
        if flow == "USER_AUTH" and preferred != "PASSWORD":
            proof = ""
        else:
            proof = required(parameters, "SRP_A" if flow == "USER_SRP_AUTH" else "PASSWORD")
        check_secret_hash(client, username, parameters.get("SECRET_HASH"))
        user = self.find_user(pool, username)
        if session := self.parameters.get("Session"):
            return ActionResult(self._continue_sign_up(pool, client, session, user))
        # First: every answer takes as long, so that its time doesn't reveal who has an account.
        right = flow != "USER_SRP_AUTH" and has_password(user, proof)
        if user:
            check_ready(user)
        elif not prevents_existence_errors(client):
            raise refuse("unknown_user")
        if flow == "USER_SRP_AUTH":
            return ActionResult(begin(pool, client, username, user, proof))
        if not proof:
            return ActionResult(offer(pool, client, username, user, preferred))
        if user is None:
            raise refuse("wrong_password")
        check_password(self.state, user, right=right)
        return ActionResult(challenge_or_tokens(pool, client, user))

    def _continue_sign_up(
        self,
        pool: Pool,
        client: CognitoIdpUserPoolClient,
        session: str,
        user: CognitoIdpUser | None,
    ) -> dict[str, Any]:
        """Sign in with the session that ConfirmSignUp returned, in place of the password."""
        user, begun = resumed(self.state, session, "ConfirmSignUp", client.id, user)
        begun.used = True
        if not begun.verified:
            return offer(pool, client, user.username, user)
        return challenge_or_tokens(pool, client, user)

    def _allowed_flow(self, client: CognitoIdpUserPoolClient) -> str:
        """Return the requested flow by its present name, or refuse it."""
        asked: str = self.parameters["AuthFlow"]
        flow = OLD_NAMES.get(asked, asked)
        operation = self._get_action()
        if flow not in FLOWS[operation] | NOT_IMPLEMENTED:
            raise refuse("flow_not_supported")
        # Rotation rules this flow out, even if the client lists it.
        rotates = flow == "REFRESH_TOKEN_AUTH" and rotation_grace(client) is not None
        if rotates or flow not in allowed_flows(client):
            raise refuse("flow_not_enabled", flow=flow)
        if flow in NOT_IMPLEMENTED:
            raise refuse("flow_not_implemented", flow=flow)
        return flow


def allowed_flows(client: CognitoIdpUserPoolClient) -> set[str]:
    """Return the flows that a client allows, by their present names."""
    listed: list[str] = client.extended_config.get("ExplicitAuthFlows") or []
    present = {name.removeprefix("ALLOW_") for name in listed if name.startswith("ALLOW_")}
    return present or DEFAULT_FLOWS | {OLD_NAMES.get(name, name) for name in listed}
