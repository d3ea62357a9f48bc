"""Kills at random moments, after which nothing that was answered may be lost.

A local Cognito runs while people sign up, change, sign in and out, and are deleted. It is killed,
and the next one on the same file must know what it answered.
"""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from infra.local.pool.user_pool import REGION
from tests.support.ports import free_ports

ROOT = Path(__file__).parents[2]
PASSWORD = "Correct-horse-9"
CLIENTS = 3  # at the same time, each with users of its own
MOST_ANSWERS = 20  # before a kill
LONGEST_PAUSE = 0.1  # seconds from the last of these answers to the kill
PATIENCE = 60  # seconds for these answers


@dataclass
class User:
    """What was answered about a user. `open` and `ended` are refresh tokens of two sessions."""

    email: str = field(default_factory=lambda: f"{uuid4().hex}@example.com")
    status: str | None = None
    name: str = ""
    open: str = ""
    ended: str = ""
    # The step that a kill interrupted: it may have been saved or not.
    unanswered: str = ""


class Server:
    """A local Cognito in a process of its own, and what people ask of it."""

    def __init__(self, store: Path) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "infra.local", "--no-api", "--store", str(store)]
        self.process = subprocess.Popen(
            [*command, "--cognito-port", str(port)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        ids = {}
        for line in self.process.stdout:
            ids[line[:15].strip()] = line[15:].strip()
            if "App client" in ids:
                break
        self.pool_id, self.client_id = ids["User pool"], ids["App client"]
        # Codes are printed, too: a full pipe would stop the server.
        self._reader = threading.Thread(target=self.process.stdout.read)
        self._reader.start()
        self.cognito: Any = boto3.client(
            "cognito-idp",
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()
        self.cognito.close()

    def users(self) -> dict[str, dict[str, str]]:
        """Return the status and the attributes of every user by e-mail address."""
        pages = self.cognito.get_paginator("list_users").paginate(UserPoolId=self.pool_id)
        found = [user for page in pages for user in page["Users"]]
        users = [
            {a["Name"]: a["Value"] for a in user["Attributes"]} | {"status": user["UserStatus"]}
            for user in found
        ]
        return {user["email"]: user for user in users}

    def sign_up(self, user: User) -> None:
        """Make an account."""
        self.cognito.sign_up(ClientId=self.client_id, Username=user.email, Password=PASSWORD)
        user.status = "UNCONFIRMED"

    def confirm(self, user: User) -> None:
        """Confirm an account with the code that was e-mailed, perhaps before a kill."""
        mails = httpx.get(f"{self.url}/outbox", trust_env=False).json()
        codes = [mail["code"] for mail in mails if mail["to"] == user.email] or ["none came"]
        self.cognito.confirm_sign_up(
            ClientId=self.client_id, Username=user.email, ConfirmationCode=codes[-1]
        )
        user.status = "CONFIRMED"

    def sign_in(self, user: User) -> None:
        """Begin a session."""
        answer = self.cognito.initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user.email, "PASSWORD": PASSWORD},
        )
        user.open = refresh_token(answer)

    def refresh(self, user: User) -> None:
        """Exchange the refresh token."""
        answer = self.cognito.get_tokens_from_refresh_token(
            ClientId=self.client_id, RefreshToken=user.open
        )
        user.open = refresh_token(answer)

    def sign_out(self, user: User) -> None:
        """End the session."""
        self.cognito.revoke_token(ClientId=self.client_id, Token=user.open)
        user.open, user.ended = "", user.open

    def rename(self, user: User) -> None:
        """Change an attribute."""
        name = uuid4().hex
        self.cognito.admin_update_user_attributes(
            UserPoolId=self.pool_id,
            Username=user.email,
            UserAttributes=[{"Name": "name", "Value": name}],
        )
        user.name = name

    def delete(self, user: User) -> None:
        """Delete the account."""
        self.cognito.admin_delete_user(UserPoolId=self.pool_id, Username=user.email)
        user.status, user.name, user.open = None, "", ""


class UnexpectedChallengeError(Exception):
    """A challenge in the place of tokens. Nobody here has a second factor."""


def refresh_token(answer: Any) -> str:
    """Return the refresh token of an answer, which has none if it was cut off: KeyError."""
    if "ChallengeName" in answer:
        raise UnexpectedChallengeError(answer["ChallengeName"])
    return str(answer["AuthenticationResult"]["RefreshToken"])


# The status after a step; other steps don't change it.
OUTCOMES = {"sign_up": "UNCONFIRMED", "confirm": "CONFIRMED", "delete": None}
Step = Callable[[Server, User], None]


def steps(user: User) -> list[Step]:
    """Return what a person may do next; what is there twice is done more often."""
    if user.status is None:
        return [Server.sign_up]
    if user.status == "UNCONFIRMED":
        return [Server.confirm, Server.rename]
    if user.open:
        return [Server.refresh, Server.refresh, Server.rename, Server.sign_out, Server.delete]
    return [Server.sign_in, Server.sign_in, Server.rename, Server.delete]


@dataclass
class Kills:
    """Kills of servers on one store, and what was lost by them."""

    store: Path
    answered: int = 0
    faults: list[str] = field(default_factory=list)
    users: list[User] = field(default_factory=list)

    def run(self, kills: int, progress: Callable[[int], object] = lambda _: None) -> None:
        """Kill this many servers. `progress` gets the number of kills so far."""
        for number in range(kills):
            server = Server(self.store)
            self._check(server)
            threads = [threading.Thread(target=self._live, args=[server]) for _ in range(CLIENTS)]
            for thread in threads:
                thread.start()
            enough, deadline = self.answered + random.randint(1, MOST_ANSWERS), time.monotonic()
            while self.answered < enough and time.monotonic() < deadline + PATIENCE:
                time.sleep(0.001)
            time.sleep(random.uniform(0, LONGEST_PAUSE))
            server.kill()
            for thread in threads:
                thread.join()
            progress(number + 1)
        server = Server(self.store)
        self._check(server)
        server.kill()

    def _live(self, server: Server) -> None:
        """Take steps of a few users until the server is gone."""
        mine = [User() for _ in range(2)]
        self.users += mine
        while True:
            user = random.choice(mine)
            step = random.choice(steps(user))
            try:
                step(server, user)
            except (BotoCoreError, ResponseParserError, httpx.TransportError, KeyError):
                user.unanswered = step.__name__  # or the answer was cut off
                return
            except (ClientError, UnexpectedChallengeError) as error:
                self.faults.append(f"{step.__name__} of {user}: {error}")
                return
            self.answered += 1

    def _check(self, server: Server) -> None:
        """Compare what a server knows with what the ones before answered."""
        known = server.users()
        for user in self.users:
            found = known.pop(user.email, {})
            now = replace(user, status=found.get("status"), name=found.get("name", ""))
            if user.unanswered:
                # Either outcome is right, and the tokens are not known.
                after = replace(user, status=OUTCOMES.get(user.unanswered, user.status))
                if user.unanswered in {"rename", "delete"}:
                    after.name = now.name
                is_right = now in (user, after)
                now = replace(now, open="", ended="", unanswered="")
            else:
                is_right = now == user
            if not is_right:
                self.faults.append(f"was {user}, is {now}")
            vars(user).update(vars(now))
        self.faults += [f"nobody signed up: {email}" for email in known]
        self._check_sessions(server, self.users[-20:])

    def _check_sessions(self, server: Server, users: list[User]) -> None:
        """Continue the open sessions, and try to continue the ended ones."""
        for user in users:
            try:
                if user.open:
                    server.refresh(user)
            except ClientError as error:
                self.faults.append(f"the session of {user}: {error}")
            try:
                if user.ended:
                    server.refresh(replace(user, open=user.ended))
                    self.faults.append(f"the ended session of {user} is open")
            except ClientError:
                continue  # as it should be
