"""The store where nothing can be written, and with files that can't be read."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from botocore.exceptions import ClientError

from infra.local.pool.store import APPLICATION, FORMAT, Store, StoreError
from tests.support.contract import Contract
from tests.support.contract_google import authorize_url, comes_back, exchange, google_tokens
from tests.support.google import Form, parameters, walk
from tests.support.restarts import no_space, started


def contents(contract: Contract) -> dict[str, Any]:
    """Return what people can see of a server's state."""
    state: dict[str, Any] = httpx.get(f"{contract.local.url}/console/state").json()
    users = sorted(state["users"], key=lambda user: str(user["username"]))
    parts = {name: state[name] for name in ("mails", "pools")}
    return parts | {"users": users, "ahead": round(state["ahead"])}


def google_group(contract: Contract) -> Any:
    """Return the users in Google's group."""
    pool_id = contract.pool.user_pool_id
    return contract.admin.list_users_in_group(UserPoolId=pool_id, GroupName=f"{pool_id}_Google")[
        "Users"
    ]


def group(contract: Contract, name: str) -> dict[str, str]:
    """Return the parameters that name a group."""
    return {"UserPoolId": contract.pool.user_pool_id, "GroupName": name}


CHANGES: dict[str, Callable[[Contract, str, dict[str, str]], object]] = {
    "sign-up": lambda pool, _, __: pool.sign_up("new@example.com"),
    "forgotten password": lambda pool, email, _: pool.forgot(email),
    "sign-in": lambda pool, email, _: pool.sign_in(email),
    "wrong password": lambda pool, email, _: pool.sign_in(email, "Wrong-Horse-1"),
    "refresh": lambda pool, _, tokens: pool.refresh(tokens["RefreshToken"]),
    "sign-out": lambda pool, _, tokens: pool.revoke(tokens["RefreshToken"]),
    "disabling": lambda pool, email, _: pool.administer("admin_disable_user", email),
    "invitation": lambda pool, *_: pool.administer("admin_create_user", "new@example.com"),
    "new group": lambda pool, *_: pool.admin.create_group(**group(pool, "writers")),
    "changed group": lambda pool, *_: pool.admin.update_group(
        **group(pool, "editors"), Description="They edit."
    ),
    "joining a group": lambda pool, email, _: pool.administer(
        "admin_add_user_to_group", email, GroupName="readers"
    ),
    "leaving a group": lambda pool, email, _: pool.administer(
        "admin_remove_user_from_group", email, GroupName="editors"
    ),
    "deleted group": lambda pool, *_: pool.admin.delete_group(**group(pool, "editors")),
    "deletion": lambda pool, _, tokens: pool.users.delete_user(AccessToken=tokens["AccessToken"]),
}


def test_a_full_disk_changes_nothing(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each change is refused with an error and one clear line, and is not kept in memory either.

    Reading goes on. When there is space again, everything works, without a restart.
    """
    with started(file) as pool:
        email = pool.member()
        google = google_tokens(pool, "grace@example.com")
        tokens = pool.tokens(email)
        for name in ("editors", "readers"):
            pool.admin.create_group(**group(pool, name))
        pool.administer("admin_add_user_to_group", email, GroupName="editors")
        known = contents(pool)
        members, editors = google_group(pool), pool.admin.get_group(**group(pool, "editors"))
        with no_space(file.with_name("users.db-wal").stat().st_size):
            for name, change in CHANGES.items():
                with pytest.raises(ClientError) as caught:
                    change(pool, email, tokens)
                assert caught.value.response["Error"]["Code"] == "InternalErrorException", name
                assert contents(pool) == known, name
            for button, body in (("clock", {"step": "1 day"}), ("forget", {})):
                url = pool.local.url
                pressed = httpx.post(f"{url}/console/{button}", json=body, headers={"Origin": url})
                assert pressed.status_code == 500
                assert contents(pool) == known, button
            pool.users.get_user(AccessToken=tokens["AccessToken"])
        lines = capfd.readouterr().err.splitlines()
        assert len(set(lines)) == 1
        assert f"{file} can't be written: " in lines[0]
        assert "free some space" in lines[0]
        assert google_group(pool) == members
        assert pool.admin.get_group(**group(pool, "editors"))["Group"] == editors["Group"]
        assert pool.admin.list_users_in_group(**group(pool, "editors"))["Users"]
        assert not pool.admin.list_users_in_group(**group(pool, "readers"))["Users"]
        pool.refresh(tokens["RefreshToken"])
        pool.sign_up("new@example.com")
        pool.users.delete_user(AccessToken=google["access_token"])
        known = contents(pool)
    with started(file) as after:
        assert contents(after) == known
        after.confirm("new@example.com", after.code("new@example.com"))


def test_a_full_disk_uses_up_no_code(file: Path) -> None:
    """When there is space again, a sign-in with Google goes on with the codes that it has."""
    with started(file) as pool, httpx.Client() as browser:
        code = comes_back(pool, "ada@example.com")["code"]
        asked = walk(browser, browser.get(authorize_url(pool)))
        form = Form(asked.text)
        chosen = {"email": "grace@example.com", "email_verified": "true", "choice": "allow"}
        told = browser.post(urljoin(str(asked.url), form.action), data=form.hidden | chosen)
        back = urljoin(str(told.url), told.headers["Location"])
        with no_space(file.with_name("users.db-wal").stat().st_size):
            assert exchange(pool, code).status_code == 500
            assert browser.get(back).status_code == 500
        assert exchange(pool, code).status_code == 200
        assert exchange(pool, parameters(browser.get(back).headers["Location"])["code"]).is_success


def sqlite_file(*statements: str) -> bytes:
    """Return an SQLite database."""
    with closing(sqlite3.connect(":memory:")) as database:
        for statement in statements:
            database.execute(statement)
        return database.serialize()


TABLE = "CREATE TABLE records (name TEXT, key TEXT, value TEXT, PRIMARY KEY (name, key))"
OURS = (f"PRAGMA application_id = {APPLICATION}", f"PRAGMA user_version = {FORMAT}", TABLE)
GARBLED = {
    "one character": b"{",
    "the format before": b'{"format": 2, "pools": {}, "mails": []}',
    "a long text": b"not a database " * 1000,
    "the start of SQLite's mark": b"SQLite",
    "only SQLite's mark": b"SQLite format 3\0",
    "another program's": sqlite_file("CREATE TABLE diary (page TEXT)"),
    "cut off": sqlite_file(*OURS)[:-4096],
    "overwritten": sqlite_file(*OURS)[:4096] + bytes(range(256)) * 32,
    "a newer version's": sqlite_file(*OURS[:1], f"PRAGMA user_version = {FORMAT + 1}", TABLE),
    "without the table": sqlite_file(*OURS[:2]),
    "a value that isn't JSON": sqlite_file(
        *OURS, "INSERT INTO records VALUES ('mails', '1', 'nonsense')"
    ),
}
INCONSISTENT = {
    f"{name}: {value}": sqlite_file(*OURS, f"INSERT INTO records VALUES {name, key, value}")  # noqa: S608 - from here
    for name, key, value in [
        ("mails", "1", "{}"),
        ("signing key", "", "5"),
        ("signing key", "", "{}"),
        ("signing key", "", '{"kty": "RSA", "n": "AQAB", "e": "AQAB"}'),
        ("clock", "", "[]"),
        ("users/local", "1", "{}"),
        ("users/local", "1", "null"),
        ("groups/local", "editors", "{}"),
        ("groups/local", "editors", "[]"),
        ("sessions/local", "1", "{}"),
        ("refresh_tokens/local", "1", "[]"),
    ]
}


@pytest.mark.parametrize(
    "content", [*GARBLED.values(), *INCONSISTENT.values()], ids=[*GARBLED, *INCONSISTENT]
)
def test_a_file_that_cannot_be_read_is_kept(file: Path, content: bytes) -> None:
    """It stops the start with one line, and stays as it is; `fresh` gives it another name."""
    file.parent.mkdir()
    file.write_bytes(content)
    for _ in range(2):
        with pytest.raises(StoreError, match="make run FRESH=1") as caught, started(file):
            pass
        assert "\n" not in str(caught.value)
        assert str(file) in str(caught.value)
        assert file.read_bytes()[:18] == content[:18]
        assert file.stat().st_size == len(content)
    with started(file, fresh=True) as pool:
        pool.member()
    kept = file.with_name("users.db.1").read_bytes()
    if content in GARBLED.values():
        assert kept == content
    else:
        assert rows_of(content) <= rows_of(kept)


def rows_of(content: bytes) -> set[tuple[str, str, str]]:
    """Return the records in a file."""
    with closing(sqlite3.connect(":memory:")) as database:
        # A database in memory has no write-ahead log: say that this one doesn't either.
        database.deserialize(content[:18] + b"\1\1" + content[20:])
        return set(database.execute("SELECT * FROM records"))


def test_nothing_that_was_set_aside_is_overwritten(file: Path) -> None:
    """Each file gets a name of its own, and its parts go with it."""
    file.parent.mkdir()
    for number in range(1, 4):
        for part in (file, file.with_name("users.db-wal")):
            part.write_text(f"{part.name} {number}")
        with Store(file, fresh=True):
            pass
    for number in range(1, 4):
        assert (file.parent / f"users.db.{number}").read_text() == f"users.db {number}"
        assert (file.parent / f"users.db.{number}-wal").read_text() == f"users.db-wal {number}"


def test_a_folder_in_the_files_place(file: Path) -> None:
    """It stops the start with one line, and `fresh` gives it another name."""
    (file / "inside").mkdir(parents=True)
    with pytest.raises(StoreError, match="it is a folder"), Store(file):
        pass
    with Store(file, fresh=True) as store:
        assert store.set_aside
        assert (store.set_aside / "inside").is_dir()


@pytest.mark.parametrize("place", ["/dev/null/users.db", "/proc/users.db"])
def test_a_place_where_nothing_can_be_written(place: str) -> None:
    """It stops the start with one line that says what to do."""
    with pytest.raises(StoreError, match=r"can't be written: .*make its folder writable") as caught:
        Store(Path(place)).__enter__()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("part", "cause"), [("-wal", "unable to open database file"), ("-journal", "disk I/O error")]
)
def test_what_the_system_refuses_is_not_the_files_fault(file: Path, part: str, cause: str) -> None:
    """The file can't be used, but it may be fine: nobody is told to start without users."""
    with started(file) as pool:
        email = pool.member()
    beside = file.with_name(f"users.db{part}")
    beside.unlink(missing_ok=True)
    beside.mkdir()
    for fresh in (False, True):
        with pytest.raises(StoreError, match=f"can't be written: {cause}"):
            Store(file, fresh=fresh).__enter__()
    beside.rmdir()
    with started(file) as after:
        after.sign_in(email)


def test_a_full_disk_at_the_first_start(file: Path) -> None:
    """The start says so, and the next one works."""
    with no_space(0), pytest.raises(StoreError, match="free some space"), started(file):
        pass
    with started(file) as pool:
        pool.member()
