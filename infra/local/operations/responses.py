"""All operations: those that replace moto's, each a method of the same name, and moto's own.

An operation of moto is served only if it is listed here, so that a newer moto can't open a way
around our checks.
https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_Operations.html
"""

import re
import secrets
from typing import TYPE_CHECKING, Any, cast

from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores

from infra.local.operations.attributes import AttributeOperations
from infra.local.operations.challenges import ChallengeOperations
from infra.local.operations.groups import GroupOperations
from infra.local.operations.invitations import InvitationOperations
from infra.local.operations.mfa import MfaOperations
from infra.local.operations.passkeys import PasskeyOperations
from infra.local.operations.profile import ProfileOperations
from infra.local.operations.providers import ProviderOperations
from infra.local.operations.recovery import RecoveryOperations
from infra.local.operations.sign_in import SignInOperations
from infra.local.operations.sign_out import SignOutOperations
from infra.local.operations.sign_up import SignUpOperations
from infra.local.pool.api_model import has_operation
from infra.local.pool.refusals import refuse

if TYPE_CHECKING:
    from infra.local.pool.user_pool import Pool

# moto's own operations, served as they are. None gives a token. Three change a user, only as an
# administrator asks: they can't make a user sign in, or somebody else.
MOTOS_OWN = frozenset(
    {
        "AdminDeleteUser",
        "AdminEnableUser",
        "AdminGetUser",
        "AdminUserGlobalSignOut",
        "AddCustomAttributes",
        "CreateResourceServer",
        "CreateUserPoolDomain",
        "DeleteIdentityProvider",
        "DeleteUserPoolClient",
        "DeleteUserPoolDomain",
        "DescribeIdentityProvider",
        "DescribeResourceServer",
        "DescribeUserPool",
        "DescribeUserPoolClient",
        "DescribeUserPoolDomain",
        "GetGroup",
        "ListGroups",
        "ListIdentityProviders",
        "ListUserPoolClients",
        "ListUserPools",
        "UpdateGroup",
        "UpdateIdentityProvider",
        "UpdateUserPoolDomain",
    }
)
# What UpdateUserPool doesn't take, so that it can't change. moto forgets it.
FIXED_SETTINGS = ("AliasAttributes", "UsernameAttributes", "UsernameConfiguration")
# A filter of ListUsers for an exact name. `Users.named` finds these without reading every user.
EXACT_NAME = re.compile(r'(sub|username|email|phone_number)\s*=\s*"(.*)"')


class CognitoResponse(
    SignUpOperations,
    InvitationOperations,
    SignInOperations,
    ChallengeOperations,
    SignOutOperations,
    RecoveryOperations,
    ProfileOperations,
    AttributeOperations,
    MfaOperations,
    PasskeyOperations,
    ProviderOperations,
    GroupOperations,
):
    """The class that replaces moto's own in its URL table."""

    def _check_request(self) -> None:
        """Refuse every operation that isn't served."""
        operation = self._get_action()
        if operation not in MOTOS_OWN and not is_ours(operation):
            raise refuse("operation_not_implemented", operation=operation)
        super()._check_request()

    def create_user_pool(self) -> ActionResult:
        """Create a pool with the server's clock, outbox and key."""
        answer = super().create_user_pool()
        pool_id = cast("dict[str, Any]", answer.result)["UserPool"]["Id"]
        cast("Pool", self.backend.user_pools[pool_id]).join(self.state)
        return answer

    def delete_user_pool(self) -> ActionResult:
        """Delete a pool with its users and groups: the store would return them at a start."""
        pool = self.requested_pool()
        pool.clear_users()
        pool.groups.clear()
        return super().delete_user_pool()

    def update_user_pool(self) -> None:
        """Replace a pool's settings, which include whether a second factor is required."""
        pool = self.requested_pool()
        fixed = {name: pool.extended_config.get(name) for name in FIXED_SETTINGS}
        super().update_user_pool()
        pool.extended_config.update({name: value for name, value in fixed.items() if value})
        pool.mfa_config = self.parameters.get("MfaConfiguration", "OFF")

    def list_resource_servers(self) -> ActionResult:
        """List them, or refuse an unknown pool, for which moto fails."""
        self.requested_pool()
        return super().list_resource_servers()

    def list_users(self) -> ActionResult:
        """Look up an exact name, as the pre sign-up function does; moto handles other filters."""
        exact = EXACT_NAME.fullmatch((self.parameters.get("Filter") or "").strip())
        if not exact:
            return super().list_users()
        name, value = exact.groups()
        found = [
            user
            for user in self.requested_pool().users.named(value)
            if value == (user.username if name == "username" else user.attribute_lookup.get(name))
        ]
        wanted = self.parameters.get("AttributesToGet")
        users = [user.to_json(extended=True, attributes_to_get=wanted) for user in found]
        return ActionResult({"Users": users})

    def create_user_pool_client(self) -> ActionResult:
        """Create an app client whose secret, if any, matches the pattern of the API."""
        answer = super().create_user_pool_client()
        made = cast("dict[str, Any]", answer.result)["UserPoolClient"]
        if "ClientSecret" in made:
            client = self.requested_pool().clients[made["ClientId"]]
            made["ClientSecret"] = client.secret = secrets.token_hex(26)
        return answer


def is_ours(operation: str) -> bool:
    """Return whether an operation of the API is implemented here rather than by moto."""
    name = camelcase_to_underscores(operation)
    ours = [kind for kind in CognitoResponse.__mro__ if kind.__module__.startswith("infra.")]
    return has_operation(operation) and any(name in vars(kind) for kind in ours)
