"""Groups: how users join and leave them, and what tokens say of it."""

from typing import Any

import pytest

from tests.support.contract import Contract, claims, refused
from tests.support.contract_google import attributes, google_tokens

NO_GROUP = "Group not found."


def create(contract: Contract, name: str = "editors", **more: Any) -> Any:
    """Call CreateGroup, or skip the test."""
    return contract.admin.create_group(
        UserPoolId=contract.pool.user_pool_id, GroupName=name, **more
    )


def on_group(contract: Contract, operation: str, name: str = "editors", **more: Any) -> Any:
    """Call an operation on a group, or skip the test."""
    call = getattr(contract.admin, operation)
    return call(UserPoolId=contract.pool.user_pool_id, GroupName=name, **more)


def join(contract: Contract, email: str, name: str = "editors") -> None:
    """Call AdminAddUserToGroup, or skip the test."""
    contract.administer("admin_add_user_to_group", email, GroupName=name)


def leave(contract: Contract, email: str, name: str = "editors") -> None:
    """Call AdminRemoveUserFromGroup, or skip the test."""
    contract.administer("admin_remove_user_from_group", email, GroupName=name)


def groups_of(contract: Contract, email: str, **page: Any) -> list[str]:
    """Return the names that AdminListGroupsForUser gives, or skip the test."""
    found = contract.administer("admin_list_groups_for_user", email, **page)["Groups"]
    return [group["GroupName"] for group in found]


def told(contract: Contract, tokens: Any) -> set[str] | None:
    """Return the groups in an access and an ID token, which agree; None without the claim."""
    access, identity = (
        claims(contract, tokens[name]).get("cognito:groups") for name in ("AccessToken", "IdToken")
    )
    assert access == identity
    return None if access is None else set(access)


def test_tokens_have_the_groups_of_their_moment(contract: Contract) -> None:
    """A refresh and a sign-in see a change; tokens that were issued before don't."""
    email = contract.member()
    create(contract)
    create(contract, "readers")
    tokens = contract.tokens(email)
    assert told(contract, tokens) is None
    join(contract, email)
    tokens = contract.refresh(tokens["RefreshToken"])
    assert told(contract, tokens) == {"editors"}
    join(contract, email, "readers")
    assert told(contract, contract.tokens(email)) == {"editors", "readers"}
    leave(contract, email)
    tokens = contract.refresh(tokens["RefreshToken"])
    assert told(contract, tokens) == {"readers"}
    on_group(contract, "delete_group", "readers")
    assert told(contract, contract.refresh(tokens["RefreshToken"])) is None


def test_joining_and_leaving_twice(contract: Contract) -> None:
    """Neither is an error, and neither counts twice."""
    email = contract.member()
    create(contract)
    leave(contract, email)
    for _ in range(2):
        join(contract, email)
    assert groups_of(contract, email) == ["editors"]
    leave(contract, email)
    assert groups_of(contract, email) == []


def test_members(contract: Contract) -> None:
    """A group has the users who joined it, in any state, until they are deleted."""
    create(contract)
    emails = {contract.member() for _ in range(3)}
    bystander = contract.member()
    for email in emails:
        join(contract, email)
    assert members(contract) == emails
    gone = emails.pop()
    contract.administer("admin_delete_user", gone)
    contract.administer("admin_disable_user", min(emails))
    assert members(contract) == emails
    contract.sign_up_and_confirm(gone, "Another-Horse-2")
    assert groups_of(contract, gone) == groups_of(contract, bystander) == []


def members(contract: Contract) -> set[str]:
    """Return the addresses of all members, in pages of one."""
    found: set[str] = set()
    page: dict[str, Any] = {"Limit": 1}
    while True:
        answer = on_group(contract, "list_users_in_group", **page)
        assert len(answer["Users"]) <= 1
        for user in answer["Users"]:
            found |= {each["Value"] for each in user["Attributes"] if each["Name"] == "email"}
        if "NextToken" not in answer:
            return found
        page["NextToken"] = answer["NextToken"]


def test_pages_of_groups(contract: Contract) -> None:
    """AdminListGroupsForUser has pages, too."""
    email = contract.member()
    for name in ("editors", "readers", "writers"):
        create(contract, name)
        join(contract, email, name)
    first = contract.administer("admin_list_groups_for_user", email, Limit=2)
    rest = groups_of(contract, email, Limit=2, NextToken=first["NextToken"])
    assert [group["GroupName"] for group in first["Groups"]] + rest == [
        "editors",
        "readers",
        "writers",
    ]


def test_a_deleted_group_has_no_members_when_created_again(contract: Contract) -> None:
    """Whoever was an editor once isn't one of the new editors."""
    email = contract.member()
    create(contract)
    join(contract, email)
    on_group(contract, "delete_group")
    with refused("ResourceNotFound"):
        on_group(contract, "get_group")
    create(contract)
    assert on_group(contract, "list_users_in_group")["Users"] == []
    assert told(contract, contract.tokens(email)) is None


def test_a_group_has_a_description(contract: Contract) -> None:
    """It can be changed, and its members stay."""
    email = contract.member()
    made = create(contract, Description="They edit.", Precedence=2)["Group"]
    assert (made["Description"], made["Precedence"]) == ("They edit.", 2)
    join(contract, email)
    on_group(contract, "update_group", Description="They also write.")
    found = on_group(contract, "get_group")["Group"]
    assert (found["Description"], found["Precedence"]) == ("They also write.", 2)
    assert groups_of(contract, email) == ["editors"]
    with refused("GroupExists"):
        create(contract)


@pytest.mark.parametrize("name", ["two words", "line\n", "x" * 129, "\x00"])
def test_a_name_that_no_group_can_have(contract: Contract, name: str) -> None:
    """A name has 1 to 128 characters, and no blanks."""
    with refused("InvalidParameter"):
        create(contract, name)
    with refused("InvalidParameter"):
        contract.administer("admin_add_user_to_group", contract.member(), GroupName=name)


def test_a_group_or_user_that_does_not_exist(contract: Contract) -> None:
    """Cognito says which of the two is missing."""
    email = contract.member()
    for operation in ("admin_add_user_to_group", "admin_remove_user_from_group"):
        with refused("ResourceNotFound", NO_GROUP):
            contract.administer(operation, email, GroupName="editors")
    for operation in ("delete_group", "list_users_in_group"):
        with refused("ResourceNotFound", NO_GROUP):
            on_group(contract, operation)
    create(contract)
    for operation in ("admin_add_user_to_group", "admin_remove_user_from_group"):
        with refused("UserNotFound"):
            contract.administer(operation, contract.address(), GroupName="editors")
    with refused("UserNotFound"):
        groups_of(contract, contract.address())


def test_the_group_of_a_provider(contract: Contract) -> None:
    """It exists as soon as the provider does. An administrator can remove a user from it."""
    group = f"{contract.pool.user_pool_id}_Google"
    assert on_group(contract, "list_users_in_group", group)["Users"] == []
    tokens = google_tokens(contract, contract.address())
    name = attributes(contract, tokens)["Username"]
    assert groups_of(contract, name) == [group]
    leave(contract, name, group)
    assert groups_of(contract, name) == []
