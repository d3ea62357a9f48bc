"""The operations that hand out tokens: InitiateAuth and GetTokensFromRefreshToken."""

import json
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient, UserStatus
from moto.cognitoidp.utils import flatten_attrs
from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random

from infra.local.pool import Pool
from infra.local.refusals import refuse
from infra.local.request import CognitoRequest, check_secret_hash, prevents_existence_errors

# What a client allows that names no flow.
DEFAULT_FLOWS = ("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH")


class SignInOperations(CognitoRequest):
    """Each method is the operation of its name; the answers are what Cognito documents."""

    def initiate_auth(self) -> ActionResult:
        """Sign in by password, or go on with a refresh token. Other flows are moto's."""
        pool, client = self.enter()
        flow = self.parameters["AuthFlow"]
        if flow == "REFRESH_TOKEN":
            flow = "REFRESH_TOKEN_AUTH"  # two names of one flow
        parameters = self.parameters.get("AuthParameters") or {}
        allowed = client.extended_config.get("ExplicitAuthFlows") or DEFAULT_FLOWS
        if flow not in allowed and f"ALLOW_{flow}" not in allowed:
            raise refuse("flow_not_enabled", flow=flow)
        if flow == "USER_PASSWORD_AUTH":
            return ActionResult(self._sign_in(pool, client, parameters))
        if flow == "REFRESH_TOKEN_AUTH":
            token = required(parameters, "REFRESH_TOKEN")
            user = self._refreshing_user(pool, client, token)
            check_secret_hash(client, user.id, parameters.get("SECRET_HASH"))
            return ActionResult(refresh(pool, token) | {"ChallengeParameters": {}})
        return super().initiate_auth()

    def get_tokens_from_refresh_token(self) -> ActionResult:
        """Go on with a refresh token; unlike InitiateAuth it takes the client secret itself."""
        pool, client = self.enter()
        token = self.parameters["RefreshToken"]
        self._refreshing_user(pool, client, token)
        if client.generate_secret and self.parameters.get("ClientSecret") != client.secret:
            raise refuse("secret_hash_wrong", client_id=client.id)
        return ActionResult(refresh(pool, token))

    def _sign_in(
        self, pool: Pool, client: CognitoIdpUserPoolClient, parameters: dict[str, str]
    ) -> dict[str, Any]:
        username = required(parameters, "USERNAME")
        password = required(parameters, "PASSWORD")
        check_secret_hash(client, username, parameters.get("SECRET_HASH"))
        user = self.find_user(pool, username)
        if user is None:
            raise refuse("wrong_password" if prevents_existence_errors(client) else "unknown_user")
        # These two say so before they look at the password, which the second has none of.
        if user.status == UserStatus.UNCONFIRMED:
            raise refuse("unconfirmed")
        if user.status == UserStatus.RESET_REQUIRED:
            raise refuse("password_reset")
        right = user.password == password
        self.state.account(user).check_password(self.state.clock.now(), right=right)
        if not user.enabled:
            raise refuse("user_disabled")
        if challenge := challenge_for(user, pool):
            session = str(mock_random.uuid4())
            # moto's RespondToAuthChallenge looks here.
            pool.backend.sessions[session] = (user.username, pool)
            return challenge | {"Session": session}
        token, _ = pool.create_refresh_token(client.id, user.username)
        answer = refresh(pool, token)
        answer["AuthenticationResult"]["RefreshToken"] = token
        return answer | {"ChallengeParameters": {}}

    def _refreshing_user(
        self, pool: Pool, client: CognitoIdpUserPoolClient, token: str
    ) -> CognitoIdpUser:
        """Return whose refresh token it is, if it still lives and is this client's."""
        if token not in pool.refresh_tokens:
            raise refuse("invalid_refresh_token")
        session = pool.refresh_tokens[token]
        if session is None:
            raise refuse("refresh_token_revoked")
        client_id, username, origin_jti = session
        user = self.find_user(pool, username)
        if client_id != client.id or user is None:
            raise refuse("invalid_refresh_token")
        if self.state.clock.now() >= pool.sessions[origin_jti].expires_at:
            raise refuse("refresh_token_expired")
        if not user.enabled:
            raise refuse("user_disabled")
        return user


def required(parameters: dict[str, str], name: str) -> str:
    """Return an authentication parameter, or refuse the request that left it out."""
    if not parameters.get(name):
        raise refuse("parameter_missing", name=name)
    return parameters[name]


def refresh(pool: Pool, token: str) -> dict[str, Any]:
    """Return new access and ID tokens for a session."""
    access_token, id_token, expires_in = pool.create_tokens_from_refresh_token(token)
    return {
        "AuthenticationResult": {
            "AccessToken": access_token,
            "ExpiresIn": expires_in,
            "TokenType": "Bearer",
            "IdToken": id_token,
        },
    }


def challenge_for(user: CognitoIdpUser, pool: Pool) -> dict[str, Any] | None:
    """Return what a user must do besides giving the right password, if anything."""
    parameters = {"USER_ID_FOR_SRP": user.id}
    if user.status == UserStatus.FORCE_CHANGE_PASSWORD:
        attributes = {k: v for k, v in flatten_attrs(user.attributes).items() if k != "sub"}
        parameters |= {"requiredAttributes": "[]", "userAttributes": json.dumps(attributes)}
        return {"ChallengeName": "NEW_PASSWORD_REQUIRED", "ChallengeParameters": parameters}
    sms = user.sms_mfa_enabled and (
        user.preferred_mfa_setting == "SMS_MFA" or not user.software_token_mfa_enabled
    )
    if sms:
        return {"ChallengeName": "SMS_MFA", "ChallengeParameters": parameters}
    if user.software_token_mfa_enabled or (pool.mfa_config == "ON" and user.token_verified):
        return {"ChallengeName": "SOFTWARE_TOKEN_MFA", "ChallengeParameters": parameters}
    return None
