"""The users of a pool as a table, and as the JSON values that the store keeps."""

from datetime import datetime
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, UserStatus

from infra.local.pool.accounts import Account, account_of
from infra.local.pool.federated import EXTERNAL_PROVIDER, status_of
from infra.local.pool.passwords import PasswordHash
from infra.local.pool.records import Journal, Table

# moto's attributes that are stored unchanged.
FLAGS = (
    "enabled",
    "sms_mfa_enabled",
    "software_token_mfa_enabled",
    "token_verified",
    "preferred_mfa_setting",
)


class Users(Table[CognitoIdpUser]):
    """Users by user name. Each has an account, and can be found by all that identifies a user."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal, names_of)

    def __setitem__(self, key: str, user: CognitoIdpUser) -> None:
        account_of(user)
        super().__setitem__(key, user)

    def named(self, name: str) -> list[CognitoIdpUser]:
        """Return the users who may be meant by a name: see `names_of`."""
        return self.find(name.casefold())

    def in_group(self, group: str) -> list[CognitoIdpUser]:
        """Return the members of a group."""
        return self.find(name_of_members(group))


def names_of(user: CognitoIdpUser) -> set[str]:
    """Return what a user may be found by, casefolded: user name, sub, e-mail address, number.

    Two users may share a name, and a pool may not accept each of them: the caller decides. Members
    of a group share one, too.
    """
    attributes = user.attribute_lookup
    names = [user.username, user.id, attributes.get("email"), attributes.get("phone_number")]
    groups = map(name_of_members, account_of(user).groups)
    return {name.casefold() for name in names if name}.union(groups)


def name_of_members(group: str) -> str:
    """Return the name that the members of a group share. No user name has a line break."""
    return f"{group}\n"


def encode(user: CognitoIdpUser) -> dict[str, Any]:
    """Return a user as JSON values."""
    return {
        "sub": user.id,
        "username": user.username,
        "password": None if user.password is None else str(user.password),
        "status": status_of(user),
        "attributes": user.attributes,
        "created": user.create_date.isoformat(),
        "modified": user.last_modified_date.isoformat(),
        "account": account_of(user).to_json(),
        **{flag: getattr(user, flag) for flag in FLAGS},
    }


def decode(kept: dict[str, Any], user_pool_id: str) -> CognitoIdpUser:
    """Return the user that `encode` wrote. Raises KeyError, TypeError or ValueError for others."""
    status = kept["status"]
    user = CognitoIdpUser(
        user_pool_id=user_pool_id,
        username=kept["username"],
        password=None,
        status=status if status == EXTERNAL_PROVIDER else UserStatus(status),
        attributes=kept["attributes"],
    )
    if kept["password"] is not None:
        user.password = PasswordHash.parse(kept["password"])  # type: ignore[assignment]
    user.id = kept["sub"]
    user.update_attributes([{"Name": "sub", "Value": user.id}])
    user.create_date = datetime.fromisoformat(kept["created"])
    user.last_modified_date = datetime.fromisoformat(kept["modified"])
    for flag in FLAGS:
        setattr(user, flag, kept[flag])
    vars(user)["account"] = Account.from_json(kept["account"])
    return user
