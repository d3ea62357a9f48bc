"""The store, which keeps users when the process ends, even if it is killed."""

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.pool.store import Store, StoreError
from infra.local.server import LocalCognito
from tests.support.contract import PASSWORD, Contract, refused
from tests.support.contract_google import attributes, google_tokens
from tests.support.contract_mfa import answer, app_code, set_up

# Signs up users until it is killed, and prints each address after the answer.
SIGNS_UP = """
import sys
from pathlib import Path
from infra.local.server import LocalCognito
from infra.local.pool.store import Store
from tests.support.contract import Contract

with Store(Path(sys.argv[1])) as store, LocalCognito(store=store) as cognito:
    contract = Contract(cognito.create_pool(), cognito)
    while True:
        email = contract.address()
        contract.sign_up(email)
        print(email, flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a store; its folder doesn't exist yet."""
    return tmp_path / "local" / "users.json"


@contextmanager
def started(file: Path, name: str | None = None) -> Iterator[Contract]:
    """Run a local Cognito on a store for the length of a `with` block."""
    with Store(file) as store, LocalCognito(store=store) as cognito:
        yield Contract(cognito.create_pool(name), cognito)


def test_users_survive_a_restart(file: Path) -> None:
    """After a restart, a user can sign in and has the same attributes."""
    with started(file) as before:
        email = before.member()
        known = before.user(email)
    with started(file) as after:
        again = after.user(email)
        after.sign_in(email)
    for name in ("Username", "UserStatus", "Enabled", "email_verified", "UserCreateDate"):
        assert again[name] == known[name]


def test_pending_codes_survive_a_restart(file: Path) -> None:
    """The code and the e-mail that carries it are still there."""
    with started(file) as before:
        email = before.address()
        before.sign_up(email)
    with started(file) as after:
        after.confirm(email, after.code(email))


def test_locks_survive_a_restart(file: Path) -> None:
    """A restart undoes neither a lock nor an administrator's changes."""
    with started(file) as before:
        email, other = before.member(), before.member()
        for _ in range(5):
            with refused("NotAuthorized"):
                before.sign_in(email, "Wrong-Horse-1")
        account = before.local.account(before.user(email)["sub"])
        before.admin.admin_disable_user(UserPoolId=before.pool.user_pool_id, Username=other)
    with started(file) as after:
        assert after.local.account(after.user(email)["sub"]) == account
        with refused("NotAuthorized", "User is disabled."):
            after.sign_in(other)


def test_sessions_end_with_the_process(file: Path) -> None:
    """No token is stored, so a refresh after a restart is refused."""
    with started(file) as before:
        token = before.sign_in(before.member())["AuthenticationResult"]["RefreshToken"]
    with started(file) as after, refused("NotAuthorized"):
        after.refresh(token)


def test_pools_are_told_apart_by_name(file: Path) -> None:
    """Pools don't share users, and storing one pool doesn't drop another."""
    with started(file, "first") as before:
        email = before.member()
    with started(file, "second") as other:
        other.sign_up(email)
    with started(file, "first") as after:
        after.sign_in(email)


def test_the_file_is_private(file: Path) -> None:
    """Only the owner may read it, and no password is in it."""
    with started(file) as before:
        before.member()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert PASSWORD not in file.read_text()


def test_reading_writes_nothing(file: Path) -> None:
    """The file is written when something has changed, not at every request."""
    with started(file) as before:
        email = before.member()
        written = file.stat().st_mtime_ns
        before.user(email)
        assert file.stat().st_mtime_ns == written


@pytest.mark.parametrize("signals", [3])
def test_a_kill_loses_no_user(file: Path, signals: int) -> None:
    """Every user whose sign-up was answered is still there after a kill."""
    signed_up: list[str] = []
    for _ in range(signals):
        process = subprocess.Popen(
            [sys.executable, "-c", SIGNS_UP, str(file)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        with process, process.stdout:
            signed_up += [process.stdout.readline().strip() for _ in range(7)]
            process.send_signal(signal.SIGKILL)
            signed_up += process.stdout.read().split()
    with started(file) as after:
        for email in signed_up:
            assert after.user(email)["UserStatus"] == "UNCONFIRMED"


USER = {"sub": "s", "username": "u", "password": None, "status": "CONFIRMED", "attributes": []}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"format": 2}',
        '{"format": 1, "pools": {}, "mails": []}',
        '{"format": 2, "pools": {"local": [{}]}, "mails": []}',
        json.dumps({"format": 2, "pools": {"local": [USER]}, "mails": []}),
        '{"format": 2, "pools": {}, "mails": [{}]}',
        '{"format": 2, "pools": [], "mails": []}',
        "\udcff",
    ],
)
def test_a_foreign_file_is_left_alone(file: Path, text: str) -> None:
    """A file that isn't ours, or is damaged, stops the start with one line and isn't changed."""
    file.parent.mkdir()
    content = text.encode("utf-8", "surrogateescape")
    file.write_bytes(content)
    with pytest.raises(StoreError, match="make run FRESH=1") as caught, started(file):
        pass
    assert "\n" not in str(caught.value)
    assert file.read_bytes() == content


def test_fresh_starts_without_users(file: Path) -> None:
    """`fresh` starts with an empty store, even if the file is damaged."""
    file.parent.mkdir()
    file.write_text("{")
    with Store(file, fresh=True) as store:
        assert store.load() == {"format": 2, "pools": {}, "mails": []}


def test_one_process_at_a_time(file: Path) -> None:
    """A second process is refused: it would overwrite the first one's users."""
    with Store(file), pytest.raises(StoreError, match="in use"), Store(file):
        pass
    with Store(file):
        pass


def test_recovery_codes_survive_a_restart(file: Path) -> None:
    """A code that was e-mailed before the restart resets the password after it."""
    with started(file) as before:
        email = before.member()
        before.forgot(email)
    with started(file) as after:
        after.reset(email, after.code(email), "Another-Horse-2")


def test_users_of_google_survive_a_restart(file: Path) -> None:
    """Whoever signs in again is the same person, and nobody else gets the address."""
    with started(file) as before:
        email = before.address()
        known = attributes(before, google_tokens(before, email))
    with started(file) as after:
        assert after.user(known["Username"])["UserStatus"] == "EXTERNAL_PROVIDER"
        groups = after.administer("admin_list_groups_for_user", known["Username"])["Groups"]
        assert [group["GroupName"] for group in groups] == [f"{after.pool.user_pool_id}_Google"]
        with refused("UserLambdaValidation"):
            after.sign_up(email)
        assert attributes(after, google_tokens(after, email)) == known


def test_authenticator_apps_survive_a_restart(file: Path) -> None:
    """The pool keeps the app's secret, and a used code stays used."""
    with started(file) as before:
        email, secret, _ = set_up(before)
        challenge, code = before.sign_in(email), app_code(before, secret)
        answer(before, email, challenge, code)
    with started(file) as after:
        after.local.clock.advance(30)  # the first one's clock was this far ahead
        challenge = after.sign_in(email)
        with refused("ExpiredCode"):
            answer(after, email, challenge, code)
        after.local.clock.advance(30)
        answer(after, email, challenge, app_code(after, secret))
