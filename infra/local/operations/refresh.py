"""GetTokensFromRefreshToken: continue a session, with or without rotation.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
"""

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient, UserStatus
from moto.core.responses import ActionResult

from infra.local.operations.request import CognitoRequest
from infra.local.pool.refusals import refuse
from infra.local.pool.user_pool import Pool


class RefreshOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def get_tokens_from_refresh_token(self) -> ActionResult:
        """Exchange a refresh token; unlike InitiateAuth, take the client secret itself."""
        pool, client = self.resolve_client()
        token = self.parameters["RefreshToken"]
        self.refreshing_user(pool, client, token)
        if client.generate_secret and self.parameters.get("ClientSecret") != client.secret:
            raise refuse("secret_hash_wrong", client_id=client.id)
        grace = rotation_grace(client)
        if grace is None:
            return ActionResult(pool.refresh(token))
        return ActionResult(pool.refresh(token, RefreshToken=pool.rotate(token, grace)))

    def refreshing_user(
        self, pool: Pool, client: CognitoIdpUserPoolClient, token: str
    ) -> CognitoIdpUser:
        """Return the user of a refresh token whose session is valid and this client's."""
        session = pool.session_for(token)
        if session is None or session.client_id != client.id:
            raise refuse("invalid_refresh_token")
        user = pool.user_by_sub(session.sub)
        if user is None:
            raise refuse("invalid_refresh_token")
        if not user.enabled:
            raise refuse("user_disabled")
        if session.revoked:
            raise refuse("refresh_token_revoked")
        # As GetUser does: AWS documents neither.
        if user.status == UserStatus.RESET_REQUIRED:
            raise self.declared_or_fallback(refuse("password_reset"), "refresh_token_revoked")
        if self.state.clock.now() >= session.expires_at:
            raise refuse("refresh_token_expired")
        return user


def rotation_grace(client: CognitoIdpUserPoolClient) -> int | None:
    """Return for how many seconds a rotated refresh token stays valid; None without rotation.

    AWS names no default; 0 is the value that it calls "disabled".
    """
    rotation = client.extended_config.get("RefreshTokenRotation") or {}
    if rotation.get("Feature") != "ENABLED":
        return None
    return int(rotation.get("RetryGracePeriodSeconds", 0))
