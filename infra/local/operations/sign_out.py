"""The end of sessions: GlobalSignOut, RevokeToken and AdminDisableUser.

https://docs.aws.amazon.com/cognito/latest/developerguide/token-revocation.html
"""

from moto.core.responses import ActionResult, EmptyResult

from infra.local.operations.request import CognitoRequest
from infra.local.pool.refusals import refuse


class SignOutOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def global_sign_out(self) -> ActionResult:
        """End every session of the user, in any region."""
        pool, user = self.authorize()
        pool.sign_out(user.username)
        return EmptyResult()

    def revoke_token(self) -> ActionResult:
        """End one session, with all tokens made in it.

        The token may be one that was rotated. AWS documents that for access tokens made from it,
        but not for the refresh tokens that replaced it: this is not certain.

        An unknown token is not an error: RFC 7009 says so, and AWS lists no exception for it.
        """
        pool, client = self.resolve_client()
        if not client.extended_config["EnableTokenRevocation"]:
            raise refuse("no_token_revocation")
        if client.generate_secret and self.parameters.get("ClientSecret") != client.secret:
            raise refuse("client_not_authorized")
        token = self.parameters["Token"]
        if self.state.decode_token(token):
            raise refuse("token_not_refresh")
        if session := pool.session_for(token):
            if session.client_id != client.id:
                raise refuse("client_not_authorized")
            session.revoked = True
        return EmptyResult()

    def admin_disable_user(self) -> ActionResult:
        """Disable a user, which ends every session for good."""
        pool, user = self.requested_user()
        user.enabled = False
        pool.sign_out(user.username)
        return EmptyResult()
