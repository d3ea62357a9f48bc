"""Setting up a second factor: an authenticator app, or a code by e-mail at each sign-in."""

from dataclasses import replace
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, UserStatus
from moto.core.responses import ActionResult, EmptyResult

from infra.local.operations.challenges import open_challenge
from infra.local.operations.request import CognitoRequest
from infra.local.operations.steps import begin_session, challenge_for
from infra.local.pool.federated import lacks_password
from infra.local.pool.refusals import refuse
from infra.local.pool.state import Challenge
from infra.local.pool.user_pool import Pool, find_client


class MfaOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name.

    The first two take an access token, or the session of the challenge MFA_SETUP. With a session
    they return a new one for the next step, and a wrong code leaves it open for another try.

    Cognito leaves the second factor of a federated user to the identity provider. AWS doesn't
    document the error for such a user: its type and message are not certain.
    https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa.html
    """

    def associate_software_token(self) -> ActionResult:
        """Return a new secret for the user's authenticator app."""
        user, challenge = self._setting_up()
        secret = self.state.account(user).authenticator.associate()
        return ActionResult({"SecretCode": secret} | self._next_session(challenge))

    def verify_software_token(self) -> ActionResult:
        """Activate the authenticator app with its first code."""
        user, challenge = self._setting_up()
        authenticator = self.state.account(user).authenticator
        authenticator.verify(self.parameters["UserCode"], self.state.clock.now())
        user.token_verified = True
        return ActionResult({"Status": "SUCCESS"} | self._next_session(challenge, verified=True))

    def _setting_up(self) -> tuple[CognitoIdpUser, Challenge | None]:
        """Return the user, and the challenge if a session stands in for the access token."""
        session, challenge = self.parameters.get("Session"), None
        if session and not self.parameters.get("AccessToken"):
            challenge = open_challenge(self.state, session, "MFA_SETUP")
            pool, user = self._challenged(challenge)
        else:
            pool, user = self.authorize()
        check_native(user)
        if not pool.has_software_token_mfa:
            raise refuse("no_software_token_mfa")
        return user, challenge

    def _challenged(self, challenge: Challenge) -> tuple[Pool, CognitoIdpUser]:
        """Return the user of a challenge MFA_SETUP, who must still be without a second factor.

        Otherwise two people who know a password could each set up an app.
        """
        found = find_client(challenge.client_id)
        user = found and found[0].user_by_sub(challenge.sub)
        if not found or not user:
            raise refuse("invalid_session")
        if not user.enabled:
            raise refuse("user_disabled")
        is_ready = user.status == UserStatus.CONFIRMED
        if not is_ready or challenge_for(found[0], user) != "MFA_SETUP":
            raise refuse("invalid_session")
        return found[0], user

    def _next_session(
        self, challenge: Challenge | None, *, verified: bool = False
    ) -> dict[str, str]:
        """Return the session for the next step, with its full time. It replaces the present one."""
        found = challenge and find_client(challenge.client_id)
        if not challenge or not found:
            return {}
        pool, client = found
        challenge.used = True
        fresh = replace(
            challenge, used=False, verified=verified, expires_at=pool.session_end(client)
        )
        return {"Session": begin_session(self.state, fresh)}

    def set_user_mfa_preference(self) -> ActionResult:
        """Turn the user's own second factors on or off."""
        pool, user = self.authorize()
        self._prefer(pool, user)
        return EmptyResult()

    def admin_set_user_mfa_preference(self) -> ActionResult:
        """Turn a user's second factors on or off."""
        self._prefer(*self.requested_user())
        return EmptyResult()

    def _prefer(self, pool: Pool, user: CognitoIdpUser) -> None:
        check_native(user)
        settings: dict[str, Any] = self.parameters
        account = self.state.account(user)
        if (settings.get("SMSMfaSettings") or {}).get("Enabled"):  # no SMS is sent here
            raise refuse("mfa_not_set_up", method="SMS_MFA")
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
        pool.backend.admin_set_user_mfa_preference(pool.id, user.username, app, {})
        if email and email.get("PreferredMfa"):
            user.preferred_mfa_setting = "EMAIL_OTP"
        elif email is not None and user.preferred_mfa_setting == "EMAIL_OTP":
            user.preferred_mfa_setting = None

    def set_user_pool_mfa_config(self) -> ActionResult:
        """Set the second factors and passkeys that a pool offers; moto handles two of the four."""
        pool = self.requested_pool()
        email = self.parameters.get("EmailMfaConfiguration")
        if email is None:
            super().set_user_pool_mfa_config()  # it may refuse, and nothing has changed yet
        else:
            pool.mfa_config = self.parameters["MfaConfiguration"]
            pool.sms_mfa_config = self.parameters.get("SmsMfaConfiguration")
            pool.token_mfa_config = self.parameters.get("SoftwareTokenMfaConfiguration")
        pool.email_mfa_config = email
        pool.passkey_config = self.parameters.get("WebAuthnConfiguration") or {}
        return self.get_user_pool_mfa_config()

    def get_user_pool_mfa_config(self) -> ActionResult:
        """Return what `set_user_pool_mfa_config` set."""
        pool = self.requested_pool()
        answer: dict[str, Any] = pool.backend.get_user_pool_mfa_config(pool.id)
        if pool.email_mfa_config is not None:
            answer["EmailMfaConfiguration"] = pool.email_mfa_config
        if pool.passkey_config:
            answer["WebAuthnConfiguration"] = pool.passkey_config
        return ActionResult(answer)


def second_factors(pool: Pool, user: CognitoIdpUser) -> dict[str, Any]:
    """Return a user's second factors, as GetUser and GetUserAuthFactors show them."""
    methods = [
        ("SOFTWARE_TOKEN_MFA", user.software_token_mfa_enabled),
        ("EMAIL_OTP", pool.state.account(user).email_mfa),
    ]
    answer: dict[str, Any] = {}
    if active := [name for name, enabled in methods if enabled]:
        answer["UserMFASettingList"] = active
    if user.preferred_mfa_setting:
        answer["PreferredMfaSetting"] = user.preferred_mfa_setting
    return answer


def check_native(user: CognitoIdpUser) -> None:
    """Raise an error if the user signs in through an identity provider."""
    if lacks_password(user):
        raise refuse("mfa_federated")
