"""The JSON that comes in and goes out."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel, to_pascal


def _wire(**example: Any) -> ConfigDict:
    """Members in camelCase, as JavaScript has them, and an example for the docs page."""
    return ConfigDict(
        alias_generator=to_camel, json_schema_extra={"example": example} if example else None
    )


# Lengths are Cognito's own: Username 128, Password 256, ConfirmationCode 2,048 and Session 4,096
# characters. A refresh token's isn't documented; what is allowed here leaves room in MAX_BODY.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SignUp.html
# Whether an e-mail address is one is judged in checks.py, since what follows differs by operation.
# A model's repr leaves out what is secret, so that no careless log line can hold it.
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128), Field(repr=False)]
_Password = Annotated[str, StringConstraints(min_length=1, max_length=256)]  # kept as it is typed
Password = Annotated[_Password, Field(repr=False)]
_Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2048)]
Code = Annotated[_Code, Field(repr=False)]
RefreshToken = Annotated[str, Field(min_length=1, max_length=8192, repr=False)]
ChallengeSession = Annotated[str, Field(min_length=20, max_length=4096, repr=False)]

# What comes in


class Credentials(BaseModel):
    """An e-mail address and a password."""

    model_config = _wire(email="ada@example.com", password="Correct-horse-9")

    email: Email
    password: Password


class Address(BaseModel):
    """An e-mail address."""

    model_config = _wire(email="ada@example.com")

    email: Email


class Confirm(BaseModel):
    """The code that the e-mail brought."""

    model_config = _wire(email="ada@example.com", code="123456")

    email: Email
    code: Code


class Reset(BaseModel):
    """The code that the e-mail brought, and a new password."""

    model_config = _wire(email="ada@example.com", code="123456", password="Correct-horse-10")

    email: Email
    code: Code
    password: Password


class Change(BaseModel):
    """The password as it is, and as it shall be."""

    model_config = _wire(currentPassword="Correct-horse-9", newPassword="Correct-horse-10")

    current_password: Password
    new_password: Password


class Challenge(BaseModel):
    """What `challenge_required` answered, and the member that its `needs` names."""

    model_config = _wire(
        email="ada@example.com", challenge="SOFTWARE_TOKEN_MFA", session="AYABe...", code="123456"
    )

    email: Email
    challenge: str
    session: ChallengeSession
    code: _Code | None = Field(default=None, repr=False)
    new_password: _Password | None = Field(default=None, repr=False)


class Refresh(BaseModel):
    """A refresh token."""

    model_config = _wire(refreshToken="eyJjdHkiOi...")

    refresh_token: RefreshToken


class MfaCode(BaseModel):
    """A code that the authenticator app shows."""

    model_config = _wire(code="123456")

    code: Code


# What goes out


class Done(BaseModel):
    """It is done, and there is nothing more to say."""

    model_config = _wire(statusCode=200)

    status_code: Literal[200] = Field(default=200, serialization_alias="statusCode")


class Tokens(BaseModel):
    """Cognito's AuthenticationResult, spelled as Cognito spells it."""

    model_config = ConfigDict(alias_generator=to_pascal)

    access_token: str = Field(repr=False, description="A JWT: what the API is called with.")
    expires_in: int = Field(description="Seconds until the access and ID tokens expire.")
    token_type: Literal["Bearer"]
    refresh_token: str | None = Field(
        default=None,
        repr=False,
        description="Opaque: gets new tokens later. Missing from a refresh if it stays as it was.",
    )
    id_token: str = Field(repr=False, description="A JWT: who the person is, for the client.")


class SignedIn(Done):
    """Signed in: the tokens."""

    model_config = _wire(
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


class SessionsAlive(BaseModel):
    """The password is new, but who was signed in still is."""

    model_config = _wire()

    sessions_ended: Literal[False] = Field(default=False, serialization_alias="sessionsEnded")


class HasReset(Done):
    """The password is new, and every session is over unless it says otherwise."""

    body: SessionsAlive | None = Field(
        default=None, description="When sessions live on, as for accounts with a second factor."
    )


class User(BaseModel):
    """Somebody with an account."""

    model_config = _wire() | ConfigDict(populate_by_name=True)

    sub: str = Field(description="Never changes: what to keep a person's things under.")
    email: str = Field(repr=False)
    email_verified: bool


class Me(Done):
    """Who is signed in."""

    model_config = _wire(
        statusCode=200,
        body={
            "sub": "c2c5d4b4-60a1-70f2-9d5e-1f6ab3c4d5e6",
            "email": "ada@example.com",
            "emailVerified": True,
        },
    )

    body: User


class MfaSecret(BaseModel):
    """What an authenticator app takes: typed in, or as a QR code of the URI."""

    model_config = _wire()

    secret: str = Field(repr=False)
    uri: str = Field(repr=False)


class MfaSetUp(Done):
    """A new secret, which counts once /auth/mfa/verify has seen a code made with it."""

    model_config = _wire(
        statusCode=200,
        body={
            "secret": "JBSWY3DPEHPK3PXP",
            "uri": "otpauth://totp/app.example.com:ada%40example.com?secret=JBSWY3DPEHPK3PXP"
            "&issuer=app.example.com",
        },
    )

    body: MfaSecret


class FieldError(BaseModel):
    """What is wrong with one member of the request; never its value."""

    field: str
    message: str


class Failed(BaseModel):
    """Every failure, whoever made it."""

    model_config = _wire(
        statusCode=404, code="not_found", message="There is nothing here.", requestId="7c2d9a52..."
    ) | ConfigDict(populate_by_name=True)

    status_code: int = Field(description="The HTTP status.")
    code: str = Field(description="Stable: what a program decides by.")
    message: str = Field(description="For people.")
    request_id: str = Field(description="What to quote when asking for help; X-Request-Id too.")
    errors: list[FieldError] | None = Field(
        default=None, description="When the request is at fault."
    )
    challenge: str | None = Field(
        default=None, description="With `challenge_required`: which step."
    )
    session: str | None = Field(
        default=None, repr=False, description="With `challenge_required`: goes to /auth/challenge."
    )
    needs: list[str] | None = Field(
        default=None, description="With `challenge_required`: what else /auth/challenge takes."
    )

    def to_wire(self) -> str:
        """As JSON, without the members that don't apply."""
        return self.model_dump_json(by_alias=True, exclude_none=True)
