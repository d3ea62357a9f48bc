"""The JSON of requests and answers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel, to_pascal
from pydantic_core import PydanticCustomError

from app.validation import to_code


def wire(**example: Any) -> ConfigDict:
    """Return a configuration with camelCase names, and with an example for the docs page."""
    return ConfigDict(
        alias_generator=to_camel, json_schema_extra={"example": example} if example else None
    )


def is_none(value: object) -> bool:
    """Return whether a member is left out of an answer."""
    return value is None


# Maximum lengths are Cognito's: Username 128, Password 256, ConfirmationCode 2,048, Session 4,096
# characters. That of a refresh token isn't documented; ours fits into MAX_BODY.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SignUp.html
# validation.py checks the form of an e-mail address, because the error differs by operation.
# Secrets are left out of a model's repr, so that no careless log line can contain them.
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128), Field(repr=False)]
_Password = Annotated[str, StringConstraints(min_length=1, max_length=256)]  # not trimmed
Password = Annotated[_Password, Field(repr=False)]
_Code = Annotated[str, StringConstraints(min_length=1, max_length=2048), BeforeValidator(to_code)]
Code = Annotated[_Code, Field(repr=False)]
_RefreshToken = Annotated[str, StringConstraints(min_length=1, max_length=8192)]
_Session = Annotated[str, StringConstraints(min_length=20, max_length=4096)]
ChallengeSession = Annotated[_Session, Field(repr=False)]
_Credential = dict[str, Any]  # WebAuthn's own JSON, which Cognito reads

# Requests


class Credentials(BaseModel):
    """An e-mail address and a password."""

    model_config = wire(email="ada@example.com", password="Correct-horse-9")

    email: Email
    password: Password


class SignUp(BaseModel):
    """An e-mail address and a password."""

    model_config = wire(email="ada@example.com", password="Correct-horse-9")

    email: Email
    passwordless: bool = Field(
        default=False,
        description="Whether `password` may be missing, if the user pool allows it: the person "
        "signs in with e-mailed codes.",
    )
    password: _Password | None = Field(default=None, repr=False, validate_default=True)

    @field_validator("password")
    @classmethod
    def _is_required(cls, password: str | None, info: ValidationInfo) -> str | None:
        # Only on purpose, so that nobody who misspells the field gets an account without one.
        if password is None and not info.data.get("passwordless"):
            raise PydanticCustomError("missing", "Field required")
        return password


class Address(BaseModel):
    """An e-mail address."""

    model_config = wire(email="ada@example.com")

    email: Email


class Confirm(BaseModel):
    """The code from the e-mail, and the session that sign-up answered, if it did."""

    model_config = wire(email="ada@example.com", code="123456", session="AYABe...")

    email: Email
    code: Code
    session: _Session | None = Field(default=None, repr=False)


class Reset(BaseModel):
    """The code from the e-mail, and a new password."""

    model_config = wire(email="ada@example.com", code="123456", password="Correct-horse-10")

    email: Email
    code: Code
    password: Password


class Change(BaseModel):
    """The current password and the new one."""

    model_config = wire(currentPassword="Correct-horse-9", newPassword="Correct-horse-10")

    current_password: Password
    new_password: Password


class Challenge(BaseModel):
    """What `challenge_required` answered, and the field that its `needs` names.

    For a passkey: `WEB_AUTHN`, the `session` of /auth/passkeys/sign-in, and `credential`.
    """

    model_config = wire(
        email="ada@example.com", challenge="SOFTWARE_TOKEN_MFA", session="AYABe...", code="123456"
    )

    email: Email
    challenge: str
    session: ChallengeSession
    code: _Code | None = Field(default=None, repr=False)
    new_password: _Password | None = Field(default=None, repr=False)
    credential: _Credential | None = Field(
        default=None, repr=False, description="`toJSON()` of what navigator.credentials.get gave."
    )


class ChallengeSetup(BaseModel):
    """The session of the challenge MFA_SETUP, and the address that is signing in."""

    model_config = wire(email="ada@example.com", session="AYABe...")

    email: Email
    session: ChallengeSession


class Refresh(BaseModel):
    """A refresh token; nothing if it travels in a cookie."""

    model_config = wire(refreshToken="eyJjdHkiOi...")

    refresh_token: _RefreshToken | None = Field(
        default=None,
        repr=False,
        description="Required, unless the service keeps refresh tokens in a cookie "
        "(SESSION_COOKIE): then it is ignored, and the body may be empty.",
    )


class Profile(BaseModel):
    """What people may change of their profile."""

    model_config = wire(name="Ada Lovelace")

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=256)] | None = Field(
        repr=False, description="Null or an empty text removes it."
    )


class EmailCode(BaseModel):
    """The code from the e-mail to the new address."""

    model_config = wire(code="123456")

    code: Code


class MfaCode(BaseModel):
    """A code from the authenticator app."""

    model_config = wire(code="123456")

    code: Code


class PasskeyCredential(BaseModel):
    """A new passkey, as the browser gave it."""

    model_config = wire(credential={"id": "c2FtcGxl", "type": "public-key", "response": {}})

    credential: _Credential = Field(
        repr=False, description="`toJSON()` of what navigator.credentials.create gave."
    )


# Answers


class Done(BaseModel):
    """Done."""

    model_config = wire(statusCode=200)

    status_code: Literal[200] = Field(default=200, serialization_alias="statusCode")


class Tokens(BaseModel):
    """Cognito's AuthenticationResult, spelled as Cognito spells it."""

    model_config = ConfigDict(alias_generator=to_pascal)

    access_token: str = Field(repr=False, description="A JWT to call the API with.")
    expires_in: int = Field(description="Seconds until the access and ID tokens expire.")
    token_type: Literal["Bearer"]
    refresh_token: str | None = Field(
        default=None,
        exclude_if=is_none,
        repr=False,
        description="Opaque; gets new tokens. Omitted by refresh if it did not change, and by "
        "all routes if it travels in a cookie (SESSION_COOKIE).",
    )
    id_token: str = Field(repr=False, description="A JWT that tells the client who signed in.")


class SignedIn(Done):
    """Signed in."""

    model_config = wire(
        statusCode=200,
        body={
            "AccessToken": "eyJraWQiOi...",
            "ExpiresIn": 10800,
            "TokenType": "Bearer",
            "RefreshToken": "eyJjdHkiOi...",
            "IdToken": "eyJraWQiOi...",
        },
    )

    body: Tokens


class Session(BaseModel):
    """What proves at the next step that the same person began."""

    session: str = Field(repr=False)


class SignedUp(Done):
    """Signed up."""

    model_config = wire(statusCode=200, body={"session": "AYABe..."})

    body: Session | None = Field(
        default=None,
        exclude_if=is_none,
        description="Send it to /auth/confirm within 15 minutes, which then signs in as well. "
        "Omitted if this service doesn't sign in there.",
    )


class CodeSent(Done):
    """If the address has an account, a code was e-mailed. Send both to /auth/challenge."""

    model_config = wire(statusCode=200, body={"session": "AYABe..."})

    body: Session


class Confirmed(Done):
    """Confirmed."""

    body: Tokens | None = Field(
        default=None,
        exclude_if=is_none,
        description="The tokens, as of /auth/sign-in, if `session` was valid. Omitted otherwise: "
        "sign in.",
    )


class SessionsAlive(BaseModel):
    """The password was changed, but sessions continue."""

    model_config = wire()

    sessions_ended: Literal[False] = Field(default=False, serialization_alias="sessionsEnded")


class HasReset(Done):
    """The password was changed, and every session has ended unless `body` says otherwise."""

    body: SessionsAlive | None = Field(
        default=None,
        exclude_if=is_none,
        description="Present if sessions continue, as for an account with a second factor.",
    )


class User(BaseModel):
    """A person with an account."""

    model_config = wire() | ConfigDict(populate_by_name=True)

    sub: str = Field(description="The user's id, which never changes.")
    email: str | None = Field(repr=False)
    email_verified: bool
    name: str | None = Field(repr=False)
    signs_in_with: list[Literal["password", "google", "passkey"]]
    groups: list[str] = Field(description="As of when the access token was issued.")
    mfa: bool = Field(description="Whether sign-in requires a second factor.")


class Me(Done):
    """The person who is signed in."""

    model_config = wire(
        statusCode=200,
        body={
            "sub": "c2c5d4b4-60a1-70f2-9d5e-1f6ab3c4d5e6",
            "email": "ada@example.com",
            "emailVerified": True,
            "name": "Ada Lovelace",
            "signsInWith": ["password"],
            "groups": ["editors"],
            "mfa": False,
        },
    )

    body: User


class MfaSecret(BaseModel):
    """The secret for an authenticator app: to type in, or as a URI for a QR code."""

    model_config = wire()

    secret: str = Field(repr=False)
    uri: str = Field(repr=False)


class MfaSetUp(Done):
    """A new secret. It takes effect when /auth/mfa/verify accepts a code made with it."""

    model_config = wire(
        statusCode=200,
        body={
            "secret": "JBSWY3DPEHPK3PXP",
            "uri": "otpauth://totp/Accounts:ada%40example.com?secret=JBSWY3DPEHPK3PXP"
            "&issuer=Accounts",
        },
    )

    body: MfaSecret


class ChallengeSecret(MfaSecret):
    """The secret for an authenticator app, and the session for /auth/challenge."""

    session: str = Field(repr=False)


class ChallengeIsSetUp(Done):
    """A new secret. /auth/challenge takes a code made with it, and this session."""

    model_config = wire(
        statusCode=200,
        body={
            "secret": "JBSWY3DPEHPK3PXP",
            "uri": "otpauth://totp/Accounts:ada%40example.com?secret=JBSWY3DPEHPK3PXP"
            "&issuer=Accounts",
            "session": "AYABe...",
        },
    )

    body: ChallengeSecret


class PasskeyOptions(Done):
    """What the browser needs to make a passkey."""

    model_config = wire(
        statusCode=200, body={"rp": {"id": "example.com"}, "challenge": "c2FtcGxl", "user": {}}
    )

    body: dict[str, Any] = Field(
        repr=False,
        description="For PublicKeyCredential.parseCreationOptionsFromJSON, then "
        "navigator.credentials.create.",
    )


class PasskeyChallenge(BaseModel):
    """What the browser needs to sign in with a passkey, and the session for /auth/challenge."""

    session: str = Field(repr=False)
    options: dict[str, Any] = Field(
        repr=False,
        description="For PublicKeyCredential.parseRequestOptionsFromJSON, then "
        "navigator.credentials.get.",
    )


class PasskeySignIn(Done):
    """Go on with /auth/challenge: `WEB_AUTHN`, this session, and `credential`."""

    model_config = wire(
        statusCode=200,
        body={
            "session": "AYABe...",
            "options": {"rpId": "example.com", "challenge": "c2FtcGxl", "allowCredentials": []},
        },
    )

    body: PasskeyChallenge


class Passkey(BaseModel):
    """A passkey of the person who is signed in."""

    model_config = wire() | ConfigDict(populate_by_name=True)

    id: str
    name: str | None = Field(description="What Cognito calls it.")
    created_at: datetime


class PasskeyList(BaseModel):
    """The passkeys of the person who is signed in."""

    passkeys: list[Passkey]


class Passkeys(Done):
    """The passkeys, at most 20."""

    model_config = wire(
        statusCode=200,
        body={
            "passkeys": [
                {"id": "c2FtcGxl", "name": "Phone", "createdAt": "2026-11-27T09:00:00Z"},
            ]
        },
    )

    body: PasskeyList


class FieldError(BaseModel):
    """What is wrong with a field of the request. It never contains the field's value."""

    field: str
    message: str


class Failed(BaseModel):
    """The shape of every failure."""

    model_config = wire(
        statusCode=404, code="not_found", message="There is nothing here.", requestId="7c2d9a52..."
    ) | ConfigDict(populate_by_name=True)

    status_code: int = Field(description="The HTTP status.")
    code: str = Field(description="Stable, for programs.")
    message: str = Field(description="For people.")
    request_id: str = Field(description="Quote it when you ask for help. The same as X-Request-Id.")
    errors: list[FieldError] | None = Field(default=None, description="The fields at fault.")
    challenge: str | None = Field(
        default=None, description="With `challenge_required`: the name of the next step."
    )
    session: str | None = Field(
        default=None,
        repr=False,
        description="With `challenge_required`: send it to /auth/challenge.",
    )
    needs: list[str] | None = Field(
        default=None, description="With `challenge_required`: the fields to add."
    )

    def to_wire(self) -> str:
        """Return JSON without the fields that are None."""
        return self.model_dump_json(by_alias=True, exclude_none=True)
