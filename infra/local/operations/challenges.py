"""RespondToAuthChallenge: the steps that a sign-in may require after the password.

https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html
"""

import json
import secrets
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient, UserStatus
from moto.cognitoidp.utils import flatten_attrs
from moto.core.responses import ActionResult

from infra.local.operations.request import CognitoRequest, check_secret_hash, required
from infra.local.pool.accounts import new_code
from infra.local.pool.passwords import check_policy, set_password
from infra.local.pool.refusals import refuse
from infra.local.pool.state import Challenge
from infra.local.pool.user_pool import Pool

# The challenges handled here; moto handles the others.
SUPPORTED_CHALLENGES = {"NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "SMS_MFA"}
MINUTE = 60


class ChallengeOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def respond_to_auth_challenge(self) -> ActionResult:
        """Check the answer, then return the next challenge or the tokens.

        A wrong answer leaves the session open for another try; a right one uses it up.
        """
        pool, client = self.resolve_client()
        if self.parameters["ChallengeName"] not in SUPPORTED_CHALLENGES:
            return super().respond_to_auth_challenge()
        answers = self.parameters.get("ChallengeResponses") or {}
        challenge = self._challenge(client, required(self.parameters, "Session"))
        username = required(answers, "USERNAME")
        check_secret_hash(client, username, answers.get("SECRET_HASH"))
        user = self.find_user(pool, username)
        if user is None or user.id != challenge.sub:
            raise refuse("invalid_session")
        if not user.enabled:
            raise refuse("user_disabled")
        self._check(challenge, answers, pool, user)
        challenge.used = True
        passed_mfa = challenge.name != "NEW_PASSWORD_REQUIRED"
        return ActionResult(
            pool.sign_in(client, user) if passed_mfa else challenge_or_tokens(pool, client, user)
        )

    def _challenge(self, client: CognitoIdpUserPoolClient, session: str) -> Challenge:
        challenge = self.state.challenges.get(session)
        asked = (self.parameters["ChallengeName"], client.id)
        if challenge is None or (challenge.name, challenge.client_id) != asked:
            raise refuse("invalid_session")
        if challenge.used:
            raise refuse("session_used")
        if self.state.clock.now() >= challenge.expires_at:
            raise refuse("session_expired")
        return challenge

    def _check(
        self, challenge: Challenge, answers: dict[str, str], pool: Pool, user: CognitoIdpUser
    ) -> None:
        """Refuse a wrong answer; apply a right one."""
        if challenge.name == "NEW_PASSWORD_REQUIRED":
            password = required(answers, "NEW_PASSWORD")
            check_policy(password, pool.extended_config["Policies"]["PasswordPolicy"])
            set_password(user, password)
            user.status = UserStatus.CONFIRMED
        elif challenge.name == "SOFTWARE_TOKEN_MFA":
            code = required(answers, "SOFTWARE_TOKEN_MFA_CODE")
            self.state.account(user).authenticator.use(code, self.state.clock.now())
        # No SMS is sent here, so no SMS code is right.
        elif required(answers, f"{challenge.name}_CODE") != challenge.code:
            raise refuse("otp_wrong")


def challenge_or_tokens(
    pool: Pool, client: CognitoIdpUserPoolClient, user: CognitoIdpUser
) -> dict[str, Any]:
    """Return a challenge, or the tokens if the user has none to answer."""
    name = challenge_for(pool, user)
    if name is None:
        return pool.sign_in(client, user)
    minutes = client.extended_config["AuthSessionValidity"]
    challenge = Challenge(name, client.id, user.id, pool.state.clock.now() + minutes * MINUTE)
    parameters = {"USER_ID_FOR_SRP": user.username}
    if name == "NEW_PASSWORD_REQUIRED":
        attributes = {k: v for k, v in flatten_attrs(user.attributes).items() if k != "sub"}
        parameters |= {"requiredAttributes": "[]", "userAttributes": json.dumps(attributes)}
    if name == "EMAIL_OTP":
        challenge.code = new_code()
        sent = pool.mail(user, challenge.code)
        parameters["CODE_DELIVERY_DELIVERY_MEDIUM"] = sent["DeliveryMedium"]
        parameters["CODE_DELIVERY_DESTINATION"] = sent["Destination"]
    session = secrets.token_urlsafe(96)
    pool.state.challenges[session] = challenge
    return {"ChallengeName": name, "ChallengeParameters": parameters, "Session": session}


def challenge_for(pool: Pool, user: CognitoIdpUser) -> str | None:
    """Return the name of the challenge that a user must answer after the password, if any.

    With several active methods, the preferred one wins, or else the first of these.
    """
    if user.status == UserStatus.FORCE_CHANGE_PASSWORD:
        return "NEW_PASSWORD_REQUIRED"
    methods = {
        "SOFTWARE_TOKEN_MFA": pool.has_software_token_mfa and user.software_token_mfa_enabled,
        "EMAIL_OTP": pool.has_email_mfa and pool.state.account(user).email_mfa,
        "SMS_MFA": user.sms_mfa_enabled,
    }
    active = [name for name, enabled in methods.items() if enabled]
    if user.preferred_mfa_setting in active:
        return str(user.preferred_mfa_setting)
    return active[0] if active else None
