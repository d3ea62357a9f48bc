"""The console's routes: its page, the state as JSON, and the actions of its buttons."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, ParamValidationError
from moto.cognitoidp.models import CognitoIdpUser
from werkzeug.wrappers import Request, Response

from infra.local.pool.accounts import account_of
from infra.local.pool.federated import is_federated, status_of
from infra.local.pool.state import State
from infra.local.pool.user_pool import Pool, all_pools

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

FOLDER = Path(__file__).with_name("assets")
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

# Without a CORS header, another site can't read the codes. `frame-ancestors` keeps it from framing
# the console to hijack clicks.
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}
# How far each button advances the clock. Only forgetting everything sets it back.
CLOCK_STEPS = {
    "5 minutes": timedelta(minutes=5),
    "1 hour": timedelta(hours=1),
    "1 day": timedelta(days=1),
}
# How many users the page shows, the newest ones. It asks once a second.
SHOWN = 200
# What Cognito would e-mail to a user created by an administrator. It satisfies the policy.
TEMPORARY_PASSWORD = "Temporary-password-1"  # noqa: S105 - public
# Each button of a user: the operation, its other parameters, and the message on success.
ACTIONS: dict[str, tuple[str, dict[str, Any], str]] = {
    "reset-password": (
        "admin_reset_user_password",
        {},
        "The password must be reset now: the code is in the mailbox.",
    ),
    "new-password": (
        "admin_set_user_password",
        {"Password": TEMPORARY_PASSWORD, "Permanent": False},
        f"Signing in with {TEMPORARY_PASSWORD} asks for a new password now.",
    ),
    "disable": ("admin_disable_user", {}, "Disabled: nobody signs in."),
    "enable": ("admin_enable_user", {}, "Enabled again."),
    "sign-out": ("admin_user_global_sign_out", {}, "Signed out everywhere."),
    "delete": ("admin_delete_user", {}, "Deleted."),
}


class Console:
    """The console of one server. It changes users like an administrator, through Cognito's API.

    `saving` holds the server's lock and saves what the block changes. `forget` deletes the server's
    users and e-mails, `cognito` returns a boto3 client for it, and `api` is the address of the API
    that the page shows, if there is one.
    """

    def __init__(
        self,
        state: State,
        saving: Callable[[], AbstractContextManager[None]],
        forget: Callable[[], None],
        cognito: Callable[[], "CognitoIdentityProviderClient"],
        api: str | None,
    ) -> None:
        self._state = state
        self._saving = saving
        self._forget = forget
        self._cognito = cognito
        self._api = api
        self._actions: dict[str, Callable[[dict[str, Any]], str]] = {
            "clock": self._advance,
            "forget": self._forget_everything,
            "user": self._change_user,
            "invite": self._invite,
            "join-group": self._join_group,
            "leave-group": self._leave_group,
        }
        self._views: dict[str, Callable[[], object]] = {
            "/outbox": state.outbox.to_json,
            "/console/clock": lambda: {"now": state.clock.now()},
            "/console/state": self._state_json,
        }

    def answer(self, request: Request) -> Response | None:
        """Answer a request for the console. Return None if it is for Cognito."""
        if request.method == "POST" and request.path.startswith("/console/"):
            return self._handle_action(request)
        if request.method not in {"GET", "HEAD"}:
            return None
        if view := self._views.get(request.path):
            return _json(view())
        name = "console.html" if request.path == "/" else request.path.removeprefix("/console/")
        if name in {path.name for path in FOLDER.iterdir()}:
            text = (FOLDER / name).read_text("utf-8")
            return Response(text, headers=HEADERS, mimetype=TYPES[Path(name).suffix])
        return None

    def _state_json(self) -> dict[str, Any]:
        """Return what the page shows."""
        clock = self._state.clock
        pools = [pool for pool in all_pools() if getattr(pool, "state", None) is self._state]
        # Copied first, because other threads may add users.
        users = [(pool, user) for pool in pools for user in list(pool.users.values())]
        groups = {pool.id: pool.own_groups() for pool in pools}
        return {
            "now": clock.iso(),
            "ahead": clock.ahead,
            "api": self._api,
            "mails": self._state.outbox.to_json(),
            "pools": [{"id": pool_id, "groups": names} for pool_id, names in groups.items()],
            "users": [
                _user(pool, user, groups[pool.id]) for pool, user in users[: -SHOWN - 1 : -1]
            ],
            "older": max(0, len(users) - SHOWN),
        }

    def _handle_action(self, request: Request) -> Response:
        """Run the action of a button."""
        if not _is_same_origin(request):
            return _json({"message": "Only the console itself may ask this."}, 403)
        try:
            action = self._actions[request.path.removeprefix("/console/")]
            said = action(request.get_json())
        except ClientError as refused:
            return _json({"message": refused.response["Error"]["Message"]}, 400)
        except (KeyError, TypeError, ParamValidationError):
            return _json({"message": "There is no such button."}, 400)
        return _json({"message": said})

    # Each action takes what a button sends, and returns the message to show.

    def _advance(self, body: dict[str, Any]) -> str:
        step = CLOCK_STEPS[body["step"]]
        with self._saving():
            self._state.clock.advance(step)
        return "The time has moved forward."

    def _forget_everything(self, _: dict[str, Any]) -> str:
        self._forget()
        return "Everything is forgotten."

    def _change_user(self, body: dict[str, Any]) -> str:
        operation, more, said = ACTIONS[body["action"]]
        getattr(self._cognito(), operation)(
            UserPoolId=body["pool"], Username=body["username"], **more
        )
        return said

    def _invite(self, body: dict[str, Any]) -> str:
        self._cognito().admin_create_user(
            UserPoolId=body["pool"],
            Username=body["email"],
            UserAttributes=[{"Name": "email_verified", "Value": "true"}],
            DesiredDeliveryMediums=["EMAIL"],
        )
        return "Invited: the temporary password is in the mailbox."

    def _join_group(self, body: dict[str, Any]) -> str:
        """Add a user to a group, which is created if it doesn't exist."""
        cognito = self._cognito()
        pool_id, group = body["pool"], body["group"]
        with suppress(cognito.exceptions.GroupExistsException):
            cognito.create_group(UserPoolId=pool_id, GroupName=group)
        cognito.admin_add_user_to_group(
            UserPoolId=pool_id, Username=body["username"], GroupName=group
        )
        return f"In {group} from the next refresh or sign-in on."

    def _leave_group(self, body: dict[str, Any]) -> str:
        group = body["group"]
        self._cognito().admin_remove_user_from_group(
            UserPoolId=body["pool"], Username=body["username"], GroupName=group
        )
        return f"Out of {group} from the next refresh or sign-in on."


def _is_same_origin(request: Request) -> bool:
    """Return whether the console's own page sent a request.

    A browser names the origin of every POST, and a form can't send JSON.
    https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
    """
    origin = urlsplit(request.headers.get("Origin", ""))
    return (
        (origin.scheme, origin.netloc) == ("http", request.host)
        and request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        and request.mimetype == "application/json"
    )


def _user(pool: Pool, user: CognitoIdpUser, groups: list[str]) -> dict[str, Any]:
    return {
        "pool": pool.id,
        "username": user.username,
        "email": user.attribute_lookup.get("email", user.username),
        "status": status_of(user),
        "google": is_federated(user),
        "enabled": user.enabled,
        "groups": [group for group in account_of(user).groups if group in groups],
        "mfa": bool(user.preferred_mfa_setting or user.software_token_mfa_enabled),
    }


def _json(value: object, status: int = 200) -> Response:
    text = json.dumps(value)
    return Response(text, status, HEADERS, content_type="application/json")
