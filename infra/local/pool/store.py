"""A file that keeps users between runs of `make run`.

It keeps each user with its status, attributes, password hash, authenticator secret, pending
codes, tries and locks, and the e-mails. Sessions end with the process, so no key or
token is written to disk. Groups and pools created by hand are not kept either. Restored Google
users rejoin Google's group.

POSIX only, for its file locks.
"""

import contextlib
import fcntl
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from moto.cognitoidp.models import CognitoIdpUser, UserStatus

from infra.local.pool.accounts import Account
from infra.local.pool.federated import EXTERNAL_PROVIDER, status_of
from infra.local.pool.outbox import Mail
from infra.local.pool.passwords import PasswordHash
from infra.local.pool.state import State
from infra.local.pool.user_pool import Pool

FORMAT = 2

# moto's attributes that are stored unchanged.
FLAGS = (
    "enabled",
    "sms_mfa_enabled",
    "software_token_mfa_enabled",
    "token_verified",
    "preferred_mfa_setting",
)


class StoreError(Exception):
    """The file can't be used; the message is one line that names the remedy."""


class Store:
    """One file, held by one process at a time. Use it in a `with` block.

    A lock keeps other processes out, because they may use other ports. The system releases it when
    the process ends, however it ends.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.path = path
        self._fresh = fresh
        self._lock: int | None = None
        self._written = ""

    def __enter__(self) -> Self:
        """Take the lock. Raises StoreError if another process has it."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise StoreError(
                f"{self.path} is in use: the local Cognito is already running on these users."
            ) from None
        self._lock = lock
        if self._fresh:
            self.path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def load(self) -> dict[str, Any]:
        """Return what was saved last, or an empty document. Raises StoreError if it can't be read.

        The file is left unchanged: even a foreign or damaged one may be valuable to its owner.
        """
        try:
            document = validated(json.loads(self.path.read_text("utf-8")))
        except FileNotFoundError:
            return {"format": FORMAT, "pools": {}, "mails": []}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"{self.path} can't be read ({type(error).__name__}: {error}). Fix it, or delete"
                " its users: make run FRESH=1"
            ) from None
        return document

    def save(self, document: dict[str, Any]) -> None:
        """Write the document if it changed, completely or not at all. Raises OSError.

        It is written to a second file, flushed to the disk and then renamed. Whenever the process
        or the machine stops, the file is either the old one or the new one.
        """
        text = json.dumps(document)
        if text == self._written:
            return
        beside = self.path.with_suffix(".new")
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - of a descriptor
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._written = text


def dump_users(pool: Pool, state: State) -> list[dict[str, Any]]:
    """Return a pool's users as JSON values."""
    return [
        {
            "sub": user.id,
            "username": user.username,
            "password": None if user.password is None else str(user.password),
            "status": status_of(user),
            "attributes": user.attributes,
            "created": user.create_date.isoformat(),
            "modified": user.last_modified_date.isoformat(),
            "account": state.account(user).to_json(),
            **{flag: getattr(user, flag) for flag in FLAGS},
        }
        for user in pool.users.values()
    ]


def restore_users(pool: Pool, state: State, users: list[dict[str, Any]]) -> None:
    """Restore the users that `dump_users` returned."""
    for kept in users:
        user, account = _user(kept, pool.id)
        pool.users[user.username] = user
        pool.join_provider_groups(user)
        state.accounts[user.id] = account


def _user(kept: dict[str, Any], user_pool_id: str) -> tuple[CognitoIdpUser, Account]:
    status = kept["status"]
    user = CognitoIdpUser(
        user_pool_id=user_pool_id,
        username=kept["username"],
        password=None,
        status=status if status == EXTERNAL_PROVIDER else UserStatus(status),
        attributes=kept["attributes"],
    )
    if kept["password"] is not None:
        user.password = PasswordHash.parse(kept["password"])  # type: ignore[assignment]
    user.id = kept["sub"]
    user.update_attributes([{"Name": "sub", "Value": user.id}])
    user.create_date = datetime.fromisoformat(kept["created"])
    user.last_modified_date = datetime.fromisoformat(kept["modified"])
    for flag in FLAGS:
        setattr(user, flag, kept[flag])
    return user, Account.from_json(kept["account"])


def validated(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document. Raises KeyError, TypeError or ValueError if it can't be restored."""
    if document["format"] != FORMAT:
        raise ValueError(f"not of format {FORMAT}")
    for users in document["pools"].values():
        for kept in users:
            _user(kept, "")
    for mail in document["mails"]:
        Mail.from_json(mail)
    return document
