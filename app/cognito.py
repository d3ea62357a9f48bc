"""The one door to Amazon Cognito: the only module that imports boto3 and botocore.

Failures are caught nowhere here. What botocore raises, and the few exceptions defined below, rise
to errors.py, whose table says what each of them means to the caller.
"""

import json
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from boto3.session import Session
from botocore import UNSIGNED
from botocore.config import Config

from app.schemas import Tokens
from app.settings import Settings

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

# Seconds. API Gateway gives up after 29 and people long before, so everything together stays
# under 10: a failure within the first second may be tried once more (1), after a pause (0.1), and
# then connect (2) and wait for the answer (6). Cognito calls a pool's triggers while we wait.
CONNECT_TIMEOUT = 2
READ_TIMEOUT = 6
RETRY_WITHIN = 1
RETRY_PAUSE = 0.1

# What may be done twice. SignUp may not: had the first try worked unseen, the second would tell a
# new user that the address is taken; nor may ConfirmSignUp, which would say "already confirmed".
REPEATABLE = ("InitiateAuth",)

# What an <input type=email> accepts, but with a dot in the domain, as Cognito wants one.
# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+")

# What every pool asks of a password, whatever its policy: 6 characters or more, none of the first
# and the last a blank, and all on one line.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_PasswordPolicyType.html
_SHORTEST_PASSWORD = 6
_PASSWORD = re.compile(r"\S[^\n\r\x85\u2028\u2029]*\S", re.ASCII)


class InvalidEmailError(ValueError):
    """Not an e-mail address, so no account can have it: Cognito isn't asked."""

    def __init__(self, operation_name: str) -> None:
        self.operation_name = operation_name


class InvalidPasswordError(ValueError):
    """A password that no pool can take; the text is in the words of Cognito's own answer."""


class ChallengeRequiredError(Exception):
    """Right so far, but Cognito asks for one more step before it gives tokens."""

    def __init__(self, challenge: str, session: str) -> None:
        self.members = {"challenge": challenge, "session": session}


class NotCognitoError(Exception):
    """An answer that is not Cognito's, such as a captive portal's page: nothing was done."""


class Cognito:
    """Cognito's operations on one app client. One instance serves a whole process, and threads.

    The calls are unsigned, as Cognito takes them for everything a person does on their own
    account: no AWS credentials are looked for, and the function's role needs no permission.

    Every method may raise what botocore raises for its operation, each of which has its row in
    errors.py, and NotCognitoError.
    """

    def __init__(self, settings: Settings) -> None:
        self._client_id = settings.client_id
        self._client: CognitoIdentityProviderClient = Session(region_name=settings.region).client(
            "cognito-idp",
            endpoint_url=settings.endpoint_url,
            config=Config(
                signature_version=UNSIGNED,
                connect_timeout=CONNECT_TIMEOUT,
                read_timeout=READ_TIMEOUT,
                retries={"mode": "standard", "total_max_attempts": 1},  # ours are below
                parameter_validation=False,  # the models of schemas.py have done it
            ),
        )
        # botocore retries all of a client's operations alike. Its own events, those that its retry
        # modes are built on, let the choice be made for each.
        # https://github.com/boto/botocore/blob/develop/botocore/retries/standard.py
        events = self._client.meta.events
        events.register("before-call.cognito-idp", _note_start)
        events.register("before-parse.cognito-idp", _check_answer)
        for operation in REPEATABLE:
            # The stubs don't know that this event asks its handlers for an answer.
            events.register(f"needs-retry.cognito-idp.{operation}", _retry)  # type: ignore[arg-type]

    def sign_up(self, email: str, password: str) -> None:
        """Make an unconfirmed account, to which Cognito e-mails a confirmation code (SignUp).

        Raises InvalidEmailError and InvalidPasswordError for what no pool can take: Cognito's
        InvalidParameter doesn't say in a stable way which of the two it means.
        """
        _check_email(email, "SignUp")
        if len(password) < _SHORTEST_PASSWORD:
            raise InvalidPasswordError("Password not long enough")
        if not _PASSWORD.fullmatch(password):
            raise InvalidPasswordError("Password must not start or end with a blank")
        self._client.sign_up(
            ClientId=self._client_id,
            Username=email,
            Password=password,
            UserAttributes=[{"Name": "email", "Value": email}],
        )

    def confirm(self, email: str, code: str) -> None:
        """Confirm an account with the code that was e-mailed (ConfirmSignUp).

        Raises InvalidEmailError.
        """
        _check_email(email, "ConfirmSignUp")
        self._client.confirm_sign_up(
            ClientId=self._client_id, Username=email, ConfirmationCode=code
        )

    def sign_in(self, email: str, password: str) -> Tokens:
        """Exchange an e-mail address and a password for tokens (InitiateAuth).

        Raises InvalidEmailError, and ChallengeRequiredError when Cognito asks for one more step.
        """
        _check_email(email, "InitiateAuth")
        answer: Any = self._client.initiate_auth(
            ClientId=self._client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": password},
        )
        if challenge := answer.get("ChallengeName"):
            raise ChallengeRequiredError(challenge, answer.get("Session", ""))
        if "AuthenticationResult" not in answer:
            raise NotCognitoError
        return Tokens.model_validate(answer["AuthenticationResult"])


def _check_email(email: str, operation_name: str) -> None:
    if not _EMAIL.fullmatch(email):
        raise InvalidEmailError(operation_name)


def _check_answer(response_dict: dict[str, Any], **_: object) -> None:
    """Look at an answer before botocore does, which takes any 200 for success."""
    if not _is_json_object(response_dict["body"]):
        if response_dict["status_code"] < HTTPStatus.MULTIPLE_CHOICES:
            raise NotCognitoError
        response_dict["body"] = b"{}"  # a load balancer's page, whose status says enough


def _is_json_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:  # not JSON, or not even text
        return False


def _note_start(context: dict[str, Any], **_: object) -> None:
    context["started"] = time.monotonic()


def _retry(
    attempts: int,
    response: tuple[Any, dict[str, Any]] | None,
    request_dict: dict[str, Any],
    **_: object,
) -> float | None:
    """Whether to try again: the pause before it in seconds, or None.

    Once, and only where it comes cheap: a failure that came fast, as a broken connection or a
    server's stumble do. One that used up its time, or that the server meant, is the answer.
    """
    failed = response is None or response[0].status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    fast = time.monotonic() - request_dict["context"]["started"] < RETRY_WITHIN
    return RETRY_PAUSE if failed and fast and attempts == 1 else None
