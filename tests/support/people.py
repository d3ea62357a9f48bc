"""The people in the tests, and what they do with the service.

    ada.signs_up(); ada.confirms(); ada.signs_in()

Each step returns the httpx.Response. A person records their secrets, so that a test can check that
none of them leaks.
"""

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.settings import Settings
from infra.local.admin_client import boto3_client
from infra.local.server import LocalCognito, LocalPool
from infra.local.stack import REDIRECT_URIS
from tests.support.google import consents
from tests.support.passkey_device import PasskeyDevice

LOG_KEY = "canary-log-key-0123456789"
"""The key of the hashes in the log. No line may contain it."""
ORIGIN = "https://app.example.com"
"""The browser origin that the app allows in tests."""


@dataclass
class Person:
    """A person with an e-mail address, a password and a browser."""

    api: httpx.Client
    read_code: Callable[[str], str]
    email: str = field(default_factory=lambda: f"ada.{uuid.uuid4().hex[:12]}@example.com")
    password: str = field(default_factory=lambda: f"Canary-{uuid.uuid4().hex}")
    tokens: dict[str, Any] = field(default_factory=dict, repr=False)
    session: str | None = field(default=None, repr=False)
    """What sign-up answered for confirm."""
    mfa_secret: str = field(default="", repr=False)
    secrets: set[str] = field(default_factory=set, repr=False)
    """Passwords and codes, right or wrong."""
    given: set[str] = field(default_factory=set, repr=False)
    """Tokens, code verifiers and the secrets of second factors."""

    @property
    def code(self) -> str:
        """The newest code in the person's mailbox. Raises LookupError when there is none."""
        code = self.read_code(self.email)
        self.secrets.add(code)
        return code

    def signs_up(self, **changed: object) -> httpx.Response:
        """POST /auth/sign-up."""
        body = {"email": self.email, "password": self.password} | changed
        answer = self._post("sign-up", body)
        if answer.status_code == 200 and "body" in answer.json():
            self.session = str(answer.json()["body"]["session"])
            self.given.add(self.session)
        return answer

    def confirms(self, **changed: object) -> httpx.Response:
        """POST /auth/confirm, by default with the code from the mailbox and without a session."""
        changed = changed or {"code": self.code}
        return self._with_tokens(self._post("confirm", {"email": self.email} | changed))

    def signs_in(self, **changed: object) -> httpx.Response:
        """POST /auth/sign-in."""
        body = {"email": self.email, "password": self.password} | changed
        return self._with_tokens(self._post("sign-in", body))

    def asks_for_the_code_again(self, **changed: object) -> httpx.Response:
        """POST /auth/resend-code."""
        return self._post("resend-code", {"email": self.email} | changed)

    def answers(self, asked: httpx.Response, /, **given: object) -> httpx.Response:
        """POST /auth/challenge, with the challenge and session of a `challenge_required`."""
        step = {name: asked.json()[name] for name in ("challenge", "session")}
        return self._with_tokens(self._post("challenge", {"email": self.email} | step | given))

    def sets_up_the_challenge(self, asked: httpx.Response, /, **given: object) -> httpx.Response:
        """POST /auth/challenge/setup, with the session of a `challenge_required`."""
        body = {"email": self.email, "session": asked.json()["session"]} | given
        answer = self._post("challenge/setup", body)
        if answer.status_code == 200:
            self.mfa_secret = answer.json()["body"]["secret"]
            self.given |= {self.mfa_secret, answer.json()["body"]["session"]}
        return answer

    def starts_with_google(self, **changed: object) -> httpx.Response:
        """POST /auth/google/start."""
        answer = self._post("google/start", {"redirectUri": REDIRECT_URIS[0]} | changed)
        if answer.status_code == 200:
            self.given.add(answer.json()["body"]["codeVerifier"])
        return answer

    def finishes_with_google(self, **sent: object) -> httpx.Response:
        """POST /auth/google/finish."""
        self.given |= {str(sent["codeVerifier"])} if sent.get("codeVerifier") else set()
        return self._with_tokens(self._post("google/finish", sent))

    def continues_with_google(self, choice: str = "allow", **consented: Any) -> httpx.Response:
        """Start, answer Google's consent page, and finish, as a browser does."""
        attempt = self.starts_with_google().json()["body"]
        back = consents(attempt["url"], self.email, choice=choice, **consented)
        assert back["state"] == attempt["state"]
        return self.finishes_with_google(**came_back(back, attempt))

    def refreshes(self, **changed: object) -> httpx.Response:
        """POST /auth/refresh."""
        body = {"refreshToken": self.tokens.get("RefreshToken", "none")}
        return self._with_tokens(self._post("refresh", body | changed))

    def signs_out(self, **changed: object) -> httpx.Response:
        """POST /auth/sign-out."""
        body = {"refreshToken": self.tokens.get("RefreshToken", "none")}
        return self._post("sign-out", body | changed)

    def signs_out_everywhere(self) -> httpx.Response:
        """POST /auth/sign-out-everywhere."""
        return self._post("sign-out-everywhere")

    def forgets_the_password(self, **changed: object) -> httpx.Response:
        """POST /auth/forgot-password."""
        return self._post("forgot-password", {"email": self.email} | changed)

    def resets_the_password(self, **changed: object) -> httpx.Response:
        """POST /auth/reset-password, by default with the code from the mailbox."""
        password = str(changed.pop("password", f"Canary-{uuid.uuid4().hex}"))
        body = {"email": self.email, "password": password} | (changed or {"code": self.code})
        answer = self._post("reset-password", body)
        if answer.status_code == 200:
            self.password = password
        return answer

    def changes_the_password(self, **changed: object) -> httpx.Response:
        """POST /auth/change-password."""
        new = str(changed.pop("newPassword", f"Canary-{uuid.uuid4().hex}"))
        body = {"currentPassword": self.password, "newPassword": new} | changed
        answer = self._post("change-password", body)
        if answer.status_code == 200:
            self.password = new
        return answer

    def looks_in_the_mirror(self) -> httpx.Response:
        """GET /auth/me."""
        return self.api.get("/auth/me", headers=self._authorization())

    def changes_the_name(self, name: str | None) -> httpx.Response:
        """PATCH /auth/me."""
        body = {"name": name}
        return self.api.patch("/auth/me", json=body, headers=self._authorization())

    def changes_the_email(self, email: str) -> httpx.Response:
        """POST /auth/change-email."""
        return self._post("change-email", {"email": email})

    def verifies_the_email(self, code: str) -> httpx.Response:
        """POST /auth/verify-email."""
        return self._post("verify-email", {"code": code})

    def deletes_the_account(self) -> httpx.Response:
        """DELETE /auth/me."""
        return self.api.delete("/auth/me", headers=self._authorization())

    def sets_up_mfa(self) -> httpx.Response:
        """POST /auth/mfa/setup."""
        answer = self._post("mfa/setup")
        if answer.status_code == 200:
            self.mfa_secret = answer.json()["body"]["secret"]
            self.given.add(self.mfa_secret)
        return answer

    def verifies_mfa(self, code: str) -> httpx.Response:
        """POST /auth/mfa/verify."""
        return self._post("mfa/verify", {"code": code})

    def removes_mfa(self) -> httpx.Response:
        """DELETE /auth/mfa."""
        return self.api.delete("/auth/mfa", headers=self._authorization())

    def asks_for_a_sign_in_code(self, **changed: object) -> httpx.Response:
        """POST /auth/email-code."""
        answer = self._post("email-code", {"email": self.email} | changed)
        if answer.status_code == 200:
            self.given.add(answer.json()["body"]["session"])
        return answer

    def signs_in_by_code(self, asked: httpx.Response, **changed: object) -> httpx.Response:
        """POST /auth/challenge, by default with the code from the mailbox."""
        body = {"challenge": "EMAIL_OTP", "session": asked.json()["body"]["session"]}
        changed = changed or {"code": self.code}
        return self._with_tokens(self._post("challenge", {"email": self.email} | body | changed))

    def begins_a_passkey(self) -> httpx.Response:
        """POST /auth/passkeys/start."""
        return self._post("passkeys/start")

    def adds_a_passkey(self, device: PasskeyDevice, **changed: object) -> httpx.Response:
        """POST /auth/passkeys, with what a device makes of the options unless `changed` says."""
        if not changed:
            begun = self.begins_a_passkey()
            assert begun.status_code == 200, begun.text
            changed = {"credential": device.create(begun.json()["body"])}
        return self._post("passkeys", changed)

    def lists_the_passkeys(self) -> httpx.Response:
        """GET /auth/passkeys."""
        return self.api.get("/auth/passkeys", headers=self._authorization())

    def removes_a_passkey(self, id_: str) -> httpx.Response:
        """DELETE /auth/passkeys/{id}."""
        return self.api.delete(f"/auth/passkeys/{id_}", headers=self._authorization())

    def begins_with_a_passkey(self, **changed: object) -> httpx.Response:
        """POST /auth/passkeys/sign-in."""
        answer = self._post("passkeys/sign-in", {"email": self.email} | changed)
        if answer.status_code == 200:
            self.given.add(answer.json()["body"]["session"])
        return answer

    def signs_in_with(self, device: PasskeyDevice, **changed: object) -> httpx.Response:
        """Begin, let a device answer, and POST /auth/challenge."""
        begun = self.begins_with_a_passkey()
        assert begun.status_code == 200, begun.text
        session, options = (begun.json()["body"][name] for name in ("session", "options"))
        credential = device.get(options)
        self.secrets.add(credential["response"]["signature"])
        body = {"challenge": "WEB_AUTHN", "session": session, "credential": credential}
        return self._with_tokens(self._post("challenge", {"email": self.email} | body | changed))

    def has_an_account(self) -> None:
        """Sign up and confirm."""
        assert self.signs_up().status_code == 200
        assert self.confirms().status_code == 200

    def is_signed_in(self) -> None:
        """Sign up, confirm and sign in."""
        self.has_an_account()
        assert self.signs_in().status_code == 200

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens.get('AccessToken', 'none')}"}

    def _with_tokens(self, answer: httpx.Response) -> httpx.Response:
        if answer.status_code == 200 and "body" in answer.json():
            self.tokens |= answer.json()["body"]
            self.given |= {t for name, t in self.tokens.items() if name.endswith("Token")}
        return answer

    def _post(self, route: str, body: dict[str, object] | None = None) -> httpx.Response:
        for name in ("password", "currentPassword", "newPassword", "code"):
            if body and body.get(name):
                self.secrets.add(str(body[name]))
        return self.api.post(f"/auth/{route}", json=body, headers=self._authorization())


def came_back(back: dict[str, str], attempt: dict[str, str]) -> dict[str, str]:
    """Return the body for /auth/google/finish from the redirect's parameters."""
    if "error" in back:
        return {"error": back["error"], "errorDescription": back.get("error_description", "")}
    verifier, redirect_uri = attempt["codeVerifier"], REDIRECT_URIS[0]
    return {"code": back["code"], "codeVerifier": verifier, "redirectUri": redirect_uri}


def settings_for(cognito: LocalCognito, pool: LocalPool) -> Settings:
    """Return the app's settings for a user pool of the local Cognito, and one browser origin.

    Google sign-in redirects to that origin, too.
    """
    return Settings(
        client_id=pool.client_id,
        user_pool_id=pool.user_pool_id,
        region=pool.region,
        allowed_origins=(ORIGIN,),
        endpoint_url=cognito.url,
        services_url=cognito.url,
        jwks_url=f"{cognito.url}/{pool.user_pool_id}/.well-known/jwks.json",
        domain_url=cognito.url,
        redirect_uris=REDIRECT_URIS,
        log_key=LOG_KEY,
    )


def admin(cognito: LocalCognito, pool: LocalPool) -> Any:
    """Return a boto3 client that calls the local Cognito as an administrator."""
    return boto3_client(cognito.url, pool.region)


def put_into_group(cognito: LocalCognito, pool: LocalPool, email: str, group: str) -> None:
    """Add a user to a group as an administrator. Create the group if it doesn't exist."""
    client, names = admin(cognito, pool), {"UserPoolId": pool.user_pool_id, "GroupName": group}
    with suppress(client.exceptions.GroupExistsException):
        client.create_group(**names)
    client.admin_add_user_to_group(**names, Username=email)


def trigger_of(cognito: LocalCognito, pool: LocalPool) -> str:
    """Return the name of the pool's pre sign-up function."""
    described = admin(cognito, pool).describe_user_pool(UserPoolId=pool.user_pool_id)
    return str(described["UserPool"]["LambdaConfig"]["PreSignUp"].rpartition(":")[2])
