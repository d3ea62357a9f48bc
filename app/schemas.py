"""The JSON that comes in and goes out."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel, to_pascal

# Lengths are Cognito's own: Username 128, Password 256 and ConfirmationCode 2,048 characters.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SignUp.html
# Whether an e-mail address is one is judged in cognito.py, since what follows differs by operation.
# A model's repr leaves out what is secret, so that no careless log line can hold it.
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128), Field(repr=False)]
Password = Annotated[str, Field(min_length=1, max_length=256, repr=False)]  # kept as it is typed
Code = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2048),
    Field(repr=False),
]


class SignUp(BaseModel):
    """A new account."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"email": "ada@example.com", "password": "Correct-horse-9"}}
    )

    email: Email
    password: Password


class Confirm(BaseModel):
    """The code that the e-mail brought."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"email": "ada@example.com", "code": "123456"}}
    )

    email: Email
    code: Code


class SignIn(SignUp):
    """An account's e-mail address and password."""


class Done(BaseModel):
    """It is done, and there is nothing more to say."""

    model_config = ConfigDict(json_schema_extra={"example": {"statusCode": 200}})

    status_code: Literal[200] = Field(default=200, serialization_alias="statusCode")


class Tokens(BaseModel):
    """Cognito's AuthenticationResult, spelled as Cognito spells it."""

    model_config = ConfigDict(alias_generator=to_pascal, populate_by_name=True)

    access_token: str = Field(repr=False, description="A JWT: what the API is called with.")
    expires_in: int = Field(description="Seconds until the access and ID tokens expire.")
    token_type: Literal["Bearer"]
    refresh_token: str = Field(repr=False, description="Opaque: gets new tokens later.")
    id_token: str = Field(repr=False, description="A JWT: who the person is, for the client.")


class SignedIn(Done):
    """Signed in: the tokens."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "statusCode": 200,
                "body": {
                    "AccessToken": "eyJraWQiOi...",
                    "ExpiresIn": 10800,
                    "TokenType": "Bearer",
                    "RefreshToken": "eyJjdHkiOi...",
                    "IdToken": "eyJraWQiOi...",
                },
            }
        }
    )

    body: Tokens


class FieldError(BaseModel):
    """What is wrong with one member of the request; never its value."""

    field: str
    message: str


class Failed(BaseModel):
    """Every failure, whoever made it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

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
        default=None,
        repr=False,
        description="With `challenge_required`: goes back with the next step.",
    )

    def to_wire(self) -> str:
        """As JSON, without the members that don't apply."""
        return self.model_dump_json(by_alias=True, exclude_none=True)
