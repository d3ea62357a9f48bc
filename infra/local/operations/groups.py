"""Groups and their members. A token lists the groups that its user is in when it is issued.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-user-groups.html
"""

from typing import Any

from moto.cognitoidp.models import CognitoIdpGroup, CognitoIdpUser
from moto.cognitoidp.utils import PAGINATION_MODEL
from moto.core.responses import ActionResult, EmptyResult
from moto.utilities.paginator import paginate

from infra.local.operations import constraints
from infra.local.operations.request import CognitoRequest
from infra.local.pool.refusals import refuse
from infra.local.pool.user_pool import Pool

# moto's names for the parameters of a page.
PAGE = {"limit": "Limit", "next_token": "NextToken"}


class GroupOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def create_group(self) -> ActionResult:
        """Create a group. moto doesn't check its name."""
        constraints.check(self._get_action(), self.parameters)
        return super().create_group()

    def delete_group(self) -> ActionResult:
        """Delete a group. Its members stay."""
        pool, group = self._requested_group()
        for user in pool.users.in_group(group.group_name):
            self.state.account(user).groups.remove(group.group_name)
        del pool.groups[group.group_name]
        return EmptyResult()

    def admin_add_user_to_group(self) -> ActionResult:
        """Add a user to a group, unless the user is in it."""
        pool, user = self.requested_user()
        _, group = self._requested_group()
        pool.join_group(user, group.group_name)
        return EmptyResult()

    def admin_remove_user_from_group(self) -> ActionResult:
        """Remove a user from a group, if the user is in it."""
        _, user = self.requested_user()
        _, group = self._requested_group()
        groups = self.state.account(user).groups
        if group.group_name in groups:
            groups.remove(group.group_name)
        return EmptyResult()

    def admin_list_groups_for_user(self) -> ActionResult:
        """List the groups of a user."""
        pool, user = self.requested_user()
        found, token = Pages.admin_list_groups_for_user(pool, user, **self._page())
        return ActionResult({"Groups": [group.to_json() for group in found], "NextToken": token})

    def list_users_in_group(self) -> ActionResult:
        """List the members of a group."""
        pool, group = self._requested_group()
        found, token = Pages.list_users_in_group(pool, group, **self._page())
        users = [user.to_json(extended=True) for user in found]
        return ActionResult({"Users": users, "NextToken": token})

    def _requested_group(self) -> tuple[Pool, CognitoIdpGroup]:
        """Check the parameters, and return the pool and the group that they name."""
        constraints.check(self._get_action(), self.parameters)
        pool = self.requested_pool()
        group = pool.groups.get(self.parameters["GroupName"])
        if group is None:
            raise refuse("no_group")
        return pool, group

    def _page(self) -> dict[str, Any]:
        return {name: self._get_param(given) for name, given in PAGE.items()}


class Pages:
    """Lists that moto divides into pages. It finds their settings by the functions' names."""

    @staticmethod
    @paginate(PAGINATION_MODEL)
    def admin_list_groups_for_user(pool: Pool, user: CognitoIdpUser) -> list[CognitoIdpGroup]:
        """Return the groups of a user."""
        return [pool.groups[name] for name in pool.state.account(user).groups]

    @staticmethod
    @paginate(PAGINATION_MODEL)
    def list_users_in_group(pool: Pool, group: CognitoIdpGroup) -> list[CognitoIdpUser]:
        """Return the members of a group, in an order that stays the same from page to page."""
        return sorted(pool.users.in_group(group.group_name), key=lambda user: user.id)
