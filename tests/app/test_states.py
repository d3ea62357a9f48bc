"""Every route in every state of an account: its answer, and that the person can still sign in.

A small model predicts the answers. Hypothesis walks through the states at random, and at the end of
every walk the person signs in: no state is a dead end.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from fido2.utils import websafe_encode
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from app.tokens import LEEWAY, RECENT
from infra.local.server import LocalCognito, LocalPool
from tests.support.contract import SESSION
from tests.support.passkey_device import PasskeyDevice
from tests.support.people import Person, admin
from tests.support.totp import totp

Told = tuple[int, str | None]

DONE: Told = (200, None)
NO_TOKEN: Told = (401, "invalid_token")
NO_REFRESH: Told = (401, "invalid_refresh_token")
WRONG: Told = (400, "invalid_credentials")
CHALLENGE: Told = (403, "challenge_required")
TAKEN: Told = (409, "email_taken")
NO_PASSWORD: Told = (409, "signs_in_with_google")
AGAIN: Told = (403, "reauthentication_required")
NO_PASSKEY: Told = (404, "passkey_not_found")
WRONG_CODE: Told = (400, "code_mismatch")

NEW_PASSWORD = "A-new-horse-10"


def told(answer: httpx.Response) -> Told:
    """Return the status and code of an answer."""
    return answer.status_code, answer.json().get("code")


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a JWT."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


class Walk(RuleBasedStateMachine):
    """One person's accounts and a model of them: a password account, a Google account, or both.

    `state`, `has_password`, `disabled`, `mfa` and `device`, which has its passkey, describe the
    password account.
    """

    def __init__(self, ada: Person, cognito: LocalCognito, pool: LocalPool) -> None:
        super().__init__()
        self.ada = ada
        self.cognito = cognito
        self.boto3 = admin(cognito, pool)
        self.who = {"UserPoolId": pool.user_pool_id, "Username": ada.email}
        self.state = "none"
        self.has_password = False
        self.disabled = False
        self.mfa = False
        self.device: PasskeyDevice | None = None
        self.google = False
        self.signed_in = False
        self.came_from_google = False
        self.code_in_mail = ""
        self.reset_in_mail = ""
        self.reset_mailed_at = 0.0
        self.signed_up_at = 0.0
        self.asked: httpx.Response | None = None
        self.sign_in_code = ""
        self.sign_in_code_works = False
        self.asked_at = 0.0

    # The model's predictions

    def app_code(self) -> str:
        """Return the code that her authenticator app shows."""
        return totp(self.ada.mfa_secret, self.cognito.clock.now())

    def session(self) -> bool:
        """Return whether the person's tokens are valid."""
        if self.came_from_google:
            return self.signed_in and self.google
        return self.signed_in and not self.disabled and self.state == "confirmed"

    def with_session(self) -> Told:
        """Return the answer of a route that needs a session."""
        return DONE if self.session() else NO_TOKEN

    def with_password(self) -> Told:
        """Return the answer of a route that needs a session of the account with her own address."""
        return NO_PASSWORD if self.session() and self.came_from_google else self.with_session()

    def recently(self, expected: Told) -> Told:
        """Return the answer of a route that needs a recent sign-in, and otherwise answers so.

        The app checks the token itself, before it asks Cognito whether the session is still alive.
        """
        token = self.ada.tokens.get("AccessToken")
        if not token:
            return NO_TOKEN
        claims = claims_of(token)
        age = self.cognito.clock.now() - claims["auth_time"]
        if RECENT - 1 < age < RECENT + 2:  # too close to call
            self.cognito.clock.advance(5)
            age += 5
        if self.cognito.clock.now() - LEEWAY >= claims["exp"]:
            return NO_TOKEN
        return AGAIN if age > RECENT else expected

    def password_session_ends(self) -> None:
        """End the session, unless it belongs to the Google account."""
        if not self.came_from_google:
            self.signed_in = False
            self.ada.tokens.clear()

    def sign_in(self) -> Told:
        """Return the answer to a sign-in with the right password."""
        if self.state == "none" or (self.disabled and self.state != "unconfirmed"):
            return WRONG
        return {
            "unconfirmed": (403, "user_not_confirmed"),
            "reset_required": (403, "password_reset_required"),
            "new_password_required": CHALLENGE,
            "confirmed": (CHALLENGE if self.mfa else DONE) if self.has_password else WRONG,
        }[self.state]

    def without_password(self) -> bool:
        """Return whether a passkey or an e-mailed code would do."""
        return self.state == "confirmed" and not self.mfa

    def still_lives(self, begun_at: float) -> bool:
        """Return whether a session of a sign-in has time left."""
        left = begun_at + SESSION.total_seconds() - self.cognito.clock.now()
        if 0 < left < 5:  # too close to call
            self.cognito.clock.advance(5)
        return left >= 5

    # Every route, at any time

    @rule()
    def signs_up(self) -> None:
        """Sign up, which succeeds if the address has no account yet."""
        self.has_signed_up(self.ada.signs_up(), has_password=True)

    @rule()
    def signs_up_without_a_password(self) -> None:
        """Sign up without a password, which succeeds in the same states."""
        answer = self.ada.signs_up(passwordless=True, password=None)
        self.has_signed_up(answer, has_password=False)

    @rule()
    def asks_for_the_code_again(self) -> None:
        """Ask for a new code. Every answer is the same; only unconfirmed accounts get mail."""
        self.an_hour_passes()
        assert told(self.ada.asks_for_the_code_again()) == DONE
        if self.state == "unconfirmed" and not self.disabled:
            self.code_in_mail = self.ada.code

    @rule()
    def confirms(self) -> None:
        """Confirm with the mailed code, which works once."""
        answer = told(self.ada.confirms(code=self.code_in_mail or "123456"))
        if self.state == "unconfirmed" and not self.disabled:
            assert answer == DONE
            self.state = "confirmed"
        elif self.state == "none":
            assert answer == WRONG_CODE
        else:
            assert answer == (409, "already_confirmed")

    @rule()
    def confirms_where_she_signed_up(self) -> None:
        """Confirm with the session of the sign-up, which signs in as well unless it is too old."""
        fresh = self.still_lives(self.signed_up_at)
        session, code = self.ada.session or "a" * 20, self.code_in_mail or "123456"
        answer = self.ada.confirms(code=code, session=session)
        if self.state == "unconfirmed" and not self.disabled:
            assert told(answer) == DONE
            assert ("body" in answer.json()) == fresh
            self.state = "confirmed"
            if fresh:
                self.signed_in, self.came_from_google = True, False
        elif self.state == "none":
            assert told(answer) == WRONG_CODE
        else:
            assert told(answer) == (409, "already_confirmed")

    @rule()
    def signs_in(self) -> None:
        """Sign in, with a second factor or a new password if the state requires it."""
        asked = self.ada.signs_in()
        assert told(asked) == self.sign_in()
        if told(asked) == CHALLENGE:
            self.takes_the_step(asked)
        if told(asked) in (DONE, CHALLENGE):
            self.signed_in, self.came_from_google = True, False
        else:
            self.lock_ends()

    @rule()
    def signs_in_with_a_passkey(self) -> None:
        """Sign in with the passkey, if there is one, and nothing more than it is needed."""
        begun = self.ada.begins_with_a_passkey()
        expected = DONE if self.device and self.without_password() else NO_PASSKEY
        assert told(begun) == expected
        if self.device and expected == DONE:
            rejected = (400, "passkey_rejected")
            answer = told(self.ada.signs_in_with(self.device))
            assert answer == (rejected if self.disabled else DONE)
            if answer == DONE:
                self.signed_in, self.came_from_google = True, False

    @rule()
    def asks_for_a_sign_in_code(self) -> None:
        """Ask for a code to sign in with. Every state answers alike; only some get mail."""
        self.an_hour_passes()
        self.asked = self.ada.asks_for_a_sign_in_code()
        assert told(self.asked) == DONE
        self.sign_in_code_works = self.without_password() and not self.disabled
        self.sign_in_code = self.ada.code if self.sign_in_code_works else "123456"
        self.asked_at = self.cognito.clock.now()

    @rule()
    def signs_in_with_a_code(self) -> None:
        """Ask for a code. A wrong one never signs in, and the right one if it was mailed."""
        self.asks_for_a_sign_in_code()
        assert self.asked
        assert told(self.ada.signs_in_by_code(self.asked, code="wrong")) == WRONG_CODE
        self.signs_in_with_an_old_code()

    @rule()
    def signs_in_with_an_old_code(self) -> None:
        """Sign in with the last code, which works once and not for long, and not in every state."""
        if self.asked is None:
            self.asks_for_a_sign_in_code()
        assert self.asked
        goes = self.sign_in_code_works and self.still_lives(self.asked_at)
        goes = goes and self.state == "confirmed" and not self.disabled
        answer = self.ada.signs_in_by_code(self.asked, code=self.sign_in_code)
        assert told(answer) == (DONE if goes else WRONG_CODE)
        if goes:
            self.signed_in, self.came_from_google = True, False
            self.sign_in_code_works = False
            again = self.ada.signs_in_by_code(self.asked, code=self.sign_in_code)
            assert told(again) == WRONG_CODE

    @rule()
    def continues_with_google(self) -> None:
        """Sign in with Google, unless a confirmed account with a password has the address."""
        free = self.google or self.state in ("none", "unconfirmed")
        assert told(self.ada.continues_with_google()) == (DONE if free else TAKEN)
        if free:
            self.google = self.signed_in = self.came_from_google = True

    @rule()
    def turns_back_at_google(self) -> None:
        """Cancel at Google, which changes nothing."""
        assert told(self.ada.continues_with_google("deny")) == (400, "sign_in_cancelled")

    @rule()
    def signs_in_with_a_wrong_password(self) -> None:
        """Sign in with a wrong password, which reveals at most a missing confirmation or reset."""
        answer = told(self.ada.signs_in(password="Wrong-horse-9"))
        if self.state == "unconfirmed":
            assert answer == (403, "user_not_confirmed")
        elif self.state == "reset_required" and not self.disabled:
            assert answer in (WRONG, (403, "password_reset_required"))
        else:
            assert answer == WRONG
        self.lock_ends()

    @rule()
    def refreshes(self) -> None:
        """Refresh, which succeeds while the session is active."""
        assert told(self.ada.refreshes()) == (DONE if self.session() else NO_REFRESH)

    @rule()
    def signs_out(self) -> None:
        """Sign out, which always succeeds while the session is active."""
        answer = told(self.ada.signs_out())
        assert answer in (DONE, NO_REFRESH)
        assert answer == DONE or not self.session()
        self.ada.tokens.clear()
        self.signed_in = False

    @rule()
    def signs_out_everywhere(self) -> None:
        """Sign out everywhere, which needs an active session and ends them all."""
        self.is_fresh()
        assert told(self.ada.signs_out_everywhere()) == self.with_session()
        self.signed_in = False

    @rule()
    def looks_in_the_mirror(self) -> None:
        """Read the account, which succeeds while the session is active."""
        self.is_fresh()
        seen = self.ada.looks_in_the_mirror()
        assert told(seen) == self.with_session()
        if self.session():
            ways = {"password": self.has_password, "passkey": self.device and not self.mfa}
            hers = [way for way, works in ways.items() if works]
            expected = ["google"] if self.came_from_google else hers
            assert seen.json()["body"]["signsInWith"] == expected

    @rule()
    def changes_the_name(self) -> None:
        """Set a name, which succeeds while the session is active, with Google too."""
        self.is_fresh()
        changed = self.ada.changes_the_name("Ada")
        assert told(changed) == self.with_session()
        if self.session():
            assert changed.json()["body"]["name"] == "Ada"

    @rule()
    def changes_the_address(self) -> None:
        """Ask for a code to another address, which changes nothing yet."""
        self.is_fresh()
        expected = self.recently(self.with_password())
        assert told(self.ada.changes_the_email(f"new.{self.ada.email}")) == expected

    @rule()
    def forgets_the_password(self) -> None:
        """Ask for a reset. Every state gets the same answer.

        An account that can be reset gets a reset code; an unconfirmed one, a confirmation code.
        """
        self.an_hour_passes()
        assert told(self.ada.forgets_the_password()) == DONE
        if self.disabled or self.state in ("none", "new_password_required"):
            return
        if self.state == "unconfirmed":
            self.code_in_mail = self.ada.code
        else:
            self.reset_in_mail = self.ada.code
            self.reset_mailed_at = self.cognito.clock.now()

    @rule()
    def resets_the_password(self) -> None:
        """Reset with the mailed code, which works once and ends sessions unless MFA is on."""
        if self.cognito.clock.now() > self.reset_mailed_at + 55 * 60:  # soon too old
            self.an_hour_passes()
        code = self.reset_in_mail or "12345x"
        answer = told(self.ada.resets_the_password(code=code))
        if self.reset_in_mail and not self.disabled:
            assert answer == DONE
            self.state, self.has_password = "confirmed", True
            self.signed_in = self.signed_in and (self.mfa or self.came_from_google)
        else:
            assert answer == WRONG_CODE
        self.reset_in_mail = ""

    @rule()
    def changes_the_password(self) -> None:
        """Change the password, which needs an active session and the current password."""
        self.is_fresh()
        self.an_hour_passes()
        self.is_fresh()
        expected = self.with_password()
        if expected == DONE and not self.has_password:
            expected = WRONG
        assert told(self.ada.changes_the_password()) == expected

    @rule()
    def adds_a_passkey(self) -> None:
        """Add a passkey, which needs an active session and a recent sign-in."""
        self.is_fresh()
        expected = self.recently(self.with_password())
        begun = self.ada.begins_a_passkey()
        assert told(begun) == expected
        if expected == DONE and not self.device:
            self.device = PasskeyDevice()
            assert told(self.ada.adds_a_passkey(self.device)) == DONE

    @rule()
    def lists_the_passkeys(self) -> None:
        """List them, which needs an active session."""
        self.is_fresh()
        listed = self.ada.lists_the_passkeys()
        assert told(listed) == self.with_session()
        if self.session():
            has = bool(self.device) and not self.came_from_google
            assert len(listed.json()["body"]["passkeys"]) == has

    @rule()
    def removes_the_passkey(self) -> None:
        """Remove it, which needs an active session and a recent sign-in."""
        self.is_fresh()
        has = self.device and not self.came_from_google
        id_ = websafe_encode(self.device.credential_id) if self.device else "none"
        expected = self.recently(self.with_session())
        if expected == DONE:
            expected = DONE if has else NO_PASSKEY
        assert told(self.ada.removes_a_passkey(id_)) == expected
        if expected == DONE:
            self.device = None

    @rule()
    def sets_up_a_second_factor(self) -> None:
        """Set up a second factor, which needs an active session and a recent sign-in."""
        self.is_fresh()
        expected = self.recently(self.with_password())
        answer = self.ada.sets_up_mfa()
        assert told(answer) == expected
        if expected == DONE:
            self.cognito.clock.advance(30)
            assert told(self.ada.verifies_mfa(self.app_code())) == DONE
            self.mfa = True
            self.sign_in_code_works = False  # AWS doesn't document what a code is worth now
            self.asked = None

    @rule()
    def removes_the_second_factor(self) -> None:
        """Remove the second factor, which needs an active session and a recent sign-in."""
        self.is_fresh()
        expected = self.recently(self.with_password())
        assert told(self.ada.removes_mfa()) == expected
        self.mfa = self.mfa and expected != DONE

    @rule()
    def deletes_the_account(self) -> None:
        """Delete the account, which needs a recent sign-in and frees the address."""
        self.is_fresh()
        expected = self.recently(self.with_session())
        assert told(self.ada.deletes_the_account()) == expected
        if expected == DONE and self.came_from_google:
            self.google, self.signed_in = False, False
        elif expected == DONE:
            self.state, self.signed_in, self.mfa, self.reset_in_mail = "none", False, False, ""
            self.has_password, self.device, self.sign_in_code_works = False, None, False

    # An administrator's actions

    @precondition(lambda self: self.state == "confirmed")
    @rule()
    def is_disabled(self) -> None:
        """Disable the account: it stays, but its owner can't sign in."""
        self.boto3.admin_disable_user(**self.who)
        self.boto3.admin_user_global_sign_out(**self.who)
        self.disabled = True
        self.signed_in = self.signed_in and self.came_from_google

    @precondition(lambda self: self.disabled)
    @rule()
    def is_enabled(self) -> None:
        """Enable the account again."""
        self.boto3.admin_enable_user(**self.who)
        self.disabled = False

    @precondition(lambda self: self.state == "confirmed" and not self.disabled)
    @rule()
    def must_reset_the_password(self) -> None:
        """Require a reset, which mails a code."""
        self.boto3.admin_reset_user_password(**self.who)
        self.state, self.reset_in_mail = "reset_required", self.ada.code
        self.reset_mailed_at = self.cognito.clock.now()
        self.password_session_ends()

    @precondition(lambda self: self.state == "confirmed" and not self.disabled)
    @rule()
    def gets_a_temporary_password(self) -> None:
        """Set a temporary password, which must be replaced at the next sign-in."""
        self.ada.password = "Temporary-horse-9"
        self.boto3.admin_set_user_password(**self.who, Password=self.ada.password, Permanent=False)
        self.state, self.reset_in_mail = "new_password_required", ""
        self.has_password, self.asked = True, None  # AWS doesn't document what a code is worth now
        self.password_session_ends()

    # The end of a walk, in any state

    def teardown(self) -> None:
        """Sign in: with Google if that is the only account, otherwise with the password, or a code.

        With a second factor and no password, a new password is the way back.
        """
        if self.disabled:
            self.is_enabled()
        if self.state == "none" and self.google:
            self.continues_with_google()
            assert told(self.ada.looks_in_the_mirror()) == DONE
            return
        if self.state == "none":
            self.signs_up()
        if self.state == "unconfirmed":
            self.asks_for_the_code_again()
            self.confirms()
        if not self.has_password and self.without_password():
            self.signs_in_with_a_code()
            assert told(self.ada.looks_in_the_mirror()) == DONE
            return
        if self.state == "reset_required" or not self.has_password:
            self.forgets_the_password()
            self.resets_the_password()
        self.signs_in()
        assert told(self.ada.looks_in_the_mirror()) == DONE

    @rule()
    def time_passes(self) -> None:
        """Let six minutes pass, after which the sign-in isn't recent any more."""
        self.cognito.clock.advance(timedelta(minutes=6))

    # Helpers

    def has_signed_up(self, answer: httpx.Response, *, has_password: bool) -> None:
        """Check the answer of a sign-up, which may have begun an account."""
        expected = TAKEN if self.google or self.state != "none" else DONE
        assert told(answer) == expected
        if expected == DONE:
            self.state, self.code_in_mail = "unconfirmed", self.ada.code
            self.has_password = has_password
            self.signed_up_at = self.cognito.clock.now()

    def takes_the_step(self, asked: httpx.Response) -> None:
        """Answer a challenge and any that follow."""
        if asked.json()["challenge"] == "NEW_PASSWORD_REQUIRED":
            answer = self.ada.answers(asked, newPassword=NEW_PASSWORD)
            self.ada.password, self.state = NEW_PASSWORD, "confirmed"
        else:
            self.cognito.clock.advance(30)  # a code works once
            answer = self.ada.answers(asked, code=self.app_code())
        if told(answer) == CHALLENGE:
            self.takes_the_step(answer)
        else:
            assert told(answer) == DONE

    def an_hour_passes(self) -> None:
        """Advance the clock: Cognito's limits count by the hour, and reset codes expire."""
        self.cognito.clock.advance(timedelta(hours=1))
        self.reset_in_mail = ""

    def lock_ends(self) -> None:
        """Advance the clock past the lock that wrong passwords lead to."""
        self.cognito.clock.advance(timedelta(minutes=16))

    def is_fresh(self) -> None:
        """Refresh the access token, which expires after 3 hours."""
        if self.session():
            assert told(self.ada.refreshes()) == DONE


ROUTES = [
    "signs_up",
    "signs_up_without_a_password",
    "asks_for_the_code_again",
    "confirms",
    "confirms_where_she_signed_up",
    "signs_in",
    "signs_in_with_a_wrong_password",
    "signs_in_with_a_passkey",
    "signs_in_with_a_code",
    "signs_in_with_an_old_code",
    "continues_with_google",
    "turns_back_at_google",
    "refreshes",
    "signs_out",
    "signs_out_everywhere",
    "looks_in_the_mirror",
    "changes_the_name",
    "changes_the_address",
    "forgets_the_password",
    "resets_the_password",
    "changes_the_password",
    "adds_a_passkey",
    "lists_the_passkeys",
    "removes_the_passkey",
    "sets_up_a_second_factor",
    "removes_the_second_factor",
    "deletes_the_account",
]
STATES = {
    "none": [],
    "unconfirmed": ["signs_up"],
    "unconfirmed and forgot": ["signs_up", "forgets_the_password"],
    "confirmed": ["signs_up", "confirms"],
    "signed in": ["signs_up", "confirms", "signs_in"],
    "signed in by confirming": ["signs_up", "confirms_where_she_signed_up"],
    "MFA on a while ago": [
        "signs_up",
        "confirms",
        "signs_in",
        "sets_up_a_second_factor",
        "time_passes",
    ],
    "forgot": ["signs_up", "confirms", "forgets_the_password"],
    "reset required, after a code": [
        "signs_up",
        "confirms",
        "signs_in_with_a_code",
        "asks_for_a_sign_in_code",
        "must_reset_the_password",
    ],
    "new password required": ["signs_up", "confirms", "signs_in", "gets_a_temporary_password"],
    "MFA on": ["signs_up", "confirms", "signs_in", "sets_up_a_second_factor"],
    "passkey": ["signs_up", "confirms", "signs_in", "adds_a_passkey"],
    "passkey and MFA": [
        "signs_up",
        "confirms",
        "signs_in",
        "adds_a_passkey",
        "sets_up_a_second_factor",
    ],
    "passkey, disabled after a code": [
        "signs_up",
        "confirms",
        "signs_in",
        "adds_a_passkey",
        "asks_for_a_sign_in_code",
        "is_disabled",
    ],
    "no password, unconfirmed": ["signs_up_without_a_password"],
    "no password, passkey": [
        "signs_up_without_a_password",
        "confirms_where_she_signed_up",
        "adds_a_passkey",
    ],
    "no password, MFA on": [
        "signs_up_without_a_password",
        "confirms_where_she_signed_up",
        "sets_up_a_second_factor",
    ],
    "disabled": ["signs_up", "confirms", "signs_in", "is_disabled"],
    "deleted": ["signs_up", "confirms", "signs_in", "deletes_the_account"],
    "Google": ["continues_with_google"],
    "Google a while ago": ["continues_with_google", "time_passes"],
    "Google, signed out": ["continues_with_google", "signs_out"],
    "Google, deleted": ["continues_with_google", "deletes_the_account"],
    "Google, and unconfirmed": ["signs_up", "continues_with_google"],
    "Google, and confirmed": ["signs_up", "continues_with_google", "confirms"],
    "confirmed, and Google": ["signs_up", "continues_with_google", "confirms", "signs_in"],
}


@pytest.mark.parametrize("way", STATES.values(), ids=STATES)
def test_every_route_in_every_state(
    way: list[str], person: Callable[[], Person], cognito: LocalCognito, pool: LocalPool
) -> None:
    """A new person calls each route in each state, and can sign in at the end."""
    for route in ROUTES:
        walk = Walk(person(), cognito, pool)
        for step in (*way, route):
            getattr(walk, step)()
        walk.teardown()


def test_no_state_is_a_dead_end(
    person: Callable[[], Person], cognito: LocalCognito, pool: LocalPool
) -> None:
    """On random walks, every answer is as predicted and the person can always sign in."""

    def start() -> Any:
        return Walk(person(), cognito, pool)

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        start,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
