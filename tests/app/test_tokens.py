"""The app's own check of access tokens: a valid one, and every kind of invalid one."""

import base64
import hmac
import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from app.exceptions import InvalidTokenError, KeysUnavailableError
from app.settings import Settings
from app.tokens import Verifier
from infra.local.server import LocalCognito
from tests.conftest import Connect
from tests.support import faulty
from tests.support.failures import INVALID_TOKEN, failure
from tests.support.faulty import Behaviour, FaultyCognito
from tests.support.keys import KeyServer
from tests.support.people import Person, settings_for

OURS = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGERS = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SUB = "c2c5d4b4-60a1-70f2-9d5e-1f6ab3c4d5e6"
KNOWN = '{"alg": "RS256", "kid": "ours"}'
POOL = Settings(client_id="1example23456789", user_pool_id="eu-west-1_EXAMPLE", region="eu-west-1")


@pytest.fixture(scope="module")
def published() -> Iterator[KeyServer]:
    """Return a server with the pool's keys, shared by tests that don't count its requests."""
    with KeyServer({"ours": OURS.public_key()}) as server:
        yield server


@pytest.fixture
def page(published: KeyServer, connect: Connect) -> Iterator[httpx.Client]:
    """Return a client of the app with a team's routes."""
    with connect(replace(POOL, jwks_url=published.url), team=True) as client:
        yield client


@pytest.fixture
def keys() -> Iterator[KeyServer]:
    """Return a server with the pool's keys for one test."""
    with KeyServer({"ours": OURS.public_key()}) as server:
        yield server


@pytest.fixture
def new_page(keys: KeyServer, connect: Connect) -> Iterator[httpx.Client]:
    """Return a client of an app that hasn't fetched those keys yet."""
    with connect(replace(POOL, jwks_url=keys.url), team=True) as client:
        yield client


def forge(
    key: rsa.RSAPrivateKey = OURS, header: dict[str, Any] | None = None, **changed: Any
) -> str:
    """Make an access token like Cognito's, with changes; None leaves a field out.

    It is made by hand because token libraries refuse to make some of these.
    """
    now = int(time.time())
    head = {"alg": "RS256", "kid": "ours"} | (header or {})
    claims = {
        "sub": SUB,
        "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE",
        "client_id": POOL.client_id,
        "token_use": "access",
        "iat": now,
        "exp": now + 3600,
    } | changed
    signed = b".".join(
        encode(json.dumps({name: value for name, value in part.items() if value is not None}))
        for part in (head, claims)
    )
    public = OURS.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signature = {
        "none": lambda: b"",
        # Uses the public key, which everybody knows, as the secret
        "HS256": lambda: hmac.digest(public, signed, "sha256"),
        "RS256": lambda: key.sign(signed, PKCS1v15(), SHA256()),
        "RS512": lambda: key.sign(signed, PKCS1v15(), SHA512()),
    }[head["alg"]]()
    return b".".join([signed, encode(signature)]).decode()


def encode(part: bytes | str) -> bytes:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(part.encode() if isinstance(part, str) else part).rstrip(b"=")


def asks(page: httpx.Client, token: str) -> httpx.Response:
    """Call a team's route that returns the token's user."""
    return page.get("/team/whoami", headers={"Authorization": f"Bearer {token}"})


def soon(seconds: int) -> int:
    """Return the Unix time this many seconds from now."""
    return int(time.time()) + seconds


BAD: dict[str, Callable[[], str]] = {
    "alg none": lambda: forge(header={"alg": "none"}),
    "HS256 with the public key": lambda: forge(header={"alg": "HS256"}),
    "another algorithm": lambda: forge(header={"alg": "RS512"}),
    "another pool's key": lambda: forge(key=STRANGERS),
    "unknown key id": lambda: forge(header={"kid": "theirs"}),
    "no key id": lambda: forge(header={"kid": None}),
    "key id that is a number": lambda: forge(header={"kid": 5}),
    "wrong issuer": lambda: forge(iss="https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_X"),
    "wrong client": lambda: forge(client_id="2other3456789"),
    "wrong use": lambda: forge(token_use="refresh"),
    "an ID token": lambda: forge(token_use="id", client_id=None, aud=POOL.client_id),
    "expired": lambda: forge(iat=soon(-7200), exp=soon(-60)),
    "not yet valid": lambda: forge(nbf=soon(60)),
    "from the future": lambda: forge(iat=soon(60), exp=soon(7200)),
    "no expiry": lambda: forge(exp=None),
    "expiry that is text": lambda: forge(exp=str(soon(3600))),
    "expiry that is true": lambda: forge(exp=True),
    "expiry that is infinite": lambda: forge(exp=float("inf")),
    "start that is text": lambda: forge(iat="now"),
    "no sub": lambda: forge(sub=None),
    **{f"sub {sub!r}": partial(forge, sub=sub) for sub in ("", " ", "\u3000", 5, True, [SUB], {})},
    **{
        f"{claim} {value!r}": partial(forge, **{claim: value})
        for claim in ("exp", "iat", "nbf")
        for value in (True, "", "soon", [], {}, math.nan, math.inf, -math.inf, 10**30, 10**400)
    },
    "exp as text": lambda: forge(exp=str(soon(60))),
    "exp as a float": lambda: forge(exp=float(soon(60))),
    "exp 0": lambda: forge(exp=0),
    "exp negative": lambda: forge(exp=-soon(60)),
    "exp in two days": lambda: forge(exp=soon(2 * 24 * 60 * 60)),
    "iat negative": lambda: forge(iat=-soon(60)),
    "a header nested deeply": lambda: f"{encode('[' * 5000).decode()}.e30.c2ln",
    "a payload nested deeply": lambda: f"{encode(KNOWN).decode()}.{'W1tb' * 1200}.c2ln",
    "a header that is a list": lambda: f"{encode('[]').decode()}.e30.c2ln",
    "a header with broken text": lambda: f"{encode(bytes([255])).decode()}.e30.c2ln",
    "truncated": lambda: forge()[:-20],
    "without its signature": lambda: forge().rpartition(".")[0] + ".",
    "over-long": lambda: forge(padding="x" * 9000),
    "no token": lambda: "made-up",
    "dots": lambda: "..",
}


def test_a_valid_token(page: httpx.Client) -> None:
    """The route gets the token's `sub` and all its other claims."""
    answer = asks(page, forge(**{"cognito:groups": ["editors"]}))
    assert answer.json() == {"sub": SUB, "groups": ["editors"]}


ODD_GROUPS: list[object] = [None, True, 5, "editors", "", {}, {"editors": 1}, [["editors"]]]
ODD_GROUPS += [["editors", 5], ["editors", None], [True], [], ["editors", {}]]


@pytest.mark.parametrize("names", ODD_GROUPS, ids=str)
def test_groups_that_are_no_list_of_names(page: httpx.Client, names: object) -> None:
    """The token stays valid, but its user is in no group."""
    token = forge(**{"cognito:groups": names})
    assert asks(page, token).json() == {"sub": SUB, "groups": []}
    headers = {"Authorization": f"Bearer {token}"}
    assert failure(page.get("/team/editor", headers=headers))[:2] == (403, "forbidden")


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_an_invalid_token(page: httpx.Client, bad: Callable[[], str]) -> None:
    """Every invalid token gets the same answer, which doesn't reveal the reason."""
    answer = asks(page, bad())
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_missing_token(page: httpx.Client) -> None:
    """A missing token gets that answer, too."""
    answer = page.get("/team/whoami")
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


def test_clocks_may_differ_a_little(page: httpx.Client) -> None:
    """Cognito's clock may be a few seconds ahead of ours."""
    assert asks(page, forge(iat=soon(3), exp=soon(3600))).status_code == 200


def test_the_longest_lifetime(page: httpx.Client) -> None:
    """Cognito lets an access token live for a day."""
    assert asks(page, forge(exp=soon(24 * 60 * 60 - 1))).status_code == 200


# A recent sign-in

LEAKED = {
    "six minutes": lambda: soon(-360),
    "none": lambda: None,
    "in the future": lambda: soon(60),
    "true": lambda: True,
    "text": lambda: str(soon(0)),
    "a float": lambda: float(soon(0)),
    "endless": lambda: math.inf,
    "not a number": lambda: math.nan,
}


@pytest.mark.parametrize("when", LEAKED.values(), ids=LEAKED)
def test_a_sign_in_that_is_not_recent(page: httpx.Client, when: Callable[[], object]) -> None:
    """A valid access token alone isn't enough; every other route takes it."""
    token = forge(auth_time=when())
    headers = {"Authorization": f"Bearer {token}"}
    for method, path in [
        ("DELETE", "/team/everything"),
        ("POST", "/auth/mfa/setup"),
        ("DELETE", "/auth/mfa"),
        ("DELETE", "/auth/me"),
    ]:
        answer = page.request(method, path, headers=headers)
        assert failure(answer)[:2] == (403, "reauthentication_required"), path
    assert asks(page, token).status_code == 200


def test_a_recent_sign_in(page: httpx.Client) -> None:
    """A team's route gets the person."""
    headers = {"Authorization": f"Bearer {forge(auth_time=soon(-240))}"}
    assert page.delete("/team/everything", headers=headers).json() == SUB


def test_the_token_comes_first(page: httpx.Client) -> None:
    """An invalid token is invalid, however recent its sign-in is."""
    headers = {"Authorization": f"Bearer {forge(key=STRANGERS, auth_time=soon(0))}"}
    assert failure(page.delete("/auth/me", headers=headers)) == INVALID_TOKEN


@pytest.mark.parametrize(
    ("seconds", "valid"), [(-6, False), (-4, True), (0, True), (3604, True), (3606, False)]
)
def test_the_clock_is_passed_in(published: KeyServer, seconds: int, valid: bool) -> None:  # noqa: FBT001 - pytest passes it
    """A token of an hour is judged by that clock, and five seconds are allowed at both ends."""
    token = forge(iat=10**9, exp=10**9 + 3600)
    verifier = Verifier(replace(POOL, jwks_url=published.url), wall_clock=lambda: 10.0**9 + seconds)
    if valid:
        assert verifier.verify(token).sub == SUB
    else:
        with pytest.raises(InvalidTokenError):
            verifier.verify(token)


# The pool's keys


def test_keys_are_fetched_once(new_page: httpx.Client, keys: KeyServer) -> None:
    """The first token causes the fetch; later tokens use the same keys."""
    assert keys.fetched == 0
    for _ in range(3):
        assert asks(new_page, forge()).status_code == 200
    assert keys.fetched == 1


def test_unknown_key_ids_cause_no_further_fetch(new_page: httpx.Client, keys: KeyServer) -> None:
    """An unknown key id causes a fetch of new keys, but not at every request."""
    for number in range(5):
        assert asks(new_page, forge(header={"kid": f"made-up-{number}"})).status_code == 401
    assert keys.fetched == 1


def test_a_new_key_is_found(keys: KeyServer) -> None:
    """When Cognito changes its keys, an unknown key id causes a new fetch after a minute."""
    clock = [0.0]
    verifier = Verifier(replace(POOL, jwks_url=keys.url), now=lambda: clock[0])
    assert verifier.verify(forge()).sub == SUB
    keys.keys = {"new": STRANGERS.public_key()}
    token = forge(key=STRANGERS, header={"kid": "new"})
    with pytest.raises(InvalidTokenError):
        verifier.verify(token)
    clock[0] += 61
    assert verifier.verify(token).sub == SUB
    with pytest.raises(InvalidTokenError):
        verifier.verify(forge())  # the old key is gone
    assert keys.fetched == 2


NOT_KEYS = {
    "nothing": "",
    "text": "no keys",
    "a list": "[]",
    "null": "null",
    "no key": '{"keys": []}',
    "keys that are null": '{"keys": null}',
    "a key that is a number": '{"keys": [5]}',
    "a key without a type": '{"keys": [{"kid": "ours"}]}',
    "a key without its numbers": '{"keys": [{"kid": "ours", "kty": "RSA", "alg": "RS256"}]}',
    "a key of the wrong numbers": '{"keys": [{"kid": "ours", "kty": "RSA", "n": 5, "e": []}]}',
    "a secret": '{"keys": [{"kid": "ours", "kty": "oct", "k": "c2VjcmV0"}]}',
    "an algorithm that is a list": '{"keys": [{"kid": "ours", "kty": "RSA", "alg": []}]}',
    "nested deeply": "[" * 50_000,
}


@pytest.mark.parametrize("body", NOT_KEYS.values(), ids=NOT_KEYS)
def test_keys_that_cannot_be_fetched(new_page: httpx.Client, keys: KeyServer, body: str) -> None:
    """The answer is 503, not 401, and the next requests don't wait for another fetch."""
    keys.instead = body
    for _ in range(3):
        answer = asks(new_page, forge())
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert keys.fetched == 1


@pytest.mark.parametrize("status", [201, 301, 302, 304, 403, 404, 500])
def test_keys_with_another_status(keys: KeyServer, status: int) -> None:
    """Only a 200 publishes keys."""
    keys.status = status
    with pytest.raises(KeysUnavailableError):
        Verifier(replace(POOL, jwks_url=keys.url)).verify(forge())
    assert keys.fetched == 1


def test_keys_with_another_id(keys: KeyServer) -> None:
    """Keys without a usable id or algorithm are left out; the others count."""
    ours = RSAAlgorithm.to_jwk(OURS.public_key(), as_dict=True)
    odd = [{}, {"kid": 5}, {"kid": ""}, {"kid": "ours", "alg": "PS256"}]
    listed = [ours | {"alg": "RS256"} | each for each in odd]
    keys.instead = json.dumps({"keys": [*listed, ours | {"kid": "ours"}]})
    assert Verifier(replace(POOL, jwks_url=keys.url)).verify(forge()).sub == SUB


SLOW_OR_HUGE = faulty.SLOW | faulty.HUGE


@pytest.mark.parametrize("behaviour", SLOW_OR_HUGE.values(), ids=SLOW_OR_HUGE)
def test_keys_that_take_too_long(behaviour: Behaviour) -> None:
    """The fetch ends in time. Requests that waited for it don't fetch again."""
    with FaultyCognito() as server, ThreadPoolExecutor(5) as requests:
        server.behave(behaviour)
        verifier = Verifier(replace(POOL, jwks_url=server.url), timeout=0.2)
        waiting = [requests.submit(verifier.verify, forge()) for _ in range(5)]
        for each in waiting:
            with pytest.raises(KeysUnavailableError):
                each.result()
        assert len(server.calls) == 1


def test_first_requests_wait_for_the_keys(keys: KeyServer) -> None:
    """Requests that come while the first keys are fetched wait for them, and share the fetch."""
    crowd = 20
    verifier = Verifier(replace(POOL, jwks_url=keys.url))
    keys.go_on.clear()
    arrived = threading.Barrier(crowd + 1)

    def request() -> str:
        arrived.wait()
        return verifier.verify(forge()).sub

    with ThreadPoolExecutor(crowd) as requests:
        waiting = [requests.submit(request) for _ in range(crowd)]
        arrived.wait()
        keys.asked.wait()
        keys.go_on.set()
        assert [each.result() for each in waiting] == [SUB] * crowd
    assert keys.fetched == 1


def test_requests_wait_for_new_keys(keys: KeyServer) -> None:
    """So do requests with a key that is new."""
    clock = [0.0]
    verifier = Verifier(replace(POOL, jwks_url=keys.url), now=lambda: clock[0])
    verifier.verify(forge())
    clock[0] += 61
    keys.keys["new"] = STRANGERS.public_key()
    keys.go_on.clear()
    keys.asked.clear()
    token = forge(key=STRANGERS, header={"kid": "new"})
    with ThreadPoolExecutor(5) as requests:
        waiting = [requests.submit(verifier.verify, token) for _ in range(5)]
        keys.asked.wait()
        assert verifier.verify(forge()).sub == SUB  # a known key needs no fetch
        keys.go_on.set()
        assert [each.result().sub for each in waiting] == [SUB] * 5
    assert keys.fetched == 2


def test_new_keys_that_cannot_be_fetched(keys: KeyServer) -> None:
    """A token with an unknown key may be good. The known keys stay valid."""
    clock = [0.0]
    verifier = Verifier(replace(POOL, jwks_url=keys.url), now=lambda: clock[0])
    verifier.verify(forge())
    clock[0] += 61
    keys.instead = "no keys"
    for _ in range(2):
        with pytest.raises(KeysUnavailableError):
            verifier.verify(forge(header={"kid": "new"}))
    assert verifier.verify(forge()).sub == SUB
    assert keys.fetched == 2


def test_keys_are_fetched_again_after_a_failure(keys: KeyServer) -> None:
    """The next fetch is allowed a few seconds later."""
    clock = [0.0]
    verifier = Verifier(replace(POOL, jwks_url=keys.url), now=lambda: clock[0])
    keys.instead = "no keys"
    with pytest.raises(KeysUnavailableError):
        verifier.verify(forge())
    keys.instead = None
    clock[0] += 7
    assert verifier.verify(forge()).sub == SUB


def test_the_local_cognitos_tokens(connect: Connect, cognito: LocalCognito) -> None:
    """`CurrentUser` accepts the access token of a sign-in and refuses its ID token."""
    settings = settings_for(cognito, cognito.create_pool())
    with connect(settings, team=True) as page:
        ada = Person(page, cognito.outbox.code_for)
        ada.is_signed_in()
        sub = ada.looks_in_the_mirror().json()["body"]["sub"]
        assert asks(page, ada.tokens["AccessToken"]).json()["sub"] == sub
        assert asks(page, ada.tokens["IdToken"]).status_code == 401


def test_the_cryptography_is_not_imported_at_start_up() -> None:
    """The cryptography is imported when a token is first checked, not at a cold start."""
    program = (
        "import sys; from app.main import create_app; from app.settings import Settings;"
        "create_app(Settings(client_id='x', user_pool_id='x', region='eu-west-1'));"
        "sys.exit(bool({'jwt', 'cryptography'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0


def test_keys_that_are_fetched_before_a_token_needs_them(keys: KeyServer) -> None:
    """The token is then checked without a request."""
    verifier = Verifier(replace(POOL, jwks_url=keys.url))
    verifier.prepare()
    assert verifier.verify(forge()).sub == SUB
    assert keys.fetched == 1


def test_keys_that_can_not_be_fetched_before(keys: KeyServer) -> None:
    """The failure is not raised: a token fetches them, when the next try is due."""
    clock = [0.0]
    verifier = Verifier(replace(POOL, jwks_url=keys.url), now=lambda: clock[0])
    keys.status = 500
    verifier.prepare()
    keys.status, clock[0] = 200, 1000.0
    assert verifier.verify(forge()).sub == SUB
    assert keys.fetched == 2
