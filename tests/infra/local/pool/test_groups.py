"""Groups and their members after a restart."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import jwt

from tests.support.contract import Contract
from tests.support.contract_google import attributes, google_tokens
from tests.support.people import put_into_group
from tests.support.restarts import started


def put(contract: Contract, email: str, group: str) -> None:
    """Put a user into a group, which may be new."""
    put_into_group(contract.local, contract.pool, email, group)


def told(access_token: str) -> Any:
    """Return the groups in an access token."""
    return jwt.decode(access_token, options={"verify_signature": False}).get("cognito:groups")


def test_groups_survive_a_restart(file: Path) -> None:
    """So do their members, also one who left, and what describes a group."""
    with started(file) as before:
        pool_id = before.pool.user_pool_id
        email, other = before.member(), before.member()
        before.admin.create_group(
            UserPoolId=pool_id, GroupName="editors", Description="They edit.", Precedence=2
        )
        for group in ("editors", "readers", "writers"):
            put(before, email, group)
        before.administer("admin_remove_user_from_group", email, GroupName="readers")
        put(before, other, "gone")
        before.admin.delete_group(UserPoolId=pool_id, GroupName="gone")
        tokens = before.tokens(email)
        known = before.admin.list_groups(UserPoolId=pool_id)["Groups"]
    with started(file) as after:
        groups = after.admin.list_groups(UserPoolId=pool_id)["Groups"]
        # The provider's group is made at each start.
        assert [each for each in groups if "_Google" not in each["GroupName"]] == known[1:]
        assert told(after.refresh(tokens["RefreshToken"])["AccessToken"]) == ["editors", "writers"]
        assert told(after.tokens(other)["AccessToken"]) is None
        found = after.admin.list_users_in_group(UserPoolId=pool_id, GroupName="editors")["Users"]
        assert [user["Username"] for user in found] == [after.user(email)["Username"]]
        after.administer("admin_remove_user_from_group", email, GroupName="editors")
    with started(file) as again:
        assert told(again.tokens(email)["AccessToken"]) == ["writers"]


def test_a_file_from_before_there_were_groups(file: Path) -> None:
    """Its users are in no group, but those of Google are in theirs."""
    with started(file) as before:
        email = before.member()
        name = attributes(before, google_tokens(before, before.address()))["Username"]
    with closing(sqlite3.connect(file)) as database, database:
        users = database.execute("SELECT key, value FROM records WHERE name = 'users/local'")
        for key, value in users.fetchall():
            user = json.loads(value)
            del user["account"]["groups"]
            change = "UPDATE records SET value = ? WHERE name = 'users/local' AND key = ?"
            database.execute(change, (json.dumps(user), key))
    with started(file) as after:
        assert told(after.tokens(email)["AccessToken"]) is None
        groups = after.administer("admin_list_groups_for_user", name)["Groups"]
        assert [group["GroupName"] for group in groups] == [f"{after.pool.user_pool_id}_Google"]


def test_forgetting_everything(file: Path) -> None:
    """Groups are forgotten with the users, except those of the providers."""
    with started(file) as before:
        put(before, before.member(), "editors")
        url = before.local.url
        httpx.post(f"{url}/console/forget", json={}, headers={"Origin": url})
        left = before.admin.list_groups(UserPoolId=before.pool.user_pool_id)["Groups"]
    with started(file) as after:
        found = after.admin.list_groups(UserPoolId=after.pool.user_pool_id)["Groups"]
    for groups in (left, found):
        assert [group["GroupName"] for group in groups] == [f"{after.pool.user_pool_id}_Google"]
