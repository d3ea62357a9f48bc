"""InitiateAuth and AdminInitiateAuth: sign-in with a password."""

from typing import Any

from moto.cognitoidp.models import CognitoIdpUserPoolClient, UserStatus
from moto.core.responses import ActionResult

from infra.local.operations.challenges import challenge_or_tokens
from infra.local.operations.refresh import RefreshOperations, rotation_grace
from infra.local.operations.request import check_secret_hash, prevents_existence_errors, required
from infra.local.pool.passwords import has_password
from infra.local.pool.refusals import refuse
from infra.local.pool.user_pool import Pool

# The flows of a client that lists none.
DEFAULT_FLOWS = ("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH")


class SignInOperations(RefreshOperations):
    """Each method implements the Cognito operation of the same name."""

    def initiate_auth(self) -> ActionResult:
        """Sign in with a password or a refresh token. moto handles the other flows."""
        pool, client = self.resolve_client()
        flow = self.parameters["AuthFlow"]
        if flow == "REFRESH_TOKEN":
            flow = "REFRESH_TOKEN_AUTH"  # two names of one flow
        parameters = self.parameters.get("AuthParameters") or {}
        allowed = client.extended_config.get("ExplicitAuthFlows") or DEFAULT_FLOWS
        # Rotation rules this flow out, even if the client lists it.
        rotates = flow == "REFRESH_TOKEN_AUTH" and rotation_grace(client) is not None
        if rotates or (flow not in allowed and f"ALLOW_{flow}" not in allowed):
            raise refuse("flow_not_enabled", flow=flow)
        if flow == "USER_PASSWORD_AUTH":
            return self._sign_in(pool, client, parameters)
        if flow == "REFRESH_TOKEN_AUTH":
            token = required(parameters, "REFRESH_TOKEN")
            user = self.refreshing_user(pool, client, token)
            check_secret_hash(client, user.id, parameters.get("SECRET_HASH"))
            return ActionResult(pool.refresh(token) | {"ChallengeParameters": {}})
        return super().initiate_auth()

    def admin_initiate_auth(self) -> ActionResult:
        """Let moto sign a user in, after comparing the password with its hash.

        moto compares the two with `!=`, so it is given the hash itself when the password is right.
        A caller can only send a string, which never equals a `PasswordHash`.
        """
        pool = self.requested_pool()
        parameters: dict[str, Any] = self.parameters.get("AuthParameters") or {}
        user = self.find_user(pool, parameters.get("USERNAME", ""))
        if user and has_password(user, parameters.get("PASSWORD", "")):
            parameters["PASSWORD"] = user.password
        return ActionResult(
            self.backend.admin_initiate_auth(
                pool.id, self.parameters["ClientId"], self.parameters["AuthFlow"], parameters
            )
        )

    def _sign_in(
        self, pool: Pool, client: CognitoIdpUserPoolClient, parameters: dict[str, str]
    ) -> ActionResult:
        username = required(parameters, "USERNAME")
        password = required(parameters, "PASSWORD")
        check_secret_hash(client, username, parameters.get("SECRET_HASH"))
        user = self.find_user(pool, username)
        if user is None:
            raise refuse("wrong_password" if prevents_existence_errors(client) else "unknown_user")
        # Cognito reports these two before it checks the password.
        if user.status == UserStatus.UNCONFIRMED:
            raise refuse("unconfirmed")
        if user.status == UserStatus.RESET_REQUIRED:
            raise refuse("password_reset")
        right = has_password(user, password)
        self.state.account(user).check_password(self.state.clock.now(), right=right)
        if not user.enabled:
            raise refuse("user_disabled")
        return ActionResult(challenge_or_tokens(pool, client, user))
