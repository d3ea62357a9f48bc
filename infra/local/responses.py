"""The operations that moto answers differently from Cognito, each a method of its name.

Everything else is moto's own, so that the AWS CLI and boto3 can set users up as usual.
https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_Operations.html
"""

from typing import TYPE_CHECKING, Any, cast

from moto.core.responses import ActionResult

from infra.local.sign_in import SignInOperations
from infra.local.sign_up import SignUpOperations

if TYPE_CHECKING:
    from infra.local.pool import Pool


class CognitoResponse(SignUpOperations, SignInOperations):
    """What moto's table of URLs is given in place of its own class."""

    def create_user_pool(self) -> ActionResult:
        """Make a pool that knows the server's clock, outbox and key."""
        answer = super().create_user_pool()
        pool_id = cast("dict[str, Any]", answer.result)["UserPool"]["Id"]
        cast("Pool", self.backend.user_pools[pool_id]).state = self.state
        return answer
