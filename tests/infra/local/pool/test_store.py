"""The store, which keeps users and sessions when the process ends, even if it is killed."""

import json
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import jwt
import pytest

from infra.local.pool.store import Store, StoreError
from tests.strain.kills import Kills
from tests.support.contract import PASSWORD, Contract, refused
from tests.support.contract_google import attributes, google_tokens
from tests.support.contract_mfa import answer, app_code, set_up
from tests.support.passkey_device import PasskeyDevice
from tests.support.restarts import started

OTHER_PASSWORD = "Another-Horse-2"


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


def test_what_is_under_way_survives_a_restart(file: Path) -> None:
    """An address that is to be verified, an invitation's end and a second factor by e-mail."""
    settings = {
        "pool": {
            "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]}
        },
        "mfa": {"MfaConfiguration": "OPTIONAL", "EmailMfaConfiguration": {}},
    }
    with started(file, **settings) as before:
        moving, careful, invited, other = (before.address() for _ in range(4))
        for email in (moving, careful):
            before.sign_up_and_confirm(email, PASSWORD)
        token = before.tokens(moving)["AccessToken"]
        change = [{"Name": "email", "Value": other}]
        before.users.update_user_attributes(AccessToken=token, UserAttributes=change)
        on = {"Enabled": True, "PreferredMfa": True}
        before.administer("admin_set_user_mfa_preference", careful, EmailMfaSettings=on)
        before.administer("admin_create_user", invited)
    with started(file, **settings) as after:
        assert after.user(moving)["email"] == moving
        after.users.verify_user_attribute(
            AccessToken=token, AttributeName="email", Code=after.code(other)
        )
        assert after.user(other)["email"] == other
        challenge = after.sign_in(careful)
        assert challenge["ChallengeName"] == "EMAIL_OTP"
        temporary = after.code(invited)
        assert after.sign_in(invited, temporary)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
        after.local.clock.advance(timedelta(days=7))
        with refused(
            "NotAuthorized", "Temporary password has expired and must be reset by an administrator."
        ):
            after.sign_in(invited, temporary)


def test_the_users_of_a_deleted_pool_do_not_return(file: Path) -> None:
    """They are deleted with it, and so are their sessions."""
    with started(file) as before:
        email = before.member()
        before.tokens(email)
        before.admin.delete_user_pool(UserPoolId=before.pool.user_pool_id)
    assert {name for name, _, _ in rows(file)} == {"mails", "signing key"}
    with started(file) as after, refused("UserNotFound"):
        after.user(email)


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


def test_sessions_survive_a_restart(file: Path) -> None:
    """All tokens are still valid, also one that was rotated, until they would have ended anyway."""
    with started(file) as before:
        email = before.member()
        tokens = before.tokens(email)
        newer = before.refresh(tokens["RefreshToken"])
    with started(file) as after:
        after.users.get_user(AccessToken=tokens["AccessToken"])
        after.refresh(tokens["RefreshToken"])  # within the grace period
        after.refresh(newer["RefreshToken"])
        after.local.clock.advance(30)
        with refused("RefreshTokenReuse"):
            after.refresh(tokens["RefreshToken"])


def test_ended_sessions_stay_ended(file: Path) -> None:
    """A restart revives no session: not after sign-out on one device or on all, nor reuse."""
    with started(file) as before:
        one, everywhere = (before.tokens(before.member()) for _ in range(2))
        before.revoke(one["RefreshToken"])
        before.users.global_sign_out(AccessToken=everywhere["AccessToken"])
        deleted = before.tokens(before.member())
        before.users.delete_user(AccessToken=deleted["AccessToken"])
    with started(file) as after:
        for tokens in (one, everywhere, deleted):
            with refused("NotAuthorized"):
                after.refresh(tokens["RefreshToken"])
        for tokens in (one, everywhere):
            with refused("NotAuthorized", "Access Token has been revoked"):
                after.users.get_user(AccessToken=tokens["AccessToken"])
        with refused("UserNotFound"):
            after.users.get_user(AccessToken=deleted["AccessToken"])


def test_sessions_that_ended_long_ago_are_dropped(file: Path) -> None:
    """The file doesn't grow with every sign-in for ever."""
    with started(file) as before:
        email = before.member()
        for _ in range(3):
            before.tokens(email)
        before.local.clock.advance(31 * 24 * 60 * 60 + 1)
        kept = before.tokens(email)["RefreshToken"]
    with started(file) as after:
        after.refresh(kept)
    assert len([row for row in rows(file) if row[0].startswith("sessions/")]) == 1


def test_the_clock_survives_a_restart(file: Path) -> None:
    """Time doesn't go back behind what sessions and locks know. Forgetting everything resets it."""
    with started(file) as before:
        press(before, "clock", step="1 day")
        token = before.tokens(before.member())["AccessToken"]
    with started(file) as after:
        issued = jwt.decode(token, options={"verify_signature": False})["iat"]
        assert 0 <= after.local.clock.now() - issued < 60 * 60
        press(after, "forget")
        assert after.local.clock.ahead == 0


def press(contract: Contract, button: str, **body: str) -> None:
    """Press a button of the console."""
    url = contract.local.url
    pressed = httpx.post(f"{url}/console/{button}", json=body, headers={"Origin": url})
    assert pressed.status_code == 200, pressed.text


def rows(file: Path) -> list[tuple[str, str, str]]:
    """Return all that a store keeps, while no process holds it."""
    with closing(sqlite3.connect(file)) as database:
        return database.execute("SELECT name, key, value FROM records").fetchall()


def test_pools_are_told_apart_by_name(file: Path) -> None:
    """Pools don't share users, and storing one pool doesn't drop another."""
    with started(file, "first") as before:
        email = before.member()
    with started(file, "second") as other:
        other.sign_up(email)
    with started(file, "first") as after:
        after.sign_in(email)


def test_the_files_are_private(file: Path) -> None:
    """Only the owner may read them, and no password or refresh token is in them."""
    with started(file) as before:
        email = before.member()
        refresh_token = before.tokens(email)["RefreshToken"]
        before.administer("admin_set_user_password", email, Password=OTHER_PASSWORD, Permanent=True)
        before.admin.admin_create_user(
            UserPoolId=before.pool.user_pool_id,
            Username=before.address(),
            TemporaryPassword="Temporary-Horse-3",
            MessageAction="SUPPRESS",  # an e-mail is kept as it was sent
        )
        parts = [path for path in file.parent.iterdir() if path.stat().st_size]
        assert {path.name for path in parts} == {"users.db", "users.db-wal"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in parts} == {0o600}
        content = b"".join(path.read_bytes() for path in parts)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert email.encode() in content
    for secret in (PASSWORD, OTHER_PASSWORD, "Temporary-Horse-3", refresh_token):
        assert secret.encode() not in content


def test_kills_lose_nothing(file: Path) -> None:
    """What was answered is there after kills at random moments. tests/strain makes 200."""
    kills = Kills(file)
    kills.run(3)
    assert kills.faults == []
    assert kills.answered >= 3


def test_fresh_forgets_everything(file: Path) -> None:
    """There are no users, e-mails or sessions, and the key is another one."""
    with started(file) as before:
        token = before.tokens(before.member())["AccessToken"]
    with started(file, fresh=True) as after:
        assert after.local.outbox.to_json() == []
        assert after.admin.list_users(UserPoolId=after.pool.user_pool_id)["Users"] == []
        with refused("NotAuthorized", "Invalid Access Token"):
            after.users.get_user(AccessToken=token)
    assert not file.with_name("users.db.1").exists()


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
    """A person who signs in again is the same user, and nobody else gets the address."""
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


def test_passkeys_survive_a_restart(file: Path) -> None:
    """A passkey still signs in, and a copy of it still doesn't."""
    device = PasskeyDevice()
    with started(file) as before:
        email = before.member()
        token = before.tokens(email)["AccessToken"]
        begun = before.users.start_web_authn_registration(AccessToken=token)
        made = device.create(begun["CredentialCreationOptions"])
        before.users.complete_web_authn_registration(AccessToken=token, Credential=made)
        copy = device.copy()
        signs_in_with(before, email, device)
    with started(file) as after:
        signs_in_with(after, email, device)
        with refused("NotAuthorized"):
            signs_in_with(after, email, copy)


def signs_in_with(contract: Contract, email: str, device: PasskeyDevice) -> None:
    """Sign in with a passkey."""
    asked = contract.initiate("USER_AUTH", USERNAME=email, PREFERRED_CHALLENGE="WEB_AUTHN")
    options = json.loads(asked["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"])
    contract.respond(asked, USERNAME=email, CREDENTIAL=json.dumps(device.get(options)))


def test_users_from_before_passkeys(file: Path) -> None:
    """A file that an earlier version wrote has no passkeys, and is still read."""
    with started(file) as before:
        email = before.member()
    with closing(sqlite3.connect(file)) as database, database:
        changed = database.execute(
            "UPDATE records SET value = json_remove(value, '$.account.passkeys')"
            " WHERE json_extract(value, '$.account.passkeys') IS NOT NULL"
        )
        assert changed.rowcount == 1
    with started(file) as after:
        after.sign_in(email)
