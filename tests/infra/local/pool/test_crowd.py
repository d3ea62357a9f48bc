"""What a call costs doesn't depend on how many users there are. Nothing here measures time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from moto.cognitoidp.models import CognitoIdpUser, UserStatus

from infra.local.pool.accounts import account_of
from infra.local.pool.sessions import Session
from infra.local.pool.store import Store
from infra.local.pool.user_pool import Pool, all_pools
from infra.local.pool.users import encode
from tests.support.contract import PASSWORD, Contract, refused
from tests.support.contract_google import google_tokens
from tests.support.contract_mfa import answer, app_code, set_up
from tests.support.restarts import started

CROWD = 50
watching = False


class Bystander(CognitoIdpUser):
    """A user whom nobody asks about: once `watching` is on, looking at them is an error."""

    def __getattribute__(self, name: str) -> Any:
        assert not watching, f"somebody else's call reads {name}"
        return super().__getattribute__(name)


class BystandersSession(Session):
    """A session of theirs."""

    def __getattribute__(self, name: str) -> Any:
        assert not watching, f"somebody else's call reads {name}"
        return super().__getattribute__(name)


def pool_of(contract: Contract) -> Pool:
    """Return the pool that a contract calls."""
    return next(pool for pool in all_pools() if pool.id == contract.pool.user_pool_id)


def user(kind: type[CognitoIdpUser] = CognitoIdpUser) -> CognitoIdpUser:
    """Return a confirmed user with an address."""
    email = {"Name": "email", "Value": f"{uuid4().hex}@example.com"}
    made = kind("a-pool", None, None, UserStatus.CONFIRMED, [email])
    account_of(made)
    return made


@pytest.fixture
def crowded(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> Contract:
    """Return a pool with many users and sessions, at none of which a call may look."""
    pool = pool_of(contract)
    members = [user(Bystander) for _ in range(CROWD)]
    sessions = [BystandersSession(contract.pool.client_id, each.id, 0, 2**40) for each in members]
    pool.users.keep("users", encode, [(each.username, each) for each in members])
    pool.sessions.keep("sessions", vars, [(str(uuid4()), each) for each in sessions])
    monkeypatch.setattr(f"{__name__}.watching", True)
    return contract


def passwords(pool: Contract) -> None:
    """Sign up, confirm, sign in rightly and wrongly, change and forget the password."""
    email = pool.address()
    pool.sign_up(email)
    with refused("UsernameExists"):
        pool.sign_up(email.upper())
    pool.resend(email)
    pool.confirm(email, pool.code(email))
    with refused("NotAuthorized"):
        pool.sign_in(email, "Wrong-Horse-1")
    with refused("NotAuthorized"):
        pool.sign_in(pool.address())
    tokens = pool.tokens(email)
    pool.users.change_password(
        AccessToken=tokens["AccessToken"],
        PreviousPassword=PASSWORD,
        ProposedPassword="Another-Horse-2",
    )
    pool.forgot(email)
    pool.reset(email, pool.code(email), "Another-Horse-3")


def sessions(pool: Contract) -> None:
    """Continue and end sessions in every way."""
    email = pool.member()
    one, two, three = (pool.tokens(email) for _ in range(3))
    pool.users.get_user(AccessToken=one["AccessToken"])
    newer = pool.refresh(one["RefreshToken"])
    pool.refresh(newer["RefreshToken"])
    pool.revoke(newer["RefreshToken"])
    pool.administer("admin_user_global_sign_out", email)
    with refused("NotAuthorized"):
        pool.refresh(two["RefreshToken"])
    with refused("NotAuthorized"):
        pool.users.get_user(AccessToken=three["AccessToken"])
    last = pool.tokens(email)["AccessToken"]
    pool.users.global_sign_out(AccessToken=last)
    pool.users.delete_user(AccessToken=pool.tokens(email)["AccessToken"])


def second_factor(pool: Contract) -> None:
    """Set up an authenticator app, and sign in with it."""
    email, secret, _ = set_up(pool)
    answer(pool, email, pool.sign_in(email), app_code(pool, secret))


def administration(pool: Contract) -> None:
    """Look a user up, change and delete them as an administrator."""
    email, other = pool.address(), pool.address()
    pool_id = pool.pool.user_pool_id
    pool.administer("admin_create_user", email)
    pool.administer("admin_set_user_password", email, Password="Another-Horse-2", Permanent=True)
    pool.administer(
        "admin_update_user_attributes",
        email,
        UserAttributes=[
            {"Name": "email", "Value": other},
            {"Name": "email_verified", "Value": "true"},
        ],
    )
    for name in ("email", "sub", "username"):
        value = pool.user(other)["sub" if name == "username" else name]
        found = pool.admin.list_users(UserPoolId=pool_id, Filter=f'{name} = "{value}"')["Users"]
        assert [each["Username"] for each in found] == [pool.user(other)["Username"]]
    assert pool.admin.list_users(UserPoolId=pool_id, Filter=f'email = "{email}"')["Users"] == []
    with refused("UserNotFound"):
        pool.user(email)
    group = {"UserPoolId": pool_id, "GroupName": "editors"}
    pool.admin.create_group(**group)
    pool.administer("admin_add_user_to_group", other, GroupName="editors")
    assert pool.administer("admin_list_groups_for_user", other)["Groups"]
    assert len(pool.admin.list_users_in_group(**group)["Users"]) == 1
    pool.admin.delete_group(**group)
    pool.administer("admin_disable_user", other)
    pool.administer("admin_enable_user", other)
    pool.administer("admin_reset_user_password", other)
    pool.administer("admin_delete_user", other)


def google(pool: Contract) -> None:
    """Sign in with Google twice."""
    email = pool.address()
    google_tokens(pool, email)
    tokens = google_tokens(pool, email)
    header = {"Authorization": f"Bearer {tokens['access_token']}"}
    found = httpx.get(f"{pool.local.url}/oauth2/userInfo", headers=header)
    assert found.json()["email"] == email


@pytest.mark.parametrize("story", [passwords, sessions, second_factor, administration, google])
def test_no_call_looks_at_bystanders(crowded: Contract, story: Callable[[Contract], None]) -> None:
    """A call reads the users and sessions that it is about, and no others."""
    story(crowded)


def test_looking_at_bystanders_is_noticed(
    crowded: Contract, capfd: pytest.CaptureFixture[str]
) -> None:
    """Listing everybody reads everybody, and so fails here."""
    with refused("InternalError"):
        crowded.admin.list_users(UserPoolId=crowded.pool.user_pool_id)
    assert "somebody else's call reads" in capfd.readouterr().err


def test_reading_writes_nothing(file: Path) -> None:
    """The file grows when something has changed, not at every request."""
    log = file.with_name("users.db-wal")
    with started(file) as pool:
        email = pool.member()
        token = pool.tokens(email)["AccessToken"]
        written = log.read_bytes()
        pool.user(email)
        pool.users.get_user(AccessToken=token)
        pool.admin.list_users(UserPoolId=pool.pool.user_pool_id)
        httpx.get(f"{pool.local.url}/outbox")
        httpx.get(f"{pool.local.url}/{pool.pool.user_pool_id}/.well-known/jwks.json")
        with refused("NotAuthorized"):
            pool.sign_in(pool.address())
        assert log.read_bytes() == written


def test_a_change_writes_as_much_in_a_crowd(file: Path, tmp_path: Path) -> None:
    """A sign-in writes a few pages of the file, not the users: 2,000 of them take a megabyte."""
    crowd = [
        ("users/local", each.username, encode(each)) for each in map(user, [CognitoIdpUser] * 2000)
    ]
    with Store(tmp_path / "crowd.db") as store:
        store.save(crowd)
    assert (tmp_path / "crowd.db").stat().st_size > 1024**2
    page = 4096 + 24
    assert 0 < written(file) < 10 * page
    assert 0 < written(tmp_path / "crowd.db") < 10 * page


def written(file: Path) -> int:
    """Return how many bytes a sign-in writes."""
    with started(file) as pool:
        email = pool.member()
        log = file.with_name(f"{file.name}-wal")
        before = log.stat().st_size
        pool.tokens(email)
        return log.stat().st_size - before
