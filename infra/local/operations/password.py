"""What every sign-in with a password checks, by SRP or not."""

from moto.cognitoidp.models import CognitoIdpUser, UserStatus

from infra.local.pool.refusals import refuse
from infra.local.pool.state import State


def check_ready(user: CognitoIdpUser) -> None:
    """Refuse a user in a state that Cognito reports whatever the password."""
    if user.status == UserStatus.UNCONFIRMED:
        raise refuse("unconfirmed")
    if user.status == UserStatus.RESET_REQUIRED:
        raise refuse("password_reset")


def check_password(state: State, user: CognitoIdpUser, *, right: bool) -> None:
    """Count an attempt. Refuse a wrong password, and a user who may not sign in with the right one.

    Only the right password reveals that a user is disabled, or that the password has expired.
    """
    account, now = state.account(user), state.clock.now()
    account.check_password(now, right=right)
    if not user.enabled:
        raise refuse("user_disabled")
    if user.status == UserStatus.FORCE_CHANGE_PASSWORD and account.password_has_expired(now):
        raise refuse("temporary_password_expired")
