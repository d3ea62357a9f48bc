"""moto's user pool, with groups that are kept. An account has the names of its groups.

moto has users and groups refer to each other, which could be neither kept nor undone.
"""

from datetime import datetime
from functools import partial
from typing import Any

from moto.cognitoidp.models import CognitoIdpGroup, CognitoIdpUser, CognitoIdpUserPool

from infra.local.pool.accounts import account_of
from infra.local.pool.federated import identities_of
from infra.local.pool.records import Journal, Table
from infra.local.pool.store import Store


class GroupPool(CognitoIdpUserPool):
    """The part of `Pool` that has groups, keyed by name."""

    # moto annotates it as a dict, but uses only what a table has, too.
    groups: Table[CognitoIdpGroup]  # type: ignore[assignment]

    def begin_groups(self, journal: Journal) -> None:
        """Begin without groups."""
        self.groups = Table(journal)

    def keep_groups(self, name: str, store: Store) -> None:
        """Restore the groups that a store has under a name, and keep what changes from now on."""
        kept = store.load(f"groups/{name}", partial(decode, user_pool_id=self.id))
        self.groups.keep(f"groups/{name}", encode, kept)

    def provider_group(self, provider: str) -> str:
        """Return the name of the group that Cognito makes for a provider's users."""
        return f"{self.id}_{provider}"

    def own_groups(self) -> list[str]:
        """Return the names of all groups but those of the providers."""
        providers = {self.provider_group(provider) for provider in self.identity_providers}
        return sorted(group for group in list(self.groups) if group not in providers)

    def join_group(self, user: CognitoIdpUser, group: str) -> None:
        """Add a user to a group, if there is one of this name and the user isn't in it."""
        names = account_of(user).groups
        if group in self.groups and group not in names:
            names.append(group)

    def join_provider_groups(self, user: CognitoIdpUser) -> None:
        """Add a user to the group of each of the user's providers, as Cognito does."""
        for identity in identities_of(user):
            self.join_group(user, self.provider_group(identity["providerName"]))

    def rejoin_groups(self, user: CognitoIdpUser) -> None:
        """Correct the groups of a restored user.

        A provider's group has the pool's id in its name, which may have changed since.
        """
        account = account_of(user)
        account.groups = [group for group in account.groups if group in self.groups]
        self.join_provider_groups(user)


def encode(group: CognitoIdpGroup) -> dict[str, Any]:
    """Return a group as JSON values."""
    return {
        "name": group.group_name,
        "description": group.description,
        "role": group.role_arn,
        "precedence": group.precedence,
        "created": group.creation_date.isoformat(),
        "modified": group.last_modified_date.isoformat(),
    }


def decode(kept: dict[str, Any], user_pool_id: str) -> CognitoIdpGroup:
    """Return the group that `encode` wrote. Raises KeyError, TypeError or ValueError for others."""
    group = CognitoIdpGroup(
        user_pool_id, kept["name"], kept["description"], kept["role"], kept["precedence"]
    )
    group.creation_date = datetime.fromisoformat(kept["created"])
    group.last_modified_date = datetime.fromisoformat(kept["modified"])
    return group
