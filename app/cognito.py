"""What the service asks of Amazon Cognito, one function an operation.

Failures rise from here to errors.py, whose table says what each of them means to the caller. Only
where a failure is the reason to ask Cognito something else is it caught.
"""

import time
from collections.abc import Callable
from typing import Any

from app.checks import check_email, check_password
from app.client import NotCognitoError, make_client
from app.logs import logger
from app.schemas import Tokens, User
from app.settings import Settings

# What a challenge asks for: the member of our request, and the name that Cognito gives to it.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_RespondToAuthChallenge.html
CHALLENGES = {
    "NEW_PASSWORD_REQUIRED": ("newPassword", "NEW_PASSWORD"),
    "SOFTWARE_TOKEN_MFA": ("code", "SOFTWARE_TOKEN_MFA_CODE"),
    "EMAIL_OTP": ("code", "EMAIL_OTP_CODE"),
}


class InvalidTokenError(Exception):
    """An access token that Cognito no longer takes, or never did."""


class WrongCodeError(Exception):
    """A code that isn't the right one, or shall look so."""


class UnsupportedChallengeError(ValueError):
    """A challenge that this service has no answer to."""


class ChallengeRequiredError(Exception):
    """Right so far, but Cognito asks for one more step before it gives tokens."""

    def __init__(self, challenge: str, session: str) -> None:
        needs = [CHALLENGES[challenge][0]] if challenge in CHALLENGES else None
        self.members = {"challenge": challenge, "session": session, "needs": needs}


class Cognito:
    """Cognito's operations on one app client.

    Every method may raise what botocore raises for its operation, each of which has its row in
    errors.py, and NotCognitoError. Those that take an e-mail address raise InvalidEmailError for
    what is none, and those that take a new password InvalidPasswordError for one that no pool can
    take: Cognito's own InvalidParameter doesn't say in a stable way which of them it means.
    """

    def __init__(self, settings: Settings, now: Callable[[], float] = time.monotonic) -> None:
        self._client = make_client(settings, now)
        self._client_id = settings.client_id
        self._hide_existing_accounts = settings.hide_existing_accounts

    def close(self) -> None:
        """Drop the connections that are kept; the next call makes a new one."""
        self._client.close()

    # Getting in

    def sign_up(self, email: str, password: str) -> None:
        """Make an unconfirmed account, to which Cognito e-mails a confirmation code (SignUp).

        With HIDE_EXISTING_ACCOUNTS a taken address looks like a new one, and gets its code again
        unless it is confirmed.
        """
        check_email(email, "SignUp")
        check_password(password, "SignUp")
        try:
            self._client.sign_up(
                ClientId=self._client_id,
                Username=email,
                Password=password,
                UserAttributes=[{"Name": "email", "Value": email}],
            )
        except self._client.exceptions.UsernameExistsException:
            if not self._hide_existing_accounts:
                raise
            self._quietly(lambda: self.resend_code(email))

    def resend_code(self, email: str) -> None:
        """E-mail a new confirmation code, which replaces the one before (ResendConfirmationCode).

        Cognito refuses if the account is confirmed, and LimitExceeded after 5 within an hour.
        """
        check_email(email, "ResendConfirmationCode")
        self._client.resend_confirmation_code(ClientId=self._client_id, Username=email)

    def confirm(self, email: str, code: str) -> None:
        """Confirm an account with the code that was e-mailed (ConfirmSignUp)."""
        check_email(email, "ConfirmSignUp")
        try:
            self._client.confirm_sign_up(
                ClientId=self._client_id, Username=email, ConfirmationCode=code
            )
        except self._client.exceptions.NotAuthorizedException as confirmed:
            # With HIDE_EXISTING_ACCOUNTS a confirmed account is as if it weren't there.
            if not self._hide_existing_accounts:
                raise
            raise WrongCodeError from confirmed

    def sign_in(self, email: str, password: str) -> Tokens:
        """Exchange an e-mail address and a password for tokens (InitiateAuth).

        Raises ChallengeRequiredError when Cognito asks for one more step.
        """
        check_email(email, "InitiateAuth")
        answer = self._client.initiate_auth(
            ClientId=self._client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": password},
        )
        return _tokens(answer)

    def answer_challenge(self, email: str, challenge: str, session: str, given: str) -> Tokens:
        """Take the step that a challenge asked for (RespondToAuthChallenge).

        Raises UnsupportedChallengeError for one that isn't in CHALLENGES, and
        ChallengeRequiredError when there is another. A session lives for 3 minutes by default.
        """
        check_email(email, "RespondToAuthChallenge")
        if challenge not in CHALLENGES:
            raise UnsupportedChallengeError
        if challenge == "NEW_PASSWORD_REQUIRED":
            check_password(given, "RespondToAuthChallenge")
        answer = self._client.respond_to_auth_challenge(
            ClientId=self._client_id,
            ChallengeName=challenge,  # type: ignore[arg-type]  # it is one of CHALLENGES
            Session=session,
            ChallengeResponses={"USERNAME": email, CHALLENGES[challenge][1]: given},
        )
        return _tokens(answer)

    # Staying in, and leaving

    def refresh(self, refresh_token: str) -> Tokens:
        """Get new tokens (GetTokensFromRefreshToken), with a new refresh token if the pool rotates.

        It works with rotation on or off, as the flow REFRESH_TOKEN_AUTH doesn't.
        """
        answer = self._client.get_tokens_from_refresh_token(
            ClientId=self._client_id, RefreshToken=refresh_token
        )
        return _tokens(answer)

    def sign_out(self, refresh_token: str) -> None:
        """End one session: its refresh token and the access tokens made from it (RevokeToken)."""
        self._client.revoke_token(ClientId=self._client_id, Token=refresh_token)

    def sign_out_everywhere(self, access_token: str) -> None:
        """End every session of a person's (GlobalSignOut)."""
        self._client.global_sign_out(AccessToken=access_token)

    # The password

    def forgot_password(self, email: str) -> None:
        """E-mail a code with which a new password can be set (ForgotPassword).

        An unconfirmed account can't have one, as its address isn't verified: it gets its
        confirmation code again instead, so that nobody waits for an e-mail that never comes.
        """
        check_email(email, "ForgotPassword")
        try:
            self._client.forgot_password(ClientId=self._client_id, Username=email)
        except self._client.exceptions.InvalidParameterException:
            self._quietly(lambda: self.resend_code(email))

    def reset_password(self, email: str, code: str, password: str) -> bool:
        """Set a new password with the code (ConfirmForgotPassword), and end every session.

        Return whether they are over. Cognito lets them live, and ends them for who can sign in:
        with the new password we can, but for an account that asks for a second factor.
        """
        check_email(email, "ConfirmForgotPassword")
        check_password(password, "ConfirmForgotPassword")
        self._client.confirm_forgot_password(
            ClientId=self._client_id, Username=email, ConfirmationCode=code, Password=password
        )
        return self._quietly(
            lambda: self.sign_out_everywhere(self.sign_in(email, password).access_token)
        )

    def change_password(self, access_token: str, current: str, new: str) -> None:
        """Replace a password by another (ChangePassword).

        Raises InvalidTokenError if it is the access token that Cognito refuses.
        """
        check_password(new, "ChangePassword")
        try:
            self._client.change_password(
                AccessToken=access_token, PreviousPassword=current, ProposedPassword=new
            )
        except (
            self._client.exceptions.NotAuthorizedException,
            self._client.exceptions.InvalidParameterException,
        ):
            # Cognito says the same of a wrong or impossible password and of a dead token.
            self._check_token(access_token)
            raise

    # The account

    def get_user(self, access_token: str) -> User:
        """Say who an access token belongs to (GetUser)."""
        answer = self._client.get_user(AccessToken=access_token)
        attributes = {each["Name"]: each.get("Value", "") for each in answer["UserAttributes"]}
        return User(
            sub=attributes["sub"],
            email=attributes["email"],
            email_verified=attributes.get("email_verified") == "true",
        )

    def delete_user(self, access_token: str) -> None:
        """Delete the account and end its sessions (DeleteUser)."""
        self._client.delete_user(AccessToken=access_token)

    # The second factor

    def set_up_mfa(self, access_token: str) -> str:
        """Give a new secret for an authenticator app, base32 (AssociateSoftwareToken)."""
        return self._client.associate_software_token(AccessToken=access_token)["SecretCode"]

    def verify_mfa(self, access_token: str, code: str) -> None:
        """Turn the second factor on with a first code of it.

        VerifySoftwareToken proves the code, SetUserMFAPreference makes sign-in ask for one.
        """
        answer = self._client.verify_software_token(AccessToken=access_token, UserCode=code)
        if answer["Status"] != "SUCCESS":
            raise WrongCodeError
        self._prefer_mfa(access_token, on=True)

    def remove_mfa(self, access_token: str) -> None:
        """Turn the second factor off (SetUserMFAPreference)."""
        self._prefer_mfa(access_token, on=False)

    def _prefer_mfa(self, access_token: str, *, on: bool) -> None:
        self._client.set_user_mfa_preference(
            AccessToken=access_token,
            SoftwareTokenMfaSettings={"Enabled": on, "PreferredMfa": on},
        )

    def _check_token(self, access_token: str) -> None:
        try:
            self._client.get_user(AccessToken=access_token)
        except (
            self._client.exceptions.NotAuthorizedException,
            self._client.exceptions.InvalidParameterException,
            self._client.exceptions.UserNotFoundException,
        ) as refused:
            raise InvalidTokenError from refused

    @staticmethod
    def _quietly(step: Any) -> bool:
        """Take a second step, which can't undo the first; return whether it worked."""
        try:
            step()
        except Exception as exc:  # noqa: BLE001 - whatever it is, the first step stands
            logger.info("second step failed", extra={"members": {"cause": type(exc).__name__}})
            return False
        return True


def _tokens(answer: Any) -> Tokens:
    if challenge := answer.get("ChallengeName"):
        raise ChallengeRequiredError(challenge, answer.get("Session", ""))
    if "AuthenticationResult" not in answer:
        raise NotCognitoError
    return Tokens.model_validate(answer["AuthenticationResult"])
