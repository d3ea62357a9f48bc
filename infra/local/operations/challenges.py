"""RespondToAuthChallenge and AdminRespondToAuthChallenge: the steps that a sign-in may require.

https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html
"""

import json
import secrets
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient, UserStatus
from moto.cognitoidp.utils import flatten_attrs
from moto.core.responses import ActionResult

from infra.local.operations.password import check_password, check_ready
from infra.local.operations.request import CognitoRequest, check_secret_hash, required
from infra.local.operations.srp import proves_password
from infra.local.pool.accounts import new_code
from infra.local.pool.passwords import check_policy, has_password, set_password
from infra.local.pool.refusals import refuse
from infra.local.pool.state import Challenge, State
from infra.local.pool.user_pool import Pool

# The challenges that prove a second factor, so that no other one follows.
SECOND_FACTORS = {"SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "MFA_SETUP"}
SUPPORTED_CHALLENGES = SECOND_FACTORS | {
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
        if name == "PASSWORD_VERIFIER":
            user = self._prove_password(client, user, answers)
        elif name == "SELECT_CHALLENGE":
            user = self._choose(client, user, answers)
        else:
            user = self._answer(pool, client, user, answers)
        passed_mfa = name in SECOND_FACTORS
        return ActionResult(
            pool.sign_in(client, user) if passed_mfa else challenge_or_tokens(pool, client, user)
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
        self, client: CognitoIdpUserPoolClient, user: CognitoIdpUser | None, answers: dict[str, str]
    ) -> CognitoIdpUser:
        """Return the user who chose the password, and gave the right one."""
        if (chosen := required(answers, "ANSWER")) != "PASSWORD":
            raise refuse("choice_not_implemented", choice=chosen)
        session = required(self.parameters, "Session")
        challenge = open_challenge(self.state, session, "SELECT_CHALLENGE", client.id)
        # First: every answer takes as long, so that its time doesn't reveal who has an account.
        right = has_password(user, required(answers, "PASSWORD"))
        if user is None or user.id != challenge.sub:
            raise refuse("wrong_password")
        check_ready(user)
        check_password(self.state, user, right=right)
        challenge.used = True
        return user

    def _answer(
        self,
        pool: Pool,
        client: CognitoIdpUserPoolClient,
        user: CognitoIdpUser | None,
        answers: dict[str, str],
    ) -> CognitoIdpUser:
        """Return the user after a right answer, or refuse."""
        name, session = self.parameters["ChallengeName"], required(self.parameters, "Session")
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
        elif required(answers, "EMAIL_OTP_CODE") != challenge.code:
            raise refuse("otp_wrong")

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


def begin_session(state: State, challenge: Challenge) -> str:
    """Return a new session for a challenge."""
    session = secrets.token_urlsafe(96)
    state.challenges[session] = challenge
    return session


def challenge_or_tokens(
    pool: Pool, client: CognitoIdpUserPoolClient, user: CognitoIdpUser
) -> dict[str, Any]:
    """Return a challenge, or the tokens if the user has none to answer."""
    name = challenge_for(pool, user)
    if name is None:
        return pool.sign_in(client, user)
    challenge = Challenge(name, client.id, user.id, pool.session_end(client))
    parameters = {"USER_ID_FOR_SRP": user.username}
    if name == "NEW_PASSWORD_REQUIRED":
        attributes = {k: v for k, v in flatten_attrs(user.attributes).items() if k != "sub"}
        parameters |= {"requiredAttributes": "[]", "userAttributes": json.dumps(attributes)}
    if name == "MFA_SETUP":
        parameters["MFAS_CAN_SETUP"] = json.dumps(["SOFTWARE_TOKEN_MFA"])
    if name == "EMAIL_OTP":
        challenge.code = new_code()
        sent = pool.mail(user, challenge.code)
        parameters["CODE_DELIVERY_DELIVERY_MEDIUM"] = sent["DeliveryMedium"]
        parameters["CODE_DELIVERY_DESTINATION"] = sent["Destination"]
    session = begin_session(pool.state, challenge)
    return {"ChallengeName": name, "ChallengeParameters": parameters, "Session": session}


def choice(
    pool: Pool, client: CognitoIdpUserPoolClient, user: CognitoIdpUser | None
) -> dict[str, Any]:
    """Return the challenge to choose a first factor, also for a user who doesn't exist."""
    sub = user.id if user else ""
    challenge = Challenge("SELECT_CHALLENGE", client.id, sub, pool.session_end(client))
    return {
        "ChallengeName": challenge.name,
        "ChallengeParameters": {},
        "AvailableChallenges": ["PASSWORD_SRP", "PASSWORD"],
        "Session": begin_session(pool.state, challenge),
    }


def challenge_for(pool: Pool, user: CognitoIdpUser) -> str | None:
    """Return the name of the challenge that a user must answer after the password, if any.

    With several active methods, the preferred one wins, or else the first of these. If the pool
    requires a second factor, one that is set up is active even if the user turned it off.
    """
    if user.status == UserStatus.FORCE_CHANGE_PASSWORD:
        return "NEW_PASSWORD_REQUIRED"
    account, must = pool.state.account(user), pool.mfa_config == "ON"
    has_app = user.software_token_mfa_enabled or (must and account.authenticator.secret)
    has_mail = account.email_mfa or (must and user.attribute_lookup.get("email_verified") == "true")
    methods = {
        "SOFTWARE_TOKEN_MFA": pool.has_software_token_mfa and has_app,
        "EMAIL_OTP": pool.has_email_mfa and has_mail,
    }
    active = [name for name, enabled in methods.items() if enabled]
    if user.preferred_mfa_setting in active:
        return str(user.preferred_mfa_setting)
    if must and not active:
        if not pool.has_software_token_mfa:
            raise refuse("no_mfa_method")
        return "MFA_SETUP"
    return active[0] if active else None
