"""The deletion of an account, with all that your own routes keep about the person."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.datastructures import State

from app.services import Services

if TYPE_CHECKING:
    from app.cognito import Cognito

OnAccountDeleted = Callable[[str, Services], None]
"""Erases what a module keeps about a person, who is named by `sub`.

It runs before Cognito deletes the account. If it raises, the account stays, the caller gets the
answer of the table in errors.py, and the person can try again. So it must accept that some or all
is gone already. Calls to AWS take at most 16 seconds each, and API Gateway waits 29 for all.
"""


def delete_account(state: State, sub: str, access_token: str) -> None:
    """Erase what the app's modules keep about a person, then delete the account.

    Raise what a module or Cognito raises. Nothing is erased with a token that was revoked.
    """
    cognito: Cognito = state.cognito
    erasers: tuple[OnAccountDeleted, ...] = state.on_account_deleted
    if erasers:
        cognito.get_user(access_token)  # a revoked token looks valid until Cognito is asked
    for erase in erasers:
        erase(sub, state.services)
    cognito.delete_user(access_token)
