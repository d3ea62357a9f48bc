"""The pre sign-up trigger. Other triggers are not implemented.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html
"""

from dataclasses import dataclass, field
from typing import Any

from moto.cognitoidp.utils import flatten_attrs

from infra.local.pool.functions import invoke
from infra.local.pool.refusals import refuse
from infra.local.pool.user_pool import Pool


@dataclass(frozen=True)
class NewUser:
    """A user who is about to be created.

    `source` is SignUp, AdminCreateUser or ExternalProvider. `request` has the parameters of the API
    call that creates the user, if there is one.
    """

    source: str
    client_id: str
    username: str
    attributes: dict[str, str]
    request: dict[str, Any] = field(default_factory=dict)


def pre_sign_up(pool: Pool, user: NewUser) -> None:
    """Run the pool's trigger, if it has one, before a user is created.

    The function's `response` has no effect: the template's function never confirms a user. Raises
    Cognito's error for a function that fails.
    """
    name = (pool.extended_config.get("LambdaConfig") or {}).get("PreSignUp")
    if not name:
        return
    function = pool.state.functions.get(name)
    if function is None:
        raise refuse("function_missing", trigger="PreSignUp")
    validation = flatten_attrs(user.request.get("ValidationData") or [])
    event: dict[str, Any] = {
        "version": "1",
        "region": pool.region,
        "userPoolId": pool.id,
        "userName": user.username,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": user.client_id},
        "triggerSource": f"PreSignUp_{user.source}",
        "request": {"userAttributes": dict(user.attributes), "validationData": validation or None},
        "response": {
            "autoConfirmUser": False,
            "autoVerifyEmail": False,
            "autoVerifyPhone": False,
        },
    }
    if metadata := user.request.get("ClientMetadata"):
        event["request"]["clientMetadata"] = metadata
    try:
        answer = invoke(function, event, pool.state.api)
    except Exception as error:
        raise refuse("function_refused", trigger="PreSignUp", error=error) from error
    if not isinstance(answer, dict) or not isinstance(answer.get("response"), dict):
        raise refuse("function_output")
