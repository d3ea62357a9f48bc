"""What the service asks of Amazon Cognito: one method per operation.

Exceptions are not translated here: exception_handlers.py looks them up in the table of errors.py. A
method catches one only to ask Cognito a second question.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from secrets import token_hex, token_urlsafe
from typing import Any, TypeVar

from app.answers import read_document
from app.aws import make_client
from app.challenges import CHALLENGES, to_tokens
from app.claims import groups_of, read_claims
from app.exceptions import (
    EmailTakenError,
    HiddenAccountError,
    InvalidEmailError,
    InvalidSessionError,
    NameRefusedError,
    NoPasskeyError,
    NotCognitoError,
    PasskeysNotSetUpError,
    PasswordRequiredError,
    SignsInWithGoogleError,
    UnsupportedChallengeError,
    WrongCodeError,
)
from app.failure import EMAIL_TAKEN, UNSENT, trigger_message
from app.logs import log
from app.passwords import validate_current_password, validate_password
from app.schemas import Passkey, Tokens, User
from app.settings import Settings
from app.upstream import TIMEOUT
from app.users import to_user
from app.validation import validate_email

T = TypeVar("T")

MADE_UP_SESSION = 96  # random bytes, for an app client that tells which addresses have accounts


class Cognito:
    """Cognito's operations on one app client. One instance serves a process and its threads.

    Every method can raise the exceptions that botocore raises for its operation, those of
    HttpClient, and NotCognitoError. A method that takes an e-mail address raises InvalidEmailError
    if it isn't one. A method that takes a password raises InvalidPasswordError if every pool
    refuses it. Cognito's own InvalidParameterException doesn't reliably say which parameter it
    means.
    """

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], float] = time.monotonic,
        timeout: float = TIMEOUT,
    ) -> None:
        self._client, self._http = make_client(settings, now, timeout)
        self._client_id = settings.client_id
        self._issuer = settings.issuer
        self._hide_existing_accounts = settings.hide_existing_accounts

    def prepare(self) -> None:
        """Do what the first call would do before it connects."""
        self._http.prepare()

    def close(self) -> None:
        """Close the open connections. The next call opens a new one."""
        self._http.close()

    # Signing up and signing in

    def sign_up(self, email: str, password: str | None) -> str | None:
        """Create an unconfirmed account; Cognito e-mails a confirmation code (SignUp).

        Without a password, people sign in with codes. Raise PasswordRequiredError if the pool
        doesn't allow that.

        Return the session with which `confirm` signs the person in, or None if the app client
        doesn't allow USER_AUTH. Raise EmailTakenError if a Google account has this address. With
        HIDE_EXISTING_ACCOUNTS a taken address gets the answer of a new one, so neither gets a
        session. If its account is unconfirmed, its code is e-mailed again.
        """
        validate_email(email, "SignUp")
        if password is not None:
            validate_password(password, "SignUp", email)
        errors = self._client.exceptions
        session = None
        try:
            with self._hiding_unsent():
                session = self._create_user(email, password)
        except (errors.UsernameExistsException, EmailTakenError):
            if not self._hide_existing_accounts:
                raise
            _quietly(lambda: self.resend_code(email))
        return None if self._hide_existing_accounts else session

    @contextmanager
    def _hiding_unsent(self) -> Iterator[None]:
        """With HIDE_EXISTING_ACCOUNTS, only log that an e-mail wasn't sent.

        Only a free address is sent a code, so the failure would tell that it was free.
        """
        errors = self._client.exceptions
        try:
            yield
        except (errors.CodeDeliveryFailureException, errors.LimitExceededException) as unsent:
            if not self._hide_existing_accounts:
                raise
            name = type(unsent).__name__
            log(logging.ERROR, "e-mail not sent", {"code": UNSENT, "cause": name})

    def _create_user(self, email: str, password: str | None) -> str | None:
        errors = self._client.exceptions
        given: Any = {} if password is None else {"Password": password}
        try:
            answer = self._client.sign_up(
                ClientId=self._client_id,
                Username=email,
                UserAttributes=[{"Name": "email", "Value": email}],
                **given,
            )
        except errors.UserLambdaValidationException as refused:
            if trigger_message(refused.response["Error"]["Message"]) == EMAIL_TAKEN:
                raise EmailTakenError from refused
            raise
        except (errors.InvalidParameterException, errors.InvalidPasswordException) as refused:
            if password is not None:
                raise
            raise PasswordRequiredError from refused
        return answer.get("Session")

    def resend_code(self, email: str) -> None:
        """E-mail a new confirmation code, which replaces the last one (ResendConfirmationCode).

        Cognito raises InvalidParameterException if the account is confirmed, and
        LimitExceededException after 5 codes within an hour.
        """
        validate_email(email, "ResendConfirmationCode")
        self._client.resend_confirmation_code(ClientId=self._client_id, Username=email)

    def confirm(self, email: str, code: str, session: str | None = None) -> Tokens | None:
        """Confirm an account with the code from the e-mail (ConfirmSignUp).

        With the session of its sign-up, also sign in (InitiateAuth), and return the tokens. Return
        None if the session is too old, or if Cognito asks for one more step.
        """
        validate_email(email, "ConfirmSignUp")
        errors = self._client.exceptions
        try:
            confirmed = self._confirm_sign_up(email, code, session)
        except (
            errors.NotAuthorizedException,  # it is confirmed
            errors.ExpiredCodeException,
            errors.LimitExceededException,
            errors.TooManyFailedAttemptsException,
        ) as known:
            # With HIDE_EXISTING_ACCOUNTS nobody learns what state the account is in.
            if not self._hide_existing_accounts:
                raise
            raise WrongCodeError from known
        return _quietly(lambda: self._first_sign_in(email, confirmed)) if confirmed else None

    def _confirm_sign_up(self, email: str, code: str, session: str | None) -> str | None:
        """Return the session for a first sign-in, if there is one."""
        names: Any = {"ClientId": self._client_id, "Username": email, "ConfirmationCode": code}
        errors = self._client.exceptions
        if session:
            # A session that is too old must not prevent the confirmation.
            with suppress(errors.NotAuthorizedException, errors.InvalidParameterException):
                return self._client.confirm_sign_up(**names, Session=session).get("Session")
        self._client.confirm_sign_up(**names)
        return None

    def _first_sign_in(self, email: str, session: str) -> Tokens:
        answer = self._client.initiate_auth(
            ClientId=self._client_id,
            AuthFlow="USER_AUTH",
            AuthParameters={"USERNAME": email},
            Session=session,
        )
        return to_tokens(answer)

    def sign_in(self, email: str, password: str) -> Tokens:
        """Exchange an e-mail address and a password for tokens (InitiateAuth).

        Raise ChallengeRequiredError if Cognito asks for one more step. With HIDE_EXISTING_ACCOUNTS,
        raise HiddenAccountError for an unconfirmed account and one whose password must be reset.
        """
        validate_email(email, "InitiateAuth")
        validate_current_password(password, "InitiateAuth")
        try:
            answer = self._client.initiate_auth(
                ClientId=self._client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": email, "PASSWORD": password},
            )
        except (
            self._client.exceptions.UserNotConfirmedException,
            self._client.exceptions.PasswordResetRequiredException,
        ) as known:
            # Otherwise a stranger signs up, signs in, and learns that the address was free.
            if not self._hide_existing_accounts:
                raise
            raise HiddenAccountError from known
        return to_tokens(answer)

    def begin_email_code(self, email: str) -> str:
        """E-mail a code that signs in, and return the session for `answer_challenge`.

        Every address gets a session. InitiateAuth e-mails only to one with an account that is
        confirmed, and has no second factor; the log says if it asks for something else. Where it
        refuses, as for a disabled account, the session is that of an address without an account.
        """
        validate_email(email, "EMAIL_OTP")
        for address in (email, f"{token_hex(16)}@example.com"):
            with suppress(*self._closed):
                answer = self._prefer("EMAIL_OTP", address)
                if (challenge := answer.get("ChallengeName")) != "EMAIL_OTP":
                    log(logging.INFO, "no code e-mailed", {"cause": str(challenge)})
                return _member(answer, "Session")
        return token_urlsafe(MADE_UP_SESSION)

    def begin_passkey_sign_in(self, email: str) -> tuple[str, dict[str, Any]]:
        """Return a session, and WebAuthn's options for the browser (InitiateAuth).

        `answer_challenge` takes both the session and what the browser makes of the options. Raise
        NoPasskeyError for an address without a passkey. AWS may answer an address without an
        account as one with a passkey. Raise PasskeysNotSetUpError without USER_AUTH.
        """
        without: tuple[type[Exception], ...] = (InvalidEmailError, *self._closed)
        try:
            validate_email(email, "InitiateAuth")
            answer = self._prefer("WEB_AUTHN", email)
        except self._client.exceptions.InvalidParameterException as refused:
            raise PasskeysNotSetUpError from refused
        except without as refused:
            raise NoPasskeyError from refused
        if answer.get("ChallengeName") != "WEB_AUTHN":
            raise NoPasskeyError
        options = _member(answer.get("ChallengeParameters", {}), "CREDENTIAL_REQUEST_OPTIONS")
        return _member(answer, "Session"), read_document(options)

    def _prefer(self, factor: str, email: str) -> Any:
        """Begin a sign-in with another first factor than the password (InitiateAuth)."""
        return self._client.initiate_auth(
            ClientId=self._client_id,
            AuthFlow="USER_AUTH",
            AuthParameters={"USERNAME": email, "PREFERRED_CHALLENGE": factor},
        )

    @property
    def _closed(self) -> tuple[type[Exception], ...]:
        """What Cognito raises for an address with which nobody can sign in now."""
        errors = self._client.exceptions
        return (
            errors.NotAuthorizedException,
            errors.PasswordResetRequiredException,
            errors.UserNotConfirmedException,
            errors.UserNotFoundException,
        )

    def answer_challenge(self, email: str, challenge: str, session: str, response: str) -> Tokens:
        """Answer a challenge with what it asks for (RespondToAuthChallenge).

        MFA_SETUP takes the session of `set_up_mfa_at_sign_in`, and a first code, which is verified
        before (VerifySoftwareToken). WEB_AUTHN takes a credential as JSON.

        Raise UnsupportedChallengeError if `challenge` is not in CHALLENGES, and
        ChallengeRequiredError if Cognito asks for another step. A session is valid for the app
        client's AuthSessionValidity, 15 minutes in the template.

        Whatever is wrong, raise WrongCodeError for EMAIL_OTP and PasskeyRejectedError for
        WEB_AUTHN: a stranger may have begun the sign-in, and must not learn about the account.
        """
        validate_email(email, "RespondToAuthChallenge")
        if challenge not in CHALLENGES:
            raise UnsupportedChallengeError
        if challenge == "NEW_PASSWORD_REQUIRED":
            validate_password(response, "RespondToAuthChallenge", email)
        responses = {"USERNAME": email}
        if name := CHALLENGES[challenge].name:
            responses[name] = response
        else:
            session = self._verify_mfa_at_sign_in(session, response)
        errors, counts_as = self._client.exceptions, CHALLENGES[challenge].refused
        try:
            answer = self._client.respond_to_auth_challenge(
                ClientId=self._client_id,
                ChallengeName=challenge,  # type: ignore[arg-type]  # it is one of CHALLENGES
                Session=session,
                ChallengeResponses=responses,
            )
        except (
            *self._closed,
            errors.ExpiredCodeException,
            errors.InvalidParameterException,
        ) as refused:
            if not counts_as:
                raise
            raise counts_as from refused
        return to_tokens(answer)

    def set_up_mfa_at_sign_in(self, session: str) -> tuple[str, str]:
        """Return a new base32 secret for an authenticator app, and the session to go on with.

        AssociateSoftwareToken takes the session of the challenge MFA_SETUP. Raise
        InvalidSessionError if it isn't one.
        """
        errors = self._client.exceptions
        with _session_over(errors.NotAuthorizedException, errors.InvalidParameterException):
            answer = self._client.associate_software_token(Session=session)
        return _member(answer, "SecretCode"), _member(answer, "Session")

    def _verify_mfa_at_sign_in(self, session: str, code: str) -> str:
        errors = self._client.exceptions
        with _session_over(errors.NotAuthorizedException, errors.UserNotFoundException):
            answer = self._client.verify_software_token(Session=session, UserCode=code)
        if answer.get("Status") != "SUCCESS":
            raise WrongCodeError
        return _member(answer, "Session")

    # Sessions

    def refresh(self, refresh_token: str) -> Tokens:
        """Get new tokens (GetTokensFromRefreshToken), with a new refresh token if the pool rotates.

        This works with rotation on or off; the flow REFRESH_TOKEN_AUTH works only with it off.

        If the token was replaced earlier, a thief may have used it, or may hold the newest one. So
        its session is ended for both.
        """
        try:
            answer = self._client.get_tokens_from_refresh_token(
                ClientId=self._client_id, RefreshToken=refresh_token
            )
        except self._client.exceptions.RefreshTokenReuseException:
            _quietly(lambda: self.sign_out(refresh_token))
            raise
        return to_tokens(answer)

    def sign_out(self, refresh_token: str) -> None:
        """End one session: revoke its refresh token and its access tokens (RevokeToken)."""
        self._client.revoke_token(ClientId=self._client_id, Token=refresh_token)

    def sign_out_everywhere(self, access_token: str) -> None:
        """End every session of a person (GlobalSignOut)."""
        self._client.global_sign_out(AccessToken=access_token)

    # The password

    def forgot_password(self, email: str) -> None:
        """E-mail a code that allows setting a new password (ForgotPassword).

        Cognito refuses for an unconfirmed account, because its address isn't verified. We e-mail
        its confirmation code instead, so that nobody waits for an e-mail that never comes.
        """
        validate_email(email, "ForgotPassword")
        try:
            self._client.forgot_password(ClientId=self._client_id, Username=email)
        except self._client.exceptions.InvalidParameterException:
            _quietly(lambda: self.resend_code(email))

    def reset_password(self, email: str, code: str, password: str) -> bool:
        """Set a new password with the code (ConfirmForgotPassword), and end every session.

        Return whether the sessions ended. Cognito keeps them, so we sign in with the new password
        and sign out everywhere. That is impossible for an account with a second factor.
        """
        validate_email(email, "ConfirmForgotPassword")
        validate_password(password, "ConfirmForgotPassword", email)
        self._client.confirm_forgot_password(
            ClientId=self._client_id, Username=email, ConfirmationCode=code, Password=password
        )
        return bool(_quietly(lambda: self._end_sessions(email, password)))

    def _end_sessions(self, email: str, password: str) -> bool:
        self.sign_out_everywhere(self.sign_in(email, password).access_token)
        return True

    def change_password(self, access_token: str, current: str, new: str) -> None:
        """Replace a password with another (ChangePassword).

        Raise SignsInWithGoogleError if there is no password.
        """
        validate_current_password(current, "ChangePassword")
        # Cognito has one error for a wrong password, for no password and for an invalid token.
        user = self._user_with_password(access_token)
        validate_password(new, "ChangePassword", user.email)
        self._client.change_password(
            AccessToken=access_token, PreviousPassword=current, ProposedPassword=new
        )

    # The account

    def get_user(self, access_token: str) -> User:
        """Return the owner of an access token (GetUser).

        GetUser's answer has no groups, so they come from the token. Cognito has just accepted it,
        so nothing else needs to check its signature, which would need the pool's keys as well.
        """
        answer = self._client.get_user(AccessToken=access_token)
        return to_user(answer, groups_of(read_claims(access_token), self._issuer))

    def get_profile(self, access_token: str) -> User:
        """Return the owner of an access token, with every way to sign in.

        GetUser's answer lacks passkeys, and whether there is a password. GetUserAuthFactors has
        both.
        """
        user = self.get_user(access_token)
        errors = self._client.exceptions
        # A pool without a choice of first factors has no passkeys.
        with suppress(errors.OperationNotEnabledException, errors.InvalidParameterException):
            answer = self._client.get_user_auth_factors(AccessToken=access_token)
            factors = answer.get("ConfiguredUserAuthFactors", [])
            # An empty list would be that of nobody, so it says nothing.
            if factors and "PASSWORD" not in factors and "password" in user.signs_in_with:
                user.signs_in_with.remove("password")
            if "WEB_AUTHN" in factors:
                user.signs_in_with.append("passkey")
        return user

    def set_name(self, access_token: str, name: str) -> User:
        """Set a person's name, or remove it if it is empty (UpdateUserAttributes).

        Return the person as of now.
        """
        user = self.get_profile(access_token)
        try:
            self._update(access_token, "name", name)
        except self._client.exceptions.InvalidParameterException as refused:
            raise NameRefusedError from refused
        return user.model_copy(update={"name": name or None})

    def change_email(self, access_token: str, email: str) -> None:
        """E-mail a code to a new address (UpdateUserAttributes). The old one counts until then.

        Raise SignsInWithGoogleError if the address is Google's, and EmailTakenError if another
        account has it, or this one. With HIDE_EXISTING_ACCOUNTS, another's gets the answer of a
        free one.
        """
        validate_email(email, "UpdateUserAttributes")
        user = self._user_with_password(access_token)
        if user.email and user.email.casefold() == email.casefold():
            raise EmailTakenError
        try:
            with self._hiding_unsent():
                self._update(access_token, "email", email)
        except self._client.exceptions.AliasExistsException:
            if not self._hide_existing_accounts:
                raise

    def verify_email(self, access_token: str, code: str) -> None:
        """Let the new address replace the old one, with the code from it (VerifyUserAttribute)."""
        errors = self._client.exceptions
        try:
            self._client.verify_user_attribute(
                AccessToken=access_token, AttributeName="email", Code=code
            )
        except (
            errors.AliasExistsException,
            errors.ExpiredCodeException,  # or no code was sent
            errors.LimitExceededException,
        ) as known:
            # With HIDE_EXISTING_ACCOUNTS nobody learns whether another account has the address.
            if not self._hide_existing_accounts:
                raise
            raise WrongCodeError from known

    def _update(self, access_token: str, attribute: str, value: str) -> None:
        """Set an attribute, with a token that GetUser has just accepted."""
        self._client.update_user_attributes(
            AccessToken=access_token, UserAttributes=[{"Name": attribute, "Value": value}]
        )

    def delete_user(self, access_token: str) -> None:
        """Delete the account and end its sessions (DeleteUser)."""
        self._client.delete_user(AccessToken=access_token)

    # The second factor. After a sign-in with Google, Cognito never asks for one, so these methods
    # raise SignsInWithGoogleError for a user without a password.
    # https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa.html

    def set_up_mfa(self, access_token: str) -> tuple[str, User]:
        """Return a new base32 secret for an authenticator app, and the person it is for.

        The secret comes from AssociateSoftwareToken.
        """
        user = self._user_with_password(access_token)
        answer = self._client.associate_software_token(AccessToken=access_token)
        return _member(answer, "SecretCode"), user

    def verify_mfa(self, access_token: str, code: str) -> None:
        """Turn the second factor on with a first code.

        VerifySoftwareToken checks the code; SetUserMFAPreference makes sign-in ask for one. Raise
        WrongCodeError if the code is wrong.
        """
        self._user_with_password(access_token)
        answer = self._client.verify_software_token(AccessToken=access_token, UserCode=code)
        if answer.get("Status") != "SUCCESS":
            raise WrongCodeError
        self._prefer_mfa(access_token, on=True)

    def remove_mfa(self, access_token: str) -> None:
        """Turn the second factor off (SetUserMFAPreference)."""
        self._user_with_password(access_token)
        self._prefer_mfa(access_token, on=False)

    def _prefer_mfa(self, access_token: str, *, on: bool) -> None:
        self._client.set_user_mfa_preference(
            AccessToken=access_token,
            SoftwareTokenMfaSettings={"Enabled": on, "PreferredMfa": on},
        )

    # Passkeys, which Cognito verifies. WebAuthn's JSON goes through as it is.

    def begin_passkey(self, access_token: str) -> dict[str, Any]:
        """Return the options with which a browser makes a passkey (StartWebAuthnRegistration).

        Raise SignsInWithGoogleError for a person without a password.
        """
        self._user_with_password(access_token)
        answer = self._client.start_web_authn_registration(AccessToken=access_token)
        return dict(answer["CredentialCreationOptions"])

    def add_passkey(self, access_token: str, credential: dict[str, Any]) -> None:
        """Keep the passkey that a browser has made (CompleteWebAuthnRegistration)."""
        self._client.complete_web_authn_registration(
            AccessToken=access_token, Credential=credential
        )

    def list_passkeys(self, access_token: str) -> list[Passkey]:
        """Return a person's passkeys, of which there are at most 20 (ListWebAuthnCredentials)."""
        answer = self._client.list_web_authn_credentials(AccessToken=access_token, MaxResults=20)
        return [
            Passkey(
                id=each["CredentialId"],
                name=each.get("FriendlyCredentialName"),
                created_at=each["CreatedAt"],
            )
            for each in answer["Credentials"]
        ]

    def delete_passkey(self, access_token: str, passkey: str) -> None:
        """Delete a passkey (DeleteWebAuthnCredential)."""
        self._client.delete_web_authn_credential(AccessToken=access_token, CredentialId=passkey)

    def _user_with_password(self, access_token: str) -> User:
        user = self.get_user(access_token)
        if user.signs_in_with == ["google"]:
            raise SignsInWithGoogleError
        return user


def _member(answer: Mapping[str, Any], name: str) -> str:
    """Return a member that a successful answer has. Cognito's model doesn't require it."""
    if name not in answer:
        raise NotCognitoError
    return str(answer[name])


def _quietly(step: Callable[[], T]) -> T | None:
    """Take an optional second step, and return its result. Log a failure, and return None."""
    try:
        return step()
    except Exception as exc:  # noqa: BLE001 - the first step has succeeded, whatever happens now
        log(logging.INFO, "second step failed", {"cause": type(exc).__name__})
        return None


@contextmanager
def _session_over(*errors: type[Exception]) -> Iterator[None]:
    """Raise InvalidSessionError for these, which mean an access token's end on other routes."""
    try:
        yield
    except errors as refused:
        raise InvalidSessionError from refused
