"""Setting up a second factor: an authenticator app, or a code by e-mail at each sign-in."""

from typing import Any

from moto.cognitoidp.models import CognitoIdpUser
from moto.core.responses import ActionResult, EmptyResult

from infra.local.operations.request import CognitoRequest
from infra.local.pool.federated import lacks_password
from infra.local.pool.refusals import refuse
from infra.local.pool.user_pool import Pool


class MfaOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name.

    They identify the user by the access token only. The session of an MFA_SETUP challenge, which a
    pool with mandatory MFA issues, is not supported.

    Cognito leaves the second factor of a federated user to the identity provider. AWS doesn't
    document the error for such a user: its type and message are not certain.
    https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa.html
    """

    def associate_software_token(self) -> ActionResult:
        """Return a new secret for the user's authenticator app."""
        pool, user = self.authorize()
        check_native(user)
        if not pool.has_software_token_mfa:
            raise refuse("no_software_token_mfa")
        return ActionResult({"SecretCode": self.state.account(user).authenticator.associate()})

    def verify_software_token(self) -> ActionResult:
        """Activate the authenticator app with its first code."""
        pool, user = self.authorize()
        check_native(user)
        if not pool.has_software_token_mfa:
            raise refuse("no_software_token_mfa")
        authenticator = self.state.account(user).authenticator
        authenticator.verify(self.parameters["UserCode"], self.state.clock.now())
        user.token_verified = True
        return ActionResult({"Status": "SUCCESS"})

    def set_user_mfa_preference(self) -> ActionResult:
        """Turn the user's own second factors on or off."""
        pool, user = self.authorize()
        self._prefer(pool, user)
        return EmptyResult()

    def admin_set_user_mfa_preference(self) -> ActionResult:
        """Turn a user's second factors on or off."""
        pool = self.requested_pool()
        self._prefer(pool, pool.backend.admin_get_user(pool.id, self.parameters["Username"]))
        return EmptyResult()

    def _prefer(self, pool: Pool, user: CognitoIdpUser) -> None:
        check_native(user)
        settings: dict[str, Any] = self.parameters
        account = self.state.account(user)
        app = settings.get("SoftwareTokenMfaSettings") or {}
        if app.get("Enabled") and not account.authenticator.secret:
            associated = account.authenticator.pending is not None
            name = "mfa_not_verified" if associated else "mfa_not_set_up"
            raise refuse(name, method="SOFTWARE_TOKEN_MFA")
        email = settings.get("EmailMfaSettings")
        if email is not None:
            verified = user.attribute_lookup.get("email_verified") == "true"
            if email.get("Enabled") and not (pool.has_email_mfa and verified):
                raise refuse("mfa_not_set_up", method="EMAIL_OTP")
            account.email_mfa = bool(email.get("Enabled"))
        pool.backend.admin_set_user_mfa_preference(
            pool.id, user.username, app, settings.get("SMSMfaSettings") or {}
        )
        if email and email.get("PreferredMfa"):
            user.preferred_mfa_setting = "EMAIL_OTP"
        elif email is not None and user.preferred_mfa_setting == "EMAIL_OTP":
            user.preferred_mfa_setting = None

    def set_user_pool_mfa_config(self) -> ActionResult:
        """Set the second factors that a pool offers; moto handles two of the three."""
        pool = self.requested_pool()
        pool.email_mfa_config = self.parameters.get("EmailMfaConfiguration")
        if pool.email_mfa_config is None:
            return super().set_user_pool_mfa_config()
        pool.mfa_config = self.parameters["MfaConfiguration"]
        pool.sms_mfa_config = self.parameters.get("SmsMfaConfiguration")
        pool.token_mfa_config = self.parameters.get("SoftwareTokenMfaConfiguration")
        return self.get_user_pool_mfa_config()


def check_native(user: CognitoIdpUser) -> None:
    """Raise an error if the user signs in through an identity provider."""
    if lacks_password(user):
        raise refuse("mfa_federated")
