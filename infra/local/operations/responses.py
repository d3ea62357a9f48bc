"""All operations that replace moto's, each a method of the same name.

moto handles the others, so the AWS CLI and boto3 can set up users as usual.
https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_Operations.html
"""

import secrets
from typing import TYPE_CHECKING, Any, cast

from moto.core.responses import ActionResult

from infra.local.operations.challenges import ChallengeOperations
from infra.local.operations.mfa import MfaOperations
from infra.local.operations.profile import ProfileOperations
from infra.local.operations.providers import ProviderOperations
from infra.local.operations.recovery import RecoveryOperations
from infra.local.operations.sign_in import SignInOperations
from infra.local.operations.sign_out import SignOutOperations
from infra.local.operations.sign_up import SignUpOperations

if TYPE_CHECKING:
    from infra.local.pool.user_pool import Pool


class CognitoResponse(
    SignUpOperations,
    SignInOperations,
    ChallengeOperations,
    SignOutOperations,
    RecoveryOperations,
    ProfileOperations,
    MfaOperations,
    ProviderOperations,
):
    """The class that replaces moto's own in its URL table."""

    def create_user_pool(self) -> ActionResult:
        """Create a pool with the server's clock, outbox and key."""
        answer = super().create_user_pool()
        pool_id = cast("dict[str, Any]", answer.result)["UserPool"]["Id"]
        cast("Pool", self.backend.user_pools[pool_id]).state = self.state
        return answer

    def create_user_pool_client(self) -> ActionResult:
        """Create an app client whose secret, if any, matches the pattern of the API."""
        answer = super().create_user_pool_client()
        made = cast("dict[str, Any]", answer.result)["UserPoolClient"]
        if "ClientSecret" in made:
            client = self.requested_pool().clients[made["ClientId"]]
            made["ClientSecret"] = client.secret = secrets.token_hex(26)
        return answer
