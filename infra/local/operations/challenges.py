"""RespondToAuthChallenge and AdminRespondToAuthChallenge: the steps that a sign-in may require.

https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html
"""

import json
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient, UserStatus
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult

from infra.local.operations.password import check_password, check_ready
from infra.local.operations.request import CognitoRequest, check_secret_hash, required
from infra.local.operations.srp import proves_password
from infra.local.operations.steps import (
    CHOSEN_WITHOUT_PASSWORD,
    challenge_or_tokens,
    first_factors,
    pose,
)
from infra.local.pool.passwords import check_policy, has_password, set_password
from infra.local.pool.refusals import refuse
from infra.local.pool.state import Challenge, State
from infra.local.pool.user_pool import Pool

# The challenges that no other one follows: a second factor, or a first one in place of a password.
LAST_STEPS = {"SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "MFA_SETUP", "WEB_AUTHN"}
SUPPORTED_CHALLENGES = LAST_STEPS | {
    "PASSWORD_VERIFIER",
    "NEW_PASSWORD_REQUIRED",
    "SELECT_CHALLENGE",
}


class ChallengeOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def respond_to_auth_challenge(self) -> ActionResult:
        """Check the answer, then return the next challenge or the tokens.

        A wrong answer leaves the session open for another try; a right one uses it up.
        """
        return self._respond(*self.resolve_client())

    def admin_respond_to_auth_challenge(self) -> ActionResult:
        """Answer a challenge from a server. The same checks apply."""
        return self._respond(*self.requested_client())

    def _respond(self, pool: Pool, client: CognitoIdpUserPoolClient) -> ActionResult:
        name = self.parameters["ChallengeName"]
        if name not in SUPPORTED_CHALLENGES:
            raise refuse("challenge_not_implemented", challenge=name)
        answers = self.parameters.get("ChallengeResponses") or {}
        username = required(answers, "USERNAME")
        check_secret_hash(client, username, answers.get("SECRET_HASH"))
        user = self.find_user(pool, username)
        if name == "SELECT_CHALLENGE":
            return ActionResult(self._choose(pool, client, user, answers))
        if name == "PASSWORD_VERIFIER":
            user = self._prove_password(client, user, answers)
        else:
            user = self._answer(pool, client, user, answers)
        is_last = name in LAST_STEPS
        return ActionResult(
            pool.sign_in(client, user) if is_last else challenge_or_tokens(pool, client, user)
        )

    def _prove_password(
        self, client: CognitoIdpUserPoolClient, user: CognitoIdpUser | None, answers: dict[str, str]
    ) -> CognitoIdpUser:
        """Return the user, or refuse a proof that is wrong, late or used, all with one error."""
        block = required(answers, "PASSWORD_CLAIM_SECRET_BLOCK")
        challenge = self.state.challenges.get(block)
        if challenge is None or not challenge.fits("PASSWORD_VERIFIER", client.id):
            raise refuse("wrong_password")
        right = proves_password(challenge, answers) and self._is_open(challenge)
        challenge.used = True  # each guess needs an exchange of its own
        if user is None or user.id != challenge.sub:
            raise refuse("wrong_password")
        check_ready(user)
        check_password(self.state, user, right=right)
        return user

    def _choose(
        self,
        pool: Pool,
        client: CognitoIdpUserPoolClient,
        user: CognitoIdpUser | None,
        answers: dict[str, str],
    ) -> dict[str, Any]:
        """Return what follows on the chosen factor, which for a password comes with the choice."""
        chosen = required(answers, "ANSWER")
        if chosen not in {"PASSWORD", *CHOSEN_WITHOUT_PASSWORD}:
            raise refuse("choice_not_implemented", choice=chosen)
        session = required(self.parameters, "Session")
        challenge = open_challenge(self.state, session, "SELECT_CHALLENGE", client.id)
        if chosen != "PASSWORD":
            sub = user.id if user else ""
            if sub != challenge.sub or chosen not in first_factors(pool, user):
                raise refuse("factor_not_available", factor=chosen)
            challenge.used = True
            return pose(pool, client, required(answers, "USERNAME"), user, chosen)
        # First: every answer takes as long, so that its time doesn't reveal who has an account.
        right = has_password(user, required(answers, "PASSWORD"))
        if user is None or user.id != challenge.sub:
            raise refuse("wrong_password")
        check_ready(user)
        check_password(self.state, user, right=right)
        challenge.used = True
        return challenge_or_tokens(pool, client, user)

    def _answer(
        self,
        pool: Pool,
        client: CognitoIdpUserPoolClient,
        user: CognitoIdpUser | None,
        answers: dict[str, str],
    ) -> CognitoIdpUser:
        """Return the user after a right answer, or refuse."""
        name, session = self.parameters["ChallengeName"], required(self.parameters, "Session")
        if not open_challenge(self.state, session, name, client.id).sub:
            required(answers, "EMAIL_OTP_CODE")
            raise refuse("otp_wrong")  # nobody has this address
        user, challenge = resumed(self.state, session, name, client.id, user)
        self._check(challenge, answers, pool, user)
        challenge.used = True
        return user

    def _check(
        self, challenge: Challenge, answers: dict[str, str], pool: Pool, user: CognitoIdpUser
    ) -> None:
        """Refuse a wrong answer; apply a right one."""
        if challenge.name == "NEW_PASSWORD_REQUIRED":
            password = required(answers, "NEW_PASSWORD")
            check_policy(password, pool.password_policy)
            set_password(user, password)
            user.status = UserStatus.CONFIRMED
        elif challenge.name == "SOFTWARE_TOKEN_MFA":
            code = required(answers, "SOFTWARE_TOKEN_MFA_CODE")
            self.state.account(user).authenticator.use(code, self.state.clock.now())
        elif challenge.name == "MFA_SETUP":
            if not challenge.verified:
                raise refuse("invalid_session")
            user.software_token_mfa_enabled = True
            user.preferred_mfa_setting = "SOFTWARE_TOKEN_MFA"
        elif challenge.name == "WEB_AUTHN":
            self._check_passkey(challenge, required(answers, "CREDENTIAL"), pool, user)
        elif required(answers, "EMAIL_OTP_CODE") != challenge.code:
            raise refuse("otp_wrong")

    def _check_passkey(
        self, challenge: Challenge, credential: str, pool: Pool, user: CognitoIdpUser
    ) -> None:
        """Refuse a wrong signature. Each one needs a challenge of its own."""
        challenge.used = True
        try:
            answer = json.loads(credential)
        except (ValueError, RecursionError):
            raise refuse("passkey_invalid") from None
        passkeys = self.state.account(user).passkeys
        try:
            pool.relying_party().finish_sign_in(challenge.passkey or {}, passkeys, answer)
        except JsonRESTError as refusal:  # this operation declares no exception of WebAuthn
            raise self.declared_or_fallback(refusal, "passkey_wrong") from None

    def _is_open(self, challenge: Challenge) -> bool:
        return not challenge.used and self.state.clock.now() < challenge.expires_at


def open_challenge(
    state: State, session: str, name: str, client_id: str | None = None
) -> Challenge:
    """Return the challenge of a session, or refuse. Without a client's id, any client's will do."""
    challenge = state.challenges.get(session)
    if challenge is None or not challenge.fits(name, client_id or challenge.client_id):
        raise refuse("invalid_session")
    if challenge.used:
        raise refuse("session_used")
    if state.clock.now() >= challenge.expires_at:
        raise refuse("session_expired")
    return challenge


def resumed(
    state: State, session: str, name: str, client_id: str, user: CognitoIdpUser | None
) -> tuple[CognitoIdpUser, Challenge]:
    """Return the user and the challenge of a session, or refuse a user who can't go on."""
    challenge = open_challenge(state, session, name, client_id)
    if user is None or user.id != challenge.sub:
        raise refuse("invalid_session")
    if not user.enabled:
        raise refuse("user_disabled")
    check_ready(user)
    return user, challenge
