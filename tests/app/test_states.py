"""Every state an account can be in, and from each every route: what comes out, and a way on.

A small model says what must be answered; hypothesis walks at random, and at the end of every walk
the person gets in, whatever happened: no state is a dead end.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from infra.local.server import LocalCognito, LocalPool
from tests.support.people import Person, admin
from tests.support.totp import totp

Told = tuple[int, str | None]

DONE: Told = (200, None)
NO_TOKEN: Told = (401, "invalid_token")
NO_REFRESH: Told = (401, "invalid_refresh_token")
WRONG: Told = (400, "invalid_credentials")
CHALLENGE: Told = (403, "challenge_required")

NEW_PASSWORD = "A-new-horse-10"


def told(answer: httpx.Response) -> Told:
    """What an answer amounts to."""
    return answer.status_code, answer.json().get("code")


class Walk(RuleBasedStateMachine):
    """One person's account, and the model of it."""

    def __init__(self, ada: Person, cognito: LocalCognito, pool: LocalPool) -> None:
        super().__init__()
        self.ada = ada
        self.cognito = cognito
        self.boto3 = admin(cognito, pool)
        self.who = {"UserPoolId": pool.user_pool_id, "Username": ada.email}
        self.state = "none"
        self.disabled = False
        self.mfa = False
        self.signed_in = False
        self.code_in_mail = ""
        self.reset_in_mail = ""

    # What the model says

    def app_code(self) -> str:
        """Return what her authenticator app shows."""
        return totp(self.ada.mfa_secret, self.cognito.clock.now())

    def session(self) -> bool:
        """Whether the person's tokens are good."""
        return self.signed_in and not self.disabled and self.state == "confirmed"

    def sign_in(self) -> Told:
        """What signing in with the right password leads to."""
        if self.state == "none" or (self.disabled and self.state != "unconfirmed"):
            return WRONG
        return {
            "unconfirmed": (403, "user_not_confirmed"),
            "reset_required": (403, "password_reset_required"),
            "new_password_required": CHALLENGE,
            "confirmed": CHALLENGE if self.mfa else DONE,
        }[self.state]

    # Every route, at any time

    @rule()
    def signs_up(self) -> None:
        """None has an account yet, or it is taken."""
        expected = DONE if self.state == "none" else (409, "email_taken")
        assert told(self.ada.signs_up()) == expected
        if self.state == "none":
            self.state, self.code_in_mail = "unconfirmed", self.ada.code

    @rule()
    def asks_for_the_code_again(self) -> None:
        """The answer says nothing; only an unconfirmed account gets mail."""
        self.an_hour_passes()
        assert told(self.ada.asks_for_the_code_again()) == DONE
        if self.state == "unconfirmed" and not self.disabled:
            self.code_in_mail = self.ada.code

    @rule()
    def confirms(self) -> None:
        """The mailed code confirms, once."""
        answer = told(self.ada.confirms(code=self.code_in_mail or "123456"))
        if self.state == "unconfirmed" and not self.disabled:
            assert answer == DONE
            self.state = "confirmed"
        elif self.state == "none":
            assert answer == (400, "code_mismatch")
        else:
            assert answer == (409, "already_confirmed")

    @rule()
    def signs_in(self) -> None:
        """As the state says; a second factor or a new password is a step more."""
        asked = self.ada.signs_in()
        assert told(asked) == self.sign_in()
        if told(asked) == CHALLENGE:
            self.takes_the_step(asked)
        self.signed_in = self.signed_in or told(asked) in (DONE, CHALLENGE)

    @rule()
    def signs_in_with_a_wrong_password(self) -> None:
        """Never more is told than with an unknown address, but that it isn't confirmed."""
        answer = told(self.ada.signs_in(password="Wrong-horse-9"))
        if self.state == "unconfirmed":
            assert answer == (403, "user_not_confirmed")
        elif self.state == "reset_required" and not self.disabled:
            assert answer in (WRONG, (403, "password_reset_required"))
        else:
            assert answer == WRONG
        self.cognito.clock.advance(timedelta(minutes=16))  # no lock

    @rule()
    def refreshes(self) -> None:
        """A living session goes on."""
        assert told(self.ada.refreshes()) == (DONE if self.session() else NO_REFRESH)

    @rule()
    def signs_out(self) -> None:
        """It is fine, whatever the session's state."""
        answer = told(self.ada.signs_out())
        assert answer in (DONE, NO_REFRESH)
        assert answer == DONE or not self.session()
        self.ada.tokens.clear()
        self.signed_in = False

    @rule()
    def signs_out_everywhere(self) -> None:
        """It needs a living session, and leaves none."""
        self.is_fresh()
        assert told(self.ada.signs_out_everywhere()) == (DONE if self.session() else NO_TOKEN)
        self.signed_in = False

    @rule()
    def looks_in_the_mirror(self) -> None:
        """Who one is, as long as the session lives."""
        self.is_fresh()
        assert told(self.ada.looks_in_the_mirror()) == (DONE if self.session() else NO_TOKEN)

    @rule()
    def forgets_the_password(self) -> None:
        """The answer says nothing; whoever can reset gets a code, the unconfirmed theirs again."""
        self.an_hour_passes()
        assert told(self.ada.forgets_the_password()) == DONE
        if self.disabled or self.state in ("none", "new_password_required"):
            return
        if self.state == "unconfirmed":
            self.code_in_mail = self.ada.code
        else:
            self.reset_in_mail = self.ada.code

    @rule()
    def resets_the_password(self) -> None:
        """The mailed code resets, once, and ends every session it can."""
        if not self.reset_in_mail:
            self.an_hour_passes()
        code = self.reset_in_mail or "12345x"
        answer = told(self.ada.resets_the_password(code=code))
        if self.reset_in_mail and not self.disabled:
            assert answer == DONE
            self.state = "confirmed"
            self.signed_in = self.signed_in and self.mfa
        else:
            assert answer == (400, "code_mismatch")
        self.reset_in_mail = ""

    @rule()
    def changes_the_password(self) -> None:
        """With a living session and the current one."""
        self.is_fresh()
        self.an_hour_passes()
        self.is_fresh()
        assert told(self.ada.changes_the_password()) == (DONE if self.session() else NO_TOKEN)

    @rule()
    def sets_up_a_second_factor(self) -> None:
        """Optional, for who is signed in."""
        self.is_fresh()
        answer = self.ada.sets_up_mfa()
        assert told(answer) == (DONE if self.session() else NO_TOKEN)
        if self.session():
            self.cognito.clock.advance(30)
            assert told(self.ada.verifies_mfa(self.app_code())) == DONE
            self.mfa = True

    @rule()
    def removes_the_second_factor(self) -> None:
        """Likewise."""
        self.is_fresh()
        assert told(self.ada.removes_mfa()) == (DONE if self.session() else NO_TOKEN)
        self.mfa = self.mfa and not self.session()

    @rule()
    def deletes_the_account(self) -> None:
        """Then there is none, and the address is free."""
        self.is_fresh()
        assert told(self.ada.deletes_the_account()) == (DONE if self.session() else NO_TOKEN)
        if self.session():
            self.state, self.signed_in, self.mfa, self.reset_in_mail = "none", False, False, ""

    # What an administrator does

    @precondition(lambda self: self.state == "confirmed")
    @rule()
    def is_disabled(self) -> None:
        """The account is there, and its owner is kept out."""
        self.boto3.admin_disable_user(**self.who)
        self.boto3.admin_user_global_sign_out(**self.who)
        self.disabled, self.signed_in = True, False

    @precondition(lambda self: self.disabled)
    @rule()
    def is_enabled(self) -> None:
        """And let in again."""
        self.boto3.admin_enable_user(**self.who)
        self.disabled = False

    @precondition(lambda self: self.state == "confirmed" and not self.disabled)
    @rule()
    def must_reset_the_password(self) -> None:
        """An administrator asks for it; a code comes by mail."""
        self.boto3.admin_reset_user_password(**self.who)
        self.state, self.signed_in, self.reset_in_mail = "reset_required", False, self.ada.code
        self.ada.tokens.clear()

    @precondition(lambda self: self.state == "confirmed" and not self.disabled)
    @rule()
    def gets_a_temporary_password(self) -> None:
        """To be replaced at the next sign-in."""
        self.ada.password = "Temporary-horse-9"
        self.boto3.admin_set_user_password(**self.who, Password=self.ada.password, Permanent=False)
        self.state, self.signed_in, self.reset_in_mail = "new_password_required", False, ""
        self.ada.tokens.clear()

    # The way on, from wherever the walk ended

    def teardown(self) -> None:
        """Get in."""
        if self.disabled:
            self.is_enabled()
        if self.state == "none":
            self.signs_up()
        if self.state == "unconfirmed":
            self.asks_for_the_code_again()
            self.confirms()
        if self.state == "reset_required":
            self.forgets_the_password()
            self.resets_the_password()
        self.signs_in()
        assert told(self.ada.looks_in_the_mirror()) == DONE

    # Helpers

    def takes_the_step(self, asked: httpx.Response) -> None:
        """Answer the challenge, and the one after it."""
        if asked.json()["challenge"] == "NEW_PASSWORD_REQUIRED":
            answer = self.ada.answers(asked, newPassword=NEW_PASSWORD)
            self.ada.password, self.state = NEW_PASSWORD, "confirmed"
        else:
            self.cognito.clock.advance(30)  # a code counts once
            answer = self.ada.answers(asked, code=self.app_code())
        if told(answer) == CHALLENGE:
            self.takes_the_step(answer)
        else:
            assert told(answer) == DONE

    def an_hour_passes(self) -> None:
        """Cognito counts e-mails and tries by the hour; codes for a reset live no longer."""
        self.cognito.clock.advance(timedelta(hours=1))
        self.reset_in_mail = ""

    def is_fresh(self) -> None:
        """Have an access token that hasn't expired: it lives for 3 hours."""
        if self.session():
            assert told(self.ada.refreshes()) == DONE


ROUTES = [
    "signs_up",
    "asks_for_the_code_again",
    "confirms",
    "signs_in",
    "signs_in_with_a_wrong_password",
    "refreshes",
    "signs_out",
    "signs_out_everywhere",
    "looks_in_the_mirror",
    "forgets_the_password",
    "resets_the_password",
    "changes_the_password",
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
    "forgot": ["signs_up", "confirms", "forgets_the_password"],
    "reset required": ["signs_up", "confirms", "signs_in", "must_reset_the_password"],
    "new password required": ["signs_up", "confirms", "signs_in", "gets_a_temporary_password"],
    "MFA on": ["signs_up", "confirms", "signs_in", "sets_up_a_second_factor"],
    "disabled": ["signs_up", "confirms", "signs_in", "is_disabled"],
    "deleted": ["signs_up", "confirms", "signs_in", "deletes_the_account"],
}


@pytest.mark.parametrize("way", STATES.values(), ids=STATES)
def test_every_route_in_every_state(
    way: list[str], person: Callable[[], Person], cognito: LocalCognito, pool: LocalPool
) -> None:
    """Each by somebody new, who gets in all the same at the end."""
    for route in ROUTES:
        walk = Walk(person(), cognito, pool)
        for step in (*way, route):
            getattr(walk, step)()
        walk.teardown()


def test_no_state_is_a_dead_end(
    person: Callable[[], Person], cognito: LocalCognito, pool: LocalPool
) -> None:
    """What every route answers in every state, and that there is always a way in."""

    def start() -> Any:
        return Walk(person(), cognito, pool)

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        start,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
